"""Lock and RLock in one process: what theirs do, ours do."""

import inspect
import threading

import accelerated
import pytest


@pytest.fixture(params=["Lock", "RLock"])
def lock(mp, request):
    return getattr(mp, request.param)()


def test_acquire_says_true_and_with_too(lock):
    assert lock.acquire() is True
    assert lock.release() is None
    with lock as entered:
        assert entered is True


def test_keyword_names(lock):
    assert lock.acquire(block=True, timeout=None)
    lock.release()
    assert lock.acquire(True, 0.5)
    lock.release()
    assert lock.acquire(timeout=-1)
    lock.release()
    for wrong in ({"blocking": True}, {"wait": 1}):
        with pytest.raises(TypeError):
            lock.acquire(**wrong)
    with pytest.raises(TypeError):
        lock.acquire(True, 1, 2, 3)
    assert lock.acquire(False)  # nothing of this has acquired it
    lock.release()


@accelerated.needed
def test_release_takes_nothing(lock):
    """By ctypes, more than a function takes is not looked at."""
    lock.acquire()
    with pytest.raises(TypeError):
        lock.release(1)
    lock.release()


@pytest.mark.parametrize("timeout", ["x", [], object()])
def test_a_timeout_is_a_number(lock, timeout):
    with pytest.raises(TypeError):
        lock.acquire(True, timeout)


def test_it_takes_no_positional_arguments(mp):
    for factory in (mp.Lock, mp.RLock):
        with pytest.raises(TypeError):
            factory(1)


def test_a_lock_is_not_recursive(mp):
    lock = mp.Lock()
    assert lock.acquire()
    assert lock.acquire(False) is False
    assert lock.acquire(block=False) is False
    assert lock.acquire(timeout=0) is False
    assert lock.acquire(timeout=-5) is False
    assert lock.acquire(True, 0.02) is False
    assert lock.acquire(False, 30) is False
    lock.release()
    assert lock.acquire(False) is True
    lock.release()


def test_released_too_often(mp):
    lock = mp.Lock()
    with pytest.raises(ValueError):
        lock.release()
    lock.acquire()
    lock.release()
    with pytest.raises(ValueError):
        lock.release()
    assert lock.acquire(False)
    lock.release()


def test_released_within_with(mp):
    with pytest.raises(ValueError):
        with mp.Lock() as _, mp.Lock() as _:
            raise ValueError("of the block")
    lock = mp.Lock()
    with pytest.raises(ValueError):
        with lock:
            lock.release()
    rlock = mp.RLock()
    with pytest.raises(AssertionError):
        with rlock:
            rlock.release()


def test_another_thread_may_release_a_lock(mp, thread):
    lock = mp.Lock()
    lock.acquire()
    thread(lock.release)()
    assert lock.acquire(False)
    lock.release()


def test_a_recursive_lock(mp, thread):
    lock = mp.RLock()
    for _ in range(3):
        assert lock.acquire()
    assert lock.acquire(False)
    assert lock.acquire(timeout=0)
    for _ in range(4):
        lock.release()
    assert thread(lock.acquire, False)() is False
    lock.release()
    with pytest.raises(AssertionError):
        lock.release()
    with lock, lock:
        pass
    with pytest.raises(AssertionError):
        lock.release()


def test_only_its_owner_releases_a_recursive_lock(mp, thread):
    lock = mp.RLock()
    lock.acquire()
    with pytest.raises(AssertionError):
        thread(lock.release)()
    lock.release()


def test_one_who_waits_gets_it(lock, thread):
    lock.acquire()
    other = thread(lambda: (lock.acquire(True, 60), lock.release()))
    lock.release()
    assert other() == (True, None)


def test_what_a_lock_looks_like(mp, thread):
    lock = mp.Lock()
    assert repr(lock) == "<Lock(owner=None)>"
    with lock:
        assert repr(lock) == "<Lock(owner=MainProcess)>"
        assert thread(repr, lock)() == "<Lock(owner=SomeOtherThread)>"
    assert repr(lock) == "<Lock(owner=None)>"
    named = threading.Thread(target=lambda: (lock.acquire(), seen.append(repr(lock))), name="T-1")
    seen = []
    named.start()
    named.join()
    assert seen == ["<Lock(owner=MainProcess|T-1)>"]
    assert repr(lock) == "<Lock(owner=SomeOtherThread)>"
    lock.release()


def test_what_a_recursive_lock_looks_like(mp, thread):
    lock = mp.RLock()
    assert repr(lock) == "<RLock(None, 0)>"
    with lock, lock:
        assert repr(lock) == "<RLock(MainProcess, 2)>"
        assert thread(repr, lock)() == "<RLock(SomeOtherThread, nonzero)>"
    assert repr(lock) == "<RLock(None, 0)>"


def test_subclasses_are_called_so(mp):
    class Mine(mp.synchronize.Lock):
        pass

    assert repr(Mine(ctx=mp.get_context())) == "<Mine(owner=None)>"


def test_who_has_it_as_the_standard_library_asks(mp, thread):
    for lock in (mp.Lock(), mp.RLock(), mp.Semaphore(1)):
        inner = lock._semlock
        assert (inner._count(), inner._is_mine(), inner._is_zero()) == (0, False, False)
        with lock:
            assert (inner._count(), inner._is_mine(), inner._is_zero()) == (1, True, True)
            assert inner._get_value() == 0
            assert thread(inner._is_mine)() is False
        assert (inner._count(), inner._is_mine(), inner._get_value()) == (0, False, 1)


def test_locked(mp):
    for lock in (mp.Lock(), mp.RLock(), mp.Semaphore(1)):
        if not hasattr(lock, "locked"):
            pytest.skip("they have it in Python 3.14")
        assert lock.locked() is False
        with lock:
            assert lock.locked() is True
        assert lock.locked() is False


def test_arguments_of_acquire_as_help_shows_them():
    import atoll.multiprocessing

    for kind in (atoll.multiprocessing.Lock, atoll.multiprocessing.Semaphore):
        names = list(inspect.signature(kind.acquire).parameters)
        assert names == ["self", "block", "timeout"]
