"""Between processes, for each start method: what theirs do, ours do."""

import threading

import pytest


def test_a_lock_keeps_others_out(both):
    with both.lock:
        assert both.peer.do("lock", "acquire", False) is False
        assert both.peer.do("lock", "acquire", True, 0.02) is False
        assert both.peer.do("lock", "__repr__") == "<Lock(owner=SomeOtherProcess)>"
        both.peer.begin("lock", "acquire")
        assert both.peer.is_busy()
    assert both.peer.result() is True
    assert both.lock.acquire(False) is False
    assert repr(both.lock) == "<Lock(owner=SomeOtherProcess)>"
    both.peer.do("lock", "release")
    assert repr(both.lock) == "<Lock(owner=None)>"


def test_another_process_may_release_a_lock(both):
    both.lock.acquire()
    both.peer.do("lock", "release")
    assert both.lock.acquire(False) is True
    both.lock.release()
    both.peer.do("lock", "acquire")
    both.lock.release()
    with pytest.raises(ValueError):
        both.peer.do("lock", "release")


def test_a_recursive_lock_keeps_others_out(both):
    with both.rlock, both.rlock:
        assert both.peer.do("rlock", "acquire", False) is False
        with pytest.raises(AssertionError):
            both.peer.do("rlock", "release")
        assert both.peer.do("rlock", "__repr__") == "<RLock(SomeOtherProcess, nonzero)>"
    assert both.peer.do("rlock", "acquire") and both.peer.do("rlock", "acquire")
    assert both.rlock.acquire(True, 0.02) is False
    with pytest.raises(AssertionError):
        both.rlock.release()
    both.peer.do("rlock", "release")
    assert both.rlock.acquire(False) is False
    both.peer.do("rlock", "release")
    assert both.rlock.acquire(False) is True
    both.rlock.release()


@pytest.mark.parametrize("guard", ["lock", "rlock", "condition"])
def test_nothing_is_lost_under_a_lock(both, guard):
    both.number.value = 0
    both.peer.begin("in_turns", "add", guard, "number", 500)
    for _ in range(500):
        with both.objects[guard]:
            both.number.value += 1
    both.peer.result()
    assert both.number.value == 1000


def test_permits_are_counted_together(both):
    semaphore = both.semaphore
    semaphore.acquire()
    assert both.peer.do("semaphore", "get_value") == 1
    assert both.peer.do("semaphore", "acquire") is True
    assert semaphore.acquire(False) is False
    both.peer.begin("semaphore", "acquire")
    assert both.peer.is_busy()
    semaphore.release()
    assert both.peer.result() is True
    semaphore.release()  # of the other one's
    both.peer.do("semaphore", "release")
    assert repr(semaphore) == "<Semaphore(value=2)>"


def test_the_bound_is_one_for_all(both):
    with both.bounded:
        both.peer.do("bounded", "release")
        with pytest.raises(ValueError):
            both.bounded.release()
        assert both.peer.do("bounded", "__repr__") == "<BoundedSemaphore(value=2, maxvalue=2)>"
        both.peer.do("bounded", "acquire")


@pytest.mark.parametrize("name", ["condition", "under_lock"])
def test_a_condition_between_processes(both, name):
    condition = both.objects[name]
    both.number.value = 0
    both.peer.begin("in_turns", "wait_in", name, 60)
    while both.peer.is_busy(0.01):
        with condition:
            condition.notify()
    assert both.peer.result() == (True, 1)
    with condition:
        both.peer.begin("in_turns", "notify", name)
        assert condition.wait(60) is True
    assert both.peer.result() is True
    with pytest.raises(AssertionError):
        both.peer.do(name, "notify")


def test_a_condition_lets_go_wholly_for_others(both):
    both.condition.acquire()
    with both.condition:
        both.peer.begin("in_turns", "notify", "condition")
        assert both.condition.wait(60) is True
        assert both.peer.result() is True
        assert both.peer.do("condition", "acquire", False) is False
    both.condition.release()
    assert both.peer.do("in_turns", "wait_in", "condition", 0.01, deep=2) == (False, 2)


def test_an_event_between_processes(both):
    both.peer.begin("event", "wait")
    assert both.peer.is_busy()
    both.event.set()
    assert both.peer.result() is True
    assert both.peer.do("event", "is_set") is True
    both.peer.do("event", "clear")
    assert both.event.is_set() is False
    assert both.peer.do("event", "wait", 0.01) is False
    both.peer.do("event", "set")
    assert both.event.wait(60) is True
    both.event.clear()


def test_a_barrier_between_processes(both):
    both.peer.begin("in_turns", "through", "barrier", 10)
    mine = [both.barrier.wait(60) for _ in range(10)]
    assert [sum(pair) for pair in zip(mine, both.peer.result())] == [1] * 10
    both.peer.begin("barrier", "wait")
    both.barrier.abort()
    with pytest.raises(threading.BrokenBarrierError):
        both.peer.result()
    both.barrier.reset()
