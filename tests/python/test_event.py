"""Events and latches: what threads and processes wait for that has happened, or is done."""

import multiprocessing
import pickle
import threading
import time

import atoll
import pytest
from support import Child, run, sleeps

METHODS = pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])


def open_event(segment):
    return atoll.Event(segment, "e")


def open_latch(segment):
    return atoll.Latch(segment, "e", 1)


BOTH = pytest.mark.parametrize("make", [open_event, open_latch], ids=["Event", "Latch"])


def happen(thing):
    thing.set() if isinstance(thing, atoll.Event) else thing.count_down()


def happened(thing):
    return thing.is_set() if isinstance(thing, atoll.Event) else thing.count == 0


def wait_for_it(thing, times):
    times.add(thing.wait())


# --- both ----------------------------------------------------------------------------------------


@BOTH
def test_a_wait_ends_when_it_happens(segment, make):
    thing = make(segment)
    events = []

    def other():
        events.append(thing.wait())
        events.append("on")

    thread = threading.Thread(target=other)
    thread.start()
    time.sleep(0.3)  # longer than a slice
    assert not events and not happened(thing)
    happen(thing)
    thread.join()
    assert events == [True, "on"] and happened(thing)
    assert thing.wait() is True and thing.wait(0) is True and thing.wait(-5) is True


@BOTH
def test_a_timeout_is_waited_out(segment, make):
    thing = make(segment)
    for timeout in (0.05, 0.25):
        before = time.monotonic()
        assert thing.wait(timeout) is False
        assert time.monotonic() - before >= timeout
    assert thing.wait(0) is False and thing.wait(timeout=-1) is False
    happen(thing)
    for timeout in (1e300, float("inf"), 10**400):
        assert thing.wait(timeout) is True


@BOTH
@pytest.mark.parametrize(
    "timeout, error", [("1", TypeError), ([], TypeError), (float("nan"), ValueError)]
)
def test_a_timeout_that_is_none(segment, make, timeout, error):
    thing = make(segment)
    for _ in range(2):
        with pytest.raises(error):
            thing.wait(timeout)
        if not happened(thing):
            happen(thing)  # a wait that has nothing to wait for looks at it, too


@BOTH
def test_all_who_wait_go_on(segment, make):
    thing = make(segment)
    code = f"""
        import threading
        thing = {"atoll.Event(segment, 'e')" if make is open_event else "atoll.Latch(segment, 'e')"}
        threads = [threading.Thread(target=thing.wait) for _ in range(3)]
        for thread in threads: thread.start()
        say("waiting")
        for thread in threads: thread.join()
    """
    with Child(code, segment) as one, Child(code, segment) as two:
        one.expect("waiting")
        two.expect("waiting")
        time.sleep(0.2)
        happen(thing)
        one.finish()
        two.finish()


@BOTH
def test_the_dead_hold_up_nobody(segment, make):
    """Waiters are killed asleep, and then it happens: nobody has to know of them."""
    thing = make(segment)
    code = f"""
        thing = {"atoll.Event(segment, 'e')" if make is open_event else "atoll.Latch(segment, 'e')"}
        say("waiting")
        thing.wait()
        say("on")
    """
    with Child(code, segment) as one, Child(code, segment) as two, Child(code, segment) as three:
        for child in (one, two, three):
            child.expect("waiting")
        time.sleep(0.2)
        one.kill()
        three.kill()
        happen(thing)
        two.expect("on")
        two.finish()
    segment.verify()


@BOTH
@METHODS
def test_processes_of_every_kind_share_it(segment, make, method):
    context = multiprocessing.get_context(method)
    came = atoll.Value(segment, "came", "i64")
    for thing in (make(segment), atoll.Event() if make is open_event else atoll.Latch(count=1)):
        processes = [context.Process(target=wait_and_count, args=(thing, came)) for _ in range(2)]
        for process in processes:
            process.start()
        time.sleep(0.1)
        happen(thing)
        for process in processes:
            process.join()
        assert [process.exitcode for process in processes] == [0, 0]
    assert came.value == 4


def wait_and_count(thing, came):
    came.add(int(thing.wait()))


@BOTH
def test_closed_ones_say_so(segment, make):
    thing = make(segment)
    thing.close()
    thing.close()
    assert thing.closed and "closed" in repr(thing)
    uses = [thing.wait, lambda: happen(thing), lambda: happened(thing), lambda: thing.wait(0)]
    for use in uses:
        with pytest.raises(atoll.Closed, match="'e' .*closed|closed"):
            use()


@BOTH
def test_two_handles_are_one(segment, make):
    one, other = make(segment), make(segment)
    copy = pickle.loads(pickle.dumps(one))
    assert type(copy) is type(one) and copy.name == "e" and one.name == "e"
    happen(other)
    assert happened(one) and happened(copy) and copy.wait(0)
    other.close()
    assert happened(one)


@BOTH
def test_waiting_lets_other_threads_run(segment, make):
    thing = make(segment)
    thread = threading.Thread(target=thing.wait, args=(1,))
    thread.start()
    turns = 0
    while thread.is_alive():
        time.sleep(0.001)
        turns += 1
    thread.join()
    assert turns > 30  # one turn a slice, had the wait kept the interpreter's lock


# --- events --------------------------------------------------------------------------------------


def test_set_and_clear(segment):
    event = atoll.Event(segment, "e")
    assert event.is_set() is False and "not set" in repr(event)
    for _ in range(2):
        assert event.set() is None
        assert event.is_set() is True and ": set" in repr(event)
    for _ in range(2):
        assert event.clear() is None
        assert event.is_set() is False
    event.set()
    assert atoll.Event(segment, "e").is_set()


def test_a_pulse_ends_the_wait_of_all(segment):
    """`multiprocessing` says False to them, and `threading` loses some."""
    event = atoll.Event(segment, "e")
    code = """
        event = atoll.Event(segment, "e")
        say("waiting")
        say(event.wait())
    """
    with Child(code, segment) as one, Child(code, segment) as two:
        for child in (one, two):
            child.expect("waiting")
            while not sleeps(child.pid):
                time.sleep(0.001)
        time.sleep(0.3)
        event.set()
        event.clear()
        one.expect("True")
        two.expect("True")
    assert not event.is_set() and event.wait(0.05) is False


def test_ping_pong(segment):
    """Each sets what the other waits for, and clears its own."""
    events = [atoll.Event(segment, str(number)) for number in range(2)]
    code = """
        events = [atoll.Event(segment, str(number)) for number in range(2)]
        for _ in range(500):
            events[0].wait()
            events[0].clear()
            events[1].set()
    """
    with Child(code, segment) as child:
        for _ in range(500):
            events[0].set()
            assert events[1].wait() is True
            events[1].clear()
        child.finish()
    assert [event.is_set() for event in events] == [False, False]


def test_a_setter_that_is_killed_has_set_it_or_not(segment):
    event = atoll.Event(segment, "e")
    code = """
        event = atoll.Event(segment, "e")
        say("working")
        while True:
            event.set()
            event.clear()
    """
    for _ in range(10):
        with Child(code, segment) as child:
            child.expect("working")
            assert event.wait(60)
            time.sleep(0.01)
            child.kill()
        event.clear()
        assert event.wait(0) is False
        event.set()
        assert event.wait(0) is True
        event.clear()
    segment.verify()


# --- latches -------------------------------------------------------------------------------------


def test_to_count_down(segment):
    latch = atoll.Latch(segment, "l", 5)
    assert latch.count == 5 and "5 to come" in repr(latch)
    latch.count_down()
    latch.count_down(3)
    latch.count_down(n=0)
    assert latch.count == 1 and latch.wait(0) is False
    with pytest.raises(ValueError):
        latch.count_down(2)
    assert latch.count == 1
    latch.count_down()
    assert latch.wait() is True
    with pytest.raises(ValueError):
        latch.count_down()
    assert atoll.Latch(segment, "l").count == 0


def test_a_latch_of_0_is_open(segment):
    assert atoll.Latch(segment, count=0).wait() is True


@pytest.mark.parametrize(
    "count, error",
    [(-1, ValueError), (1 << 31, ValueError), (1.5, TypeError), ("3", TypeError), (1 << 70, ValueError)],
)
def test_counts_that_are_none(segment, count, error):
    with pytest.raises(error):
        atoll.Latch(segment, "l", count)
    latch = atoll.Latch(segment, "l", 3)
    with pytest.raises(error):
        latch.count_down(count)
    assert latch.count == 3


def test_a_latch_is_made_with_its_count(segment):
    for create in (True, "open"):
        with pytest.raises(ValueError, match="its count"):
            atoll.Latch(segment, create=create)
    with pytest.raises(atoll.NotFound):
        atoll.Latch(segment, "l")
    atoll.Latch(segment, "l", 2, create=True).count_down()
    assert atoll.Latch(segment, "l", 7).count == 1
    assert atoll.Latch(segment, "l", create=False).count == 1
    with pytest.raises(atoll.AlreadyExists):
        atoll.Latch(segment, "l", 2, create=True)
    with pytest.raises(atoll.WrongKind):
        atoll.Event(segment, "l")


def test_workers_count_down(segment):
    latch = atoll.Latch(segment, "l", 20)
    code = "for _ in range(10): atoll.Latch(segment, 'l').count_down()"
    with Child(code, segment) as one, Child(code, segment) as two:
        assert latch.wait() is True
        one.finish()
        two.finish()
    assert run("print(atoll.Latch(segment, 'l').count)", segment) == "0\n"
