import contextlib
import os
import pickle
import threading
import time

import atoll
import pytest
from support import Child, is_mapped, path, run

BOTH = pytest.mark.parametrize("kind", [atoll.Lock, atoll.RLock])


@BOTH
def test_acquire_and_release(segment, kind):
    lock = kind(segment, "l")
    assert lock.acquire() is True
    assert lock.locked()
    lock.release()
    assert not lock.locked()
    with lock as entered:
        assert entered is True and lock.locked()
    assert lock.owner() is None


@BOTH
def test_the_end_of_with_lets_exceptions_pass(segment, kind):
    lock = kind(segment, "l")
    with pytest.raises(KeyError), lock:
        raise KeyError("mine")
    assert not lock.locked()
    with contextlib.ExitStack() as stack:
        stack.enter_context(lock)
        assert lock.locked()
    assert not lock.locked()


@BOTH
def test_the_owner_is_this_thread(segment, kind):
    lock = kind(segment, "l")
    with lock:
        owner = lock.owner()
        assert owner.pid == __import__("os").getpid()
        assert owner.tid == threading.get_native_id()
        assert owner.alive and not owner.owner_died and owner.name
        assert f"process {owner.pid}" in repr(lock)
    assert "free" in repr(lock)


@BOTH
def test_another_thread_waits_its_turn(segment, kind):
    lock = kind(segment, "l")
    events = []

    def other():
        with lock:
            events.append("other")

    with lock:
        thread = threading.Thread(target=other)
        thread.start()
        time.sleep(0.3)  # longer than a slice, so that the wait begins anew
        events.append("mine")
    thread.join()
    assert events == ["mine", "other"]


@BOTH
@pytest.mark.parametrize(
    "how", [dict(block=False), dict(timeout=0), dict(timeout=-1), dict(block=False, timeout=60)]
)
def test_to_try_once(segment, kind, how):
    lock = kind(segment, "l")
    outcome = []
    with lock:
        thread = threading.Thread(target=lambda: outcome.append(lock.acquire(**how)))
        thread.start()
        thread.join()
    assert outcome == [False]
    assert lock.acquire(**how) is True
    lock.release()


def test_a_timeout_is_waited_out(segment):
    lock = atoll.Lock(segment, "l")
    taken, done = threading.Event(), threading.Event()

    def holder():
        with lock:
            taken.set()
            done.wait()

    thread = threading.Thread(target=holder)
    thread.start()
    taken.wait()
    for timeout in (0.05, 0.25):
        before = time.monotonic()
        assert lock.acquire(timeout=timeout) is False
        assert time.monotonic() - before >= timeout
    done.set()
    thread.join()
    assert lock.acquire(timeout=1e300) is True
    lock.release()
    assert lock.acquire(timeout=float("inf")) is True
    lock.release()


def test_a_plain_lock_knows_its_own_holder(segment):
    lock = atoll.Lock(segment, "l")
    with lock:
        with pytest.raises(atoll.Deadlock):
            lock.acquire()
        with pytest.raises(RuntimeError):
            lock.acquire(timeout=1)
        assert lock.acquire(block=False) is False
        assert lock.acquire(timeout=-1) is False
        assert lock.locked()


def test_a_recursive_lock_counts(segment):
    lock = atoll.RLock(segment, "l")
    for _ in range(3):
        lock.acquire()
    for _ in range(3):
        assert lock.locked()
        lock.release()
    assert not lock.locked()


@BOTH
def test_only_the_holder_releases(segment, kind):
    lock = kind(segment, "l")
    with pytest.raises(atoll.NotOwner):
        lock.release()
    with pytest.raises(RuntimeError):
        lock.__exit__(None, None, None)
    caught = []

    def other():
        try:
            lock.release()
        except atoll.NotOwner as error:
            caught.append(error)

    with lock:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert lock.locked()
    assert len(caught) == 1


@BOTH
def test_two_handles_are_one_lock(segment, kind):
    one, two = kind(segment, "l"), kind(segment, "l", create=False)
    with one:
        assert two.locked()
        assert two.owner() == one.owner()
    one.acquire()
    two.release()
    assert not one.locked()


def test_anonymous_locks_are_different_locks(segment):
    one, two = atoll.Lock(segment), atoll.Lock(segment)
    assert one.name is None and "anonymous" in repr(one)
    with one, two:
        assert one.locked() and two.locked()


@BOTH
def test_a_thread_that_ends_holding_is_a_dead_owner(segment, kind):
    lock = kind(segment, "l")
    thread = threading.Thread(target=lock.acquire)
    thread.start()
    thread.join()
    with pytest.raises(atoll.OwnerDied):
        lock.acquire()


@BOTH
def test_exclusion_among_threads_and_processes(segment, kind):
    lock = kind(segment, "l")
    array = atoll.Array(segment, "a", "i64", 1)
    code = f"""
        import threading
        lock, array = atoll.{kind.__name__}(segment, "l"), atoll.Array(segment, "a", "i64")
        def work():
            for _ in range(500):
                with lock:
                    array[0] = array[0] + 1
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
    """
    with Child(code, segment) as one, Child(code, segment) as two:
        for _ in range(500):
            with lock:
                array[0] += 1
        one.finish()
        two.finish()
    assert array[0] == 7 * 500


@BOTH
def test_closed_locks_say_so(segment, kind):
    lock = kind(segment, "l")
    lock.close()
    lock.close()
    assert lock.closed and "closed" in repr(lock)
    uses = [
        lock.acquire, lock.__enter__, lock.release, lock.owner, lock.locked,
        lock.mark_consistent, lock.recovering().__enter__, lambda: lock.owner_died,
    ]  # fmt: skip
    for use in uses:
        with pytest.raises(atoll.Closed):
            use()
    with kind(segment, "l", create=False) as held:
        assert held


def test_close_does_not_release(segment):
    lock = atoll.Lock(segment, "l")
    lock.acquire()
    lock.close()
    again = atoll.Lock(segment, "l")
    assert again.locked()
    again.release()


@BOTH
def test_pickles_by_name(segment, kind):
    lock = kind(segment, "l")
    copy = pickle.loads(pickle.dumps(lock))
    assert type(copy) is kind and copy.name == "l"
    with lock:
        assert copy.locked()


def test_kinds_are_not_mixed_up(segment):
    atoll.Lock(segment, "plain")
    atoll.RLock(segment, "recursive")
    for kind, name in ((atoll.RLock, "plain"), (atoll.Lock, "recursive")):
        with pytest.raises(atoll.WrongKind) as caught:
            kind(segment, name)
        assert "recursive" in str(caught.value)


def test_waiting_lets_other_threads_run(segment):
    lock = atoll.Lock(segment, "l")
    with Child("atoll.Lock(segment, 'l').acquire(); say('in'); hang()", segment) as holder:
        holder.expect("in")
        thread = threading.Thread(target=lambda: lock.acquire(timeout=1))
        thread.start()
        turns = 0
        while thread.is_alive():
            time.sleep(0.001)
            turns += 1
        thread.join()
    # Had the wait kept the interpreter's lock, there would have been one turn a slice.
    assert turns > 30


def test_waiters_of_other_processes_are_woken(segment):
    lock = atoll.Lock(segment, "l")
    lock.acquire()
    code = """
        lock = atoll.Lock(segment, "l")
        say("waiting")
        with lock: say("mine")
    """
    with Child(code, segment) as waiter:
        waiter.expect("waiting")
        time.sleep(0.15)
        lock.release()
        waiter.expect("mine")
        waiter.finish()


def test_a_good_end_leaves_no_noise(segment):
    code = """
        lock = atoll.RLock(segment, "l")
        value = atoll.Value(segment, "v", "i64")
        view = atoll.Array(segment, "a", "i64", 10).view()
        atoll.Lock(segment, "cycle")
        loop = [lock, value, view]
        loop.append(loop)
        import atexit
        atexit.register(lambda: view[0])
        with lock: value.add(1)
    """
    assert run(code, segment) == ""


@BOTH
def test_that_a_lock_is_free_is_seen_without_a_call(segment, kind, monkeypatch):
    lock = kind(segment, "l")
    with lock:
        assert lock.locked()
    monkeypatch.setattr(kind, "owner", None)
    assert lock.locked() is False
    with lock, pytest.raises(TypeError):
        lock.locked()  # asks whether its owner lives


@BOTH
def test_a_look_at_a_lock_keeps_nothing_open(segment, kind):
    inode = os.stat(path(segment)).st_ino
    lock = kind(segment, "l")
    assert not lock.locked()
    segment.close()
    assert is_mapped(inode)
    lock.close()
    assert not is_mapped(inode)
    with pytest.raises(atoll.Closed):
        lock.locked()
