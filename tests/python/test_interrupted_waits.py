"""Ctrl-C in every kind of wait: in time, and with nothing lost by it."""

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
