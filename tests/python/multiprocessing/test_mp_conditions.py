"""Conditions in one process: what theirs do, ours do."""

import os
import signal
import threading
import time

import pytest

LOCKS = ["none", "Lock", "RLock", "Semaphore", "BoundedSemaphore"]


@pytest.fixture(params=LOCKS)
def condition(mp, request):
    """One for each lock that it may have; None is one of its own."""
    lock = None if request.param == "none" else getattr(mp, request.param)()
    return mp.Condition(lock)


def waiters(condition, thread, until, number, timeout=60):
    """So many threads that wait, and their results."""
    waiting = []

    def wait():
        with condition:
            waiting.append(None)
            return condition.wait(timeout)

    results = [thread(wait) for _ in range(number)]
    until(lambda: len(waiting) == number)
    with condition:  # the last one has let go of the lock, and so waits
        return results


def test_who_has_not_the_lock(condition, thread):
    def refused():
        for call in (condition.wait, condition.notify, condition.notify_all):
            with pytest.raises(AssertionError):
                call()
        with pytest.raises(AssertionError):
            condition.wait(0.01)
        with pytest.raises(AssertionError):
            condition.wait_for(lambda: False)
        assert condition.wait_for(lambda: 5) == 5

    refused()
    with condition:
        thread(refused)()
    assert condition.acquire(False)
    condition.release()


def test_it_has_the_methods_of_its_lock(mp):
    lock = mp.Lock()
    condition = mp.Condition(lock)
    assert condition._lock is lock
    assert condition.acquire(block=True, timeout=None) is True
    assert lock.acquire(False) is False
    assert condition.acquire(timeout=0.01) is False
    assert condition.release() is None
    with condition as entered:
        assert entered is True
    with pytest.raises(ValueError):
        condition.release()
    with pytest.raises(AssertionError):
        mp.Condition().release()


def test_the_time_is_up(condition):
    with condition:
        for timeout in (0.02, 0, -1):
            assert condition.wait(timeout) is False
        assert condition._lock._semlock._count() == 1
        with pytest.raises(TypeError):
            condition.wait("x")
    assert condition._lock._semlock._count() == 0


def test_notified(condition, thread, until):
    results = waiters(condition, thread, until, 3)
    with condition:
        assert condition.notify() is None
    until(lambda: sum(not result.is_busy() for result in results) == 1)
    with condition:
        condition.notify(n=2)
    assert [result() for result in results] == [True] * 3


def test_all_are_notified(condition, thread, until):
    results = waiters(condition, thread, until, 3)
    with condition:
        assert condition.notify_all() is None
    assert [result() for result in results] == [True] * 3


def test_numbers_of_notifications(condition, thread, until):
    with condition:
        condition.notify(0)
        condition.notify(-3)
        condition.notify(100)
        with pytest.raises(TypeError):
            condition.notify("all")
        assert condition.wait(0.01) is False
    results = waiters(condition, thread, until, 1)
    with condition:
        condition.notify(0)
    time.sleep(0.05)
    assert results[0].is_busy()
    with condition:
        condition.notify(2**40)
    assert results[0]() is True


@pytest.mark.parametrize("kind, deep", [("RLock", 3), ("Semaphore", 2)])
def test_it_lets_go_of_the_lock_wholly(mp, thread, until, kind, deep):
    lock = mp.RLock() if kind == "RLock" else mp.Semaphore(deep)
    condition = mp.Condition(lock)
    waiting = []

    def wait():
        for _ in range(deep):
            lock.acquire()
        waiting.append(None)
        notified = condition.wait(60)
        held = lock._semlock._count()
        for _ in range(deep):
            lock.release()
        return notified, held

    other = thread(wait)
    until(lambda: waiting)
    for _ in range(deep):
        assert condition.acquire(True, 60)
    condition.notify()
    for _ in range(deep):
        condition.release()
    assert other() == (True, deep)
    assert lock._semlock._count() == 0


def test_wait_for(condition, thread):
    state = []
    with condition:
        assert condition.wait_for(lambda: state, 0.02) == []
        assert condition.wait_for(lambda: state, timeout=-1) == []
        assert condition.wait_for(lambda: "yes", 0) == "yes"

    def change():
        for step in range(3):
            with condition:
                state.append(step)
                condition.notify_all()

    with condition:
        other = thread(change)
        assert condition.wait_for(lambda: len(state) == 3 and "all", 60) == "all"
    other()


def test_an_exception_of_the_predicate(condition):
    with condition:
        with pytest.raises(ZeroDivisionError):
            condition.wait_for(lambda: 1 / 0)
        assert condition._lock._semlock._count() == 1


def test_ctrl_c_while_it_waits(condition):
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        with condition:
            timer.start()
            try:
                condition.wait(60)
            finally:
                held = condition._lock._semlock._count()
    assert held == 1
    timer.join()
    assert condition.acquire(False)
    condition.release()


def test_what_it_looks_like(mp):
    assert repr(mp.Condition()).startswith("<Condition(<RLock(None, 0)>, ")
    assert repr(mp.Condition(mp.Lock())).startswith("<Condition(<Lock(owner=None)>, ")


def test_a_lock_of_theirs_under_ours_and_the_other_way_round(thread, until):
    import multiprocessing

    import atoll.multiprocessing

    for mine, other in (
        (multiprocessing, atoll.multiprocessing),
        (atoll.multiprocessing, multiprocessing),
    ):
        for lock in (other.Lock(), other.RLock(), other.Semaphore()):
            condition = mine.Condition(lock)
            [result] = waiters(condition, thread, until, 1)
            with condition:
                condition.notify()
            assert result() is True


@pytest.mark.parametrize("make", [threading.Lock, threading.RLock])
def test_locks_of_threading_under_ours(make, thread, until):
    import atoll.multiprocessing

    condition = atoll.multiprocessing.Condition(make())
    with pytest.raises(AssertionError):
        condition.wait(0)
    [result] = waiters(condition, thread, until, 1)
    with condition:
        condition.notify()
    assert result() is True
