"""Ctrl-C in every kind of wait: in time, and with nothing lost by it."""

import ctypes
import queue
import signal
import sys
import threading
import time
from itertools import repeat, starmap
from operator import itemgetter

import atoll
import pytest
from interrupts import (
    Interrupt,
    ended_by_ctrl_c,
    handler,  # noqa: F401  # a fixture
    interrupted_by_the_signal_of_another_thread,
    often_interrupted,
    raise_interrupt,
)
from support import Child

#: What has to be guarded in older ones cannot be: they listen for signals in more places.
WITH_IS_SAFE = pytest.mark.skipif(sys.version_info < (3, 10), reason="3.9 listens in more places")
ACQUIRE_IS_SAFE = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="may raise between a call and the `try` after it"
)


# --- one of each wait ----------------------------------------------------------------------------
# Each gives a wait that does not end, which takes a timeout, and what is to hold after it.


def of_event(segment):
    event = atoll.Event(segment)
    return event.wait, lambda: not event.is_set()


def of_latch(segment):
    latch = atoll.Latch(segment, count=1)
    return latch.wait, lambda: latch.count == 1


def of_semaphore(segment, make=atoll.Semaphore, **more):
    semaphore = make(segment, **more)
    semaphore.acquire()

    def is_whole():
        semaphore.release()
        return semaphore.acquire(False) and not semaphore.acquire(False)

    return lambda timeout: semaphore.acquire(timeout=timeout), is_whole


def of_bounded_semaphore(segment):
    return of_semaphore(segment, atoll.BoundedSemaphore)


def of_tracked_semaphore(segment):
    return of_semaphore(segment, tracked=True)


def of_with_semaphore(segment):
    semaphore = atoll.Semaphore(segment)
    semaphore.acquire()

    def wait(timeout):
        with semaphore:
            pass

    return wait, lambda: semaphore.release() is None and semaphore.get_value() == 1


def of_reader(segment):
    lock = held_rwlock(segment)
    return lambda timeout: lock.acquire_read(timeout=timeout), lambda: lock.readers() == 0


def of_with_reading(segment):
    lock = held_rwlock(segment)
    return lambda timeout: lock.reading(timeout).__enter__(), lambda: lock.readers() == 0


def of_writer(segment):
    lock = held_rwlock(segment)
    return lambda timeout: lock.acquire_write(timeout=timeout), lambda: lock.owner().owner_died


def of_with_writing(segment):
    lock = held_rwlock(segment)
    return lambda timeout: lock.writing(timeout).__enter__(), lambda: lock.owner().owner_died


def of_writer_among_readers(segment):
    lock = atoll.RWLock(segment)
    start(lambda: lock.acquire_read() and FOR_EVER.wait())
    while not lock.readers():
        time.sleep(0.001)
    return lambda timeout: lock.acquire_write(timeout=timeout), lambda: lock.acquire_read(False)


def held_rwlock(segment):
    """One that another thread holds to write, and a mark by which to know that it does still."""
    lock = atoll.RWLock(segment)
    threading.Thread(target=lock.acquire_write).start()  # which ends, and so leaves news
    with lock.recovering():
        pass
    start(lambda: lock.acquire_write(recover=True) and FOR_EVER.wait())
    while lock.owner() is None:
        time.sleep(0.001)
    return lock


def of_condition(segment, make_lock=lambda segment: None):
    condition = atoll.Condition(segment, lock=make_lock(segment))
    notified = threading.Event()

    def wait(timeout):
        condition.acquire()
        condition.wait(timeout)

    def is_whole():
        """The lock is held, and a notification goes to somebody who is there."""
        assert condition._way.is_held()
        condition.release()
        start(lambda: condition.acquire() and condition.wait(60) and notified.set())
        while not notified.wait(0.01):
            with condition:
                condition.notify()
        return True

    return wait, is_whole


def of_condition_with_a_lock(segment):
    return of_condition(segment, atoll.Lock)


def of_condition_with_a_semaphore(segment):
    return of_condition(segment, atoll.Semaphore)


def of_condition_with_a_lock_of_threading(segment):
    return of_condition(segment, lambda _: threading.Lock())


def of_condition_with_an_rlock_of_threading(segment):
    return of_condition(segment, lambda _: threading.RLock())


def of_predicate(segment):
    condition = atoll.Condition(segment)

    def wait(timeout):
        with condition:
            condition.wait_for(bool, timeout)

    return wait, lambda: condition._lock.owner() is None


def of_get(segment):
    ring = atoll.Spsc(segment, type="i64", capacity=1)
    return lambda timeout: whether(ring.get, True, timeout), lambda: passes(ring)


def of_put(segment):
    ring = atoll.Fanin(segment, type="i64", capacity=1)
    ring.push(5)
    return lambda timeout: whether(ring.put, 6, True, timeout), lambda: ring.pop() == 5 and passes(ring)


def of_peek(segment):
    ring = atoll.Fanin(segment, type="i64", capacity=1)
    return lambda timeout: whether(ring.peek(1, timeout).__enter__), lambda: passes(ring)


def of_claim(segment):
    ring = atoll.Spsc(segment, type="i64", capacity=1)
    ring.push(5)
    return lambda timeout: whether(ring.claim(1, timeout).__enter__), lambda: ring.pop() == 5 and passes(ring)


def of_put_message(segment):
    ring = atoll.Mpmc(segment, type="bytes", capacity=4)
    ring.push(bytes(100))
    ring.push(bytes(50))

    def is_whole():
        return [len(ring.pop()), len(ring.pop())] == [100, 50] and not whether(ring.pop)

    return lambda timeout: whether(ring.put, bytes(100), True, timeout), is_whole


def whether(call, *arguments):
    """Whether a ring had it in time."""
    try:
        call(*arguments)
    except (queue.Empty, queue.Full):
        return False
    return True


def passes(ring):
    """Whether all is as ever with an empty ring."""
    assert len(ring) == 0
    ring.push(7)
    return ring.pop() == 7 and not whether(ring.pop)


FOR_EVER = threading.Event()

WAITS = [value for name, value in list(globals().items()) if name.startswith("of_")]
EVERY = pytest.mark.parametrize("kind", WAITS, ids=lambda kind: kind.__name__[3:])


def start(work):
    threading.Thread(target=work, daemon=True).start()


# --- what is the same for all --------------------------------------------------------------------


@EVERY
@pytest.mark.parametrize("timeout", [None, 60])
def test_ctrl_c_ends_a_wait(segment, kind, timeout):
    wait, is_whole = kind(segment)
    assert ended_by_ctrl_c(lambda: wait(timeout))
    assert is_whole()


@EVERY
def test_a_signal_that_another_thread_got_is_heard(segment, handler, kind):
    wait, is_whole = kind(segment)
    handler(raise_interrupt)
    interrupted_by_the_signal_of_another_thread(lambda: wait(None))
    assert is_whole()


@EVERY
def test_a_handler_that_returns_ends_nothing(segment, handler, kind):
    if "with" in kind.__name__ and "condition" not in kind.__name__:
        pytest.skip("there a timeout is an exception, or cannot be given")
    wait, _ = kind(segment)
    calls = []
    handler(lambda *_: calls.append(time.monotonic()))
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    before = time.monotonic()
    wait(0.3)
    assert time.monotonic() - before >= 0.3
    assert len(calls) >= 3


# --- nothing is lost -----------------------------------------------------------------------------

SEMAPHORES = pytest.mark.parametrize(
    "make",
    [
        atoll.Semaphore,
        atoll.BoundedSemaphore,
        lambda *where: atoll.Semaphore(*where, tracked=True),
    ],
    ids=["plain", "bounded", "tracked"],
)


def in_with(semaphore):
    while True:
        with semaphore:
            pass


def in_try(semaphore):
    while True:
        semaphore.acquire()
        try:
            pass
        finally:
            semaphore.release()


@SEMAPHORES
@pytest.mark.parametrize(
    "use", [pytest.param(in_with, marks=WITH_IS_SAFE), pytest.param(in_try, marks=ACQUIRE_IS_SAFE)]
)
def test_no_permit_is_lost(segment, handler, make, use):
    semaphore = make(segment)
    handler(raise_interrupt)

    def check():
        assert semaphore.get_value() == 1

    often_interrupted(lambda: use(semaphore), check, 1000, 20e-6, 200e-6)


@SEMAPHORES
@WITH_IS_SAFE
@pytest.mark.parametrize("way", ["with", pytest.param("acquire", marks=ACQUIRE_IS_SAFE)])
def test_no_permit_is_lost_in_a_wait(segment, handler, make, way):
    """The exception comes about when the other one releases, so either may be first."""
    semaphore = make(segment, "s")
    code = """
        import random
        semaphore = atoll.Semaphore(segment, "s", create=False)
        say("working")
        while True:
            with semaphore: time.sleep(random.uniform(0, 0.002))
            time.sleep(random.uniform(0, 0.0005))
    """

    def use():
        if way == "with":
            with semaphore:
                signal.setitimer(signal.ITIMER_REAL, 0)
            return
        semaphore.acquire(timeout=60)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0)
        finally:
            semaphore.release()

    handler(raise_interrupt)
    with Child(code, segment) as other:
        other.expect("working")
        often_interrupted(use, lambda: None, 500, 100e-6, 2e-3)
        assert semaphore.acquire(timeout=60)
        other.kill()  # it has none
    semaphore.release()
    assert semaphore.get_value() == 1


@ACQUIRE_IS_SAFE
@SEMAPHORES
def test_ctrl_c_right_after_a_permit_was_taken(segment, handler, make):
    """The signal is pending when the attempt returns, and heard where Python listens next."""
    semaphore = make(segment)
    handler(raise_interrupt)
    raise_now = starmap(ctypes.PyDLL(None)["raise"], repeat((signal.SIGALRM,)))
    semaphore._attempts = map(itemgetter(0), zip(semaphore._attempts, raise_now))
    if atoll.platform_info().accelerated:
        pytest.skip("the accelerator makes its attempts itself")
    with pytest.raises(Interrupt):
        with semaphore:
            time.sleep(1)
    assert semaphore.get_value() == 1


def test_a_pulse_between_two_pieces_of_a_wait_is_seen(segment, handler):
    event = atoll.Event(segment)
    handler(lambda *_: (event.set(), event.clear()))
    signal.setitimer(signal.ITIMER_REAL, 0.15, 0.15)  # once more if it does not wait yet
    assert event.wait(60) is True
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert not event.is_set()


@pytest.mark.parametrize("lock", [None, atoll.Lock(), atoll.Semaphore(), threading.Lock()])
def test_a_notification_between_two_pieces_of_a_wait_is_heard(segment, handler, lock):
    condition = atoll.Condition(segment, lock=lock)

    def notify(*_):
        if condition.acquire(False):  # else it does not wait yet
            condition.notify()
            condition.release()

    handler(notify)
    signal.setitimer(signal.ITIMER_REAL, 0.15, 0.15)
    with condition:
        assert condition.wait(60) is True


class Waiter(threading.Thread):
    """Waits once, in its turn."""

    def __init__(self, condition):
        super().__init__()
        self.condition, self.came, self.inside = condition, None, threading.Event()
        self.start()
        self.inside.wait()
        with condition:
            pass

    def run(self):
        with self.condition:
            self.inside.set()
            self.came = self.condition.wait(60)


@pytest.mark.parametrize("lock", [None, atoll.Lock(), atoll.Semaphore(), threading.RLock()])
def test_a_notification_of_who_is_interrupted_goes_on_to_the_next(segment, handler, lock):
    """The exception comes when the wait is over and the lock is still waited for."""
    condition = atoll.Condition(segment, lock=lock)
    handler(raise_interrupt)
    waiters = []

    def other():
        waiters.append(Waiter(condition))  # after us
        with condition:
            condition.notify()
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            time.sleep(0.3)

    thread = threading.Thread(target=other)
    with pytest.raises(Interrupt), condition:
        thread.start()
        condition.wait(60)
    thread.join()
    waiters[0].join()
    assert waiters[0].came is True


@pytest.mark.parametrize(
    "lock",
    [atoll.Lock(), pytest.param(threading.Lock(), marks=WITH_IS_SAFE), threading.RLock()],
)
def test_the_lock_is_waited_for_first_and_then_the_exception_is_raised(segment, handler, lock):
    condition = atoll.Condition(segment, lock=lock)
    handler(raise_interrupt)
    held_until = []

    def other():
        with condition:
            signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)  # again and again
            time.sleep(0.4)
            held_until.append(time.monotonic())
            signal.setitimer(signal.ITIMER_REAL, 0)

    thread = threading.Thread(target=other)
    with pytest.raises(Interrupt), condition:
        thread.start()
        try:
            condition.wait(60)
        finally:
            assert held_until
            assert condition._way.is_held()
    thread.join()
    assert condition.acquire(False)
    condition.release()


@WITH_IS_SAFE
@pytest.mark.parametrize("lock", [None, atoll.Lock(), atoll.Semaphore(), threading.RLock()])
def test_an_exception_at_any_time_leaves_the_lock_free_and_nobody_waiting(segment, handler, lock):
    condition = atoll.Condition(segment, lock=lock)
    done = threading.Event()

    def other():
        while not done.is_set():
            with condition:
                condition.notify()
            time.sleep(0.0003)

    def use():
        while True:
            with condition:
                condition.wait(0.001)

    def check():
        assert condition.acquire(timeout=60)
        condition.release()

    handler(raise_interrupt)
    thread = threading.Thread(target=other)
    thread.start()
    often_interrupted(use, check, 700, 20e-6, 2e-3)
    done.set()
    thread.join()
    waiter = Waiter(condition)
    with condition:
        condition.notify()
    waiter.join()
    assert waiter.came is True
