"""atoll.wait: for any of several things of any kinds."""

import os
import signal
import threading
import time

import atoll
import pytest
from interrupts import (
    Interrupt,
    ended_by_ctrl_c,
    handler,  # noqa: F401
    interrupted_by_the_signal_of_another_thread,
    raise_interrupt,
)
from support import Child


def later(action):
    timer = threading.Timer(0.05, action)
    timer.start()
    return timer


@pytest.fixture
def things(segment):
    return [
        atoll.Event(segment),
        atoll.Latch(segment, count=1),
        atoll.Semaphore(segment, value=0),
        atoll.Event(),  # of another segment
    ]


READY = [atoll.Event.set, atoll.Latch.count_down, lambda it: it.release(), atoll.Event.set]


@pytest.mark.parametrize("place", range(4))
def test_one_becomes_ready(things, place):
    later(lambda: READY[place](things[place]))
    assert atoll.wait(things) == [things[place]]
    assert atoll.wait(things, 0) == [things[place]]  # and nothing was taken


def test_all_that_are_ready_in_their_order(things):
    assert atoll.wait(things, 0) == [] == atoll.wait(iter(things), -1)
    for thing, make_ready in zip(things, READY):
        make_ready(thing)
    assert atoll.wait(reversed(things)) == things[::-1]
    assert atoll.wait([things[2], things[0], things[2]]) == [things[2], things[0], things[2]]


def test_a_timeout_is_waited_out(things):
    for timeout in (0.05, 0.25):
        before = time.monotonic()
        assert atoll.wait(things, timeout) == []
        assert time.monotonic() - before >= timeout
    for wrong, error in (("1", TypeError), (float("nan"), ValueError)):
        with pytest.raises(error):
            atoll.wait(things, wrong)


def test_as_many_as_there_may_be(segment):
    events = [atoll.Event(segment) for _ in range(65)]
    later(events[63].set)
    assert atoll.wait(events[:64]) == [events[63]]
    for wrong in ([], events):
        with pytest.raises(atoll.InvalidArgument, match="64"):
            atoll.wait(wrong)


def test_what_cannot_be_waited_for(segment):
    event = atoll.Event(segment)
    event.set()
    for wrong in (atoll.Lock(), atoll.RWLock(), atoll.Value(type="i64"), None, 5):
        with pytest.raises(atoll.WrongKind, match=f"and not {type(wrong).__name__}"):
            atoll.wait([event, wrong])
    with pytest.raises(TypeError):
        atoll.wait(event)
    event.close()
    with pytest.raises(atoll.Closed):
        atoll.wait([event])


def test_pulses_are_seen(segment, monkeypatch):
    """Also one that comes between two pieces of the wait, and is over again."""
    monkeypatch.setattr("atoll._wait.SLICE_NS", 1000)  # so most do
    events = [atoll.Event(segment), atoll.Event(segment)]
    begun = threading.Event()

    def pieces(deadline, of=atoll._wait._pieces):
        for number, piece in enumerate(of(deadline)):
            if number == 1:
                begun.set()
            yield piece

    def pulse():
        begun.wait()
        time.sleep(0.01)
        events[1].set()
        events[1].clear()

    monkeypatch.setattr("atoll._wait._pieces", pieces)
    for _ in range(30):
        begun.clear()
        other = threading.Thread(target=pulse)
        other.start()
        assert atoll.wait(events, 60) == [events[1]]
        other.join()


def test_ends_of_rings(segment):
    """Beside others, of one ring and of several."""
    spsc, fanin = atoll.Spsc(segment, type="i64", capacity=1), atoll.Fanin(type="i64", capacity=1)
    mpmc = atoll.Mpmc(type="i64", capacity=1)
    event, ends = atoll.Event(segment), [each.readable for each in (spsc, fanin, mpmc)]
    assert atoll.wait([event, *ends], 0.02) == []
    for ring in (spsc, fanin, mpmc):
        later(lambda: ring.put(1))
        assert atoll.wait([event, *ends]) == [ring.readable]
        assert atoll.wait([ring.readable, ring.writable], 0) == [ring.readable]
        later(ring.get)
        assert atoll.wait([event, ring.writable]) == [ring.writable]
        with pytest.raises(atoll.Empty):
            ring.pop()  # looks for what the thread may have left that has got it and is gone
        assert atoll.wait(ends, 0) == []
    spsc.shutdown()
    assert atoll.wait(ends, 0) == [spsc.readable]  # a get would say so at once
    with pytest.raises(atoll.WrongKind, match="readable.*and not Spsc"):
        atoll.wait([spsc])
    fanin.close()
    with pytest.raises(atoll.Closed):
        atoll.wait([event, ends[1]])


# --- deaths --------------------------------------------------------------------------------------

JOIN = """
    lock = atoll.Lock(segment, "lock")
    say("here")
    hang()
"""


def test_deaths(segment):
    event = atoll.Event(segment)
    assert atoll.wait([segment, event], 0) == []
    last = 0
    for _ in range(3):
        with Child(JOIN, segment) as child:
            child.expect("here")
            assert atoll.wait([segment, event], 0.02) == []
            later(child.kill)
            assert atoll.wait([segment, event]) == [segment]
            death = segment.wait_death(last, 0)
            assert death.pid == child.pid
            last = death.epoch
        assert atoll.wait([segment, event], 0.02) == []  # each is told once


def test_deaths_before_it_was_opened_are_not_told(segment):
    with Child(JOIN, segment) as child:
        child.expect("here")
        child.kill()
        segment.wait_death()
    with atoll.Segment(segment.name) as again:
        assert atoll.wait([again], 0.02) == []


def test_who_would_have_set_it_is_killed(segment):
    event = atoll.Event(segment, "e")
    code = """
        event = atoll.Event(segment, "e")
        say("here")
        while True:
            event.set()
            event.clear()
    """
    for _ in range(10):
        with Child(code, segment) as child:
            child.expect("here")
            assert event in atoll.wait([segment, event])
            child.kill()
        assert segment in atoll.wait([event, segment])
        event.clear()


def test_holders_of_permits_are_killed(segment):
    semaphore = atoll.Semaphore(segment, "s", 1, tracked=True)
    code = 'atoll.Semaphore(segment, "s", create=False).acquire(); say("mine"); hang()'
    for _ in range(3):
        with Child(code, segment) as child:
            child.expect("mine")
            assert atoll.wait([semaphore], 0) == []
            later(child.kill)
            assert atoll.wait([atoll.Event(), semaphore]) == [semaphore]


# --- conditions ----------------------------------------------------------------------------------


def notify(condition, n=1):
    with condition:
        condition.notify(n)


def test_a_condition(segment):
    event, condition = atoll.Event(segment), atoll.Condition(segment)
    assert atoll.wait([event, condition], 0.02) == []
    notify(condition)  # nobody waits
    assert atoll.wait([event, condition], 0.02) == []
    heard = threading.Event()

    def notify_until_heard():  # it may not wait yet
        while not heard.wait(0.05):
            notify(condition)

    other = threading.Thread(target=notify_until_heard)
    other.start()
    assert atoll.wait([event, condition]) == [condition]
    heard.set()
    other.join()


def test_waiters(segment):
    event, condition = atoll.Event(segment), atoll.Condition(segment)
    with condition.waiter() as first, condition.waiter() as second:
        assert "waiting" in repr(first)
        assert atoll.wait([second, first], 0) == []
        notify(condition)
        assert atoll.wait([event, second, first]) == [first]
        later(lambda: notify(condition))
        assert atoll.wait([event, second]) == [second]
        assert first.notified() and second.notified() and first.notified()
        assert "notified" in repr(first)
    assert first.closed and "Waiter" in repr(first)
    with condition.waiter() as waiter:
        assert waiter.notified() is False
        notify(condition)
        assert waiter.notified() is False  # it was over by then


def test_a_notification_that_nobody_asked_for_goes_on(segment):
    condition = atoll.Condition(segment)
    first, second, third = (condition.waiter() for _ in range(3))
    notify(condition)
    first.close()
    assert atoll.wait([third, second], 60) == [second]
    del second
    assert atoll.wait([third], 60) == [third]
    with pytest.raises(atoll.Closed):
        first.fileno()


def test_a_waiter_belongs_to_its_thread(segment):
    condition = atoll.Condition(segment)
    outcomes = []

    def work(waiter):
        try:
            waiter.notified()
        except atoll.NotOwner as error:
            outcomes.append(str(error))
        waiter.close()

    waiter = condition.waiter()
    thread = threading.Thread(target=work, args=(waiter,))
    thread.start()
    notify(condition)
    thread.join()
    assert len(outcomes) == 1 and waiter.closed


# --- signals -------------------------------------------------------------------------------------


@pytest.fixture
def all_kinds(segment, things):
    return [*things, atoll.Condition(segment), segment]


def test_ctrl_c(all_kinds):
    assert ended_by_ctrl_c(lambda: atoll.wait(all_kinds, 60))


def test_the_signal_of_another_thread(all_kinds, handler):  # noqa: F811
    handler(raise_interrupt)
    interrupted_by_the_signal_of_another_thread(lambda: atoll.wait(all_kinds, 60))


def test_a_handler_that_returns_ends_nothing(all_kinds, handler):  # noqa: F811
    handler(lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
    later(all_kinds[0].set)
    assert atoll.wait(all_kinds) == [all_kinds[0]]


def test_an_exception_passes_a_notification_on(segment, handler):  # noqa: F811
    handler(raise_interrupt)
    condition, stop = atoll.Condition(segment), atoll.Event(segment)
    for _ in range(20):
        with condition.waiter() as behind:

            def notify_in_handler(*_):
                notify(condition)
                raise Interrupt

            handler(notify_in_handler)
            # In front of it in the queue, if it comes first; else there is only the other.
            with pytest.raises(Interrupt):
                signal.setitimer(signal.ITIMER_REAL, 0.005)
                atoll.wait([stop, condition], 60)
            assert behind.notified() is True


def test_fork_of_one_that_waits(segment):
    """The child of a process whose other thread waits can wait, too."""
    event, done = atoll.Event(segment), atoll.Event(segment)
    thread = threading.Thread(target=atoll.wait, args=([event],))
    thread.start()
    child = os.fork()
    if not child:
        atoll.wait([event])
        done.set()
        os._exit(0)
    event.set()
    assert atoll.wait([done], 60) == [done]
    os.waitpid(child, 0)
    thread.join()
