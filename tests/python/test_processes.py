"""Objects in forked and spawned processes, and on the way to them."""

import concurrent.futures
import multiprocessing
import os
import sys

import atoll
import pytest
from support import run

METHODS = pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])


def work(lock, value, array, rounds):
    for _ in range(rounds):
        with lock:
            array[0] += 1
        value.add(1)


def add_in_pool(value):
    value.add(1)
    return os.getpid()


def fail_in_pool(segment):
    atoll.Lock(segment, "nothing", create=False)


def die_in_pool(lock):
    lock.acquire()
    os._exit(1)


@METHODS
@pytest.mark.parametrize("kind", [atoll.Lock, atoll.RLock])
def test_arguments_of_processes(segment, method, kind):
    context = multiprocessing.get_context(method)
    lock, value = kind(segment, "l"), atoll.Value(segment, "v", "i64")
    array = atoll.Array(segment, "a", "i64", 4)
    processes = [context.Process(target=work, args=(lock, value, array, 200)) for _ in range(3)]
    for process in processes:
        process.start()
    work(lock, value, array, 200)
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert (array[0], value.value) == (800, 800)


@METHODS
def test_pools_and_executors(segment, method):
    context = multiprocessing.get_context(method)
    value = atoll.Value(segment, "v", "i64")
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        pids = set(pool.map(add_in_pool, [value] * 10))
        assert value.value == 10 and os.getpid() not in pids
        with pytest.raises(atoll.NotFound, match="nothing"):
            pool.submit(fail_in_pool, segment).result()


def test_a_worker_that_dies_holding_is_news(segment):
    lock = atoll.Lock(segment, "l")
    context = multiprocessing.get_context("fork")
    process = context.Process(target=die_in_pool, args=(lock,))
    process.start()
    process.join()
    with pytest.raises(atoll.OwnerDied) as caught:
        lock.acquire()
    assert caught.value.pid == process.pid


@pytest.mark.parametrize("kind", ["Lock", "RLock"])
def test_a_child_does_not_hold_what_its_parent_held(segment, kind):
    code = f"""
        lock, value = atoll.{kind}(segment, "l"), atoll.Value(segment, "v", "i64")
        array = atoll.Array(segment, "a", "i64", 2)
        view = array.view()
        lock.acquire()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            try: lock.release()
            except atoll.NotOwner: say("not the owner")
            assert lock.owner().pid == parent
            assert lock.acquire(timeout=0) is False
            value.add(1)
            view[1] = 5
            array[0] = 6
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        assert (value.value, array[0], array[1]) == (1, 6, 5)
        assert lock.owner().pid == parent
        lock.release()
    """
    assert run(code, segment) == "not the owner\n"


def test_a_child_takes_locks_of_its_own(segment):
    code = """
        lock = atoll.Lock(segment, "l")
        with lock: pass
        pid = os.fork()
        if pid == 0:
            with lock: assert lock.owner().pid == os.getpid()
            sys.exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        with lock: assert lock.owner().pid == os.getpid()
    """
    assert run(code, segment) == ""


def test_a_child_may_close_and_forget_what_it_inherited(segment):
    code = """
        import gc
        lock, value = atoll.Lock(segment, "l"), atoll.Value(segment, "v", "i64")
        view = atoll.Array(segment, "a", "i64", 2).view()
        pid = os.fork()
        if pid == 0:
            lock.close()
            del lock, value
            segment.close()
            gc.collect()
            view[0] = 1
            del view
            sys.exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        with lock: value.add(1)
        assert (view[0], value.value) == (1, 1)
        segment.verify()
    """
    assert run(code, segment) == ""


def test_fork_while_other_threads_work(segment):
    code = """
        import threading
        lock, value = atoll.Lock(segment, "l"), atoll.Value(segment, "v", "64s")
        done = threading.Event()
        def busy():
            while not done.is_set():
                with lock: value.value = b"x" * 64
        threads = [threading.Thread(target=busy) for _ in range(3)]
        for thread in threads: thread.start()
        import warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        for _ in range(30):
            pid = os.fork()
            if pid == 0:
                with lock: value.value = b"y" * 64
                os._exit(0)
            assert os.waitpid(pid, 0)[1] == 0
        done.set()
        for thread in threads: thread.join()
        segment.verify()
    """
    assert run(code, segment) == ""


def test_exec_is_the_end_of_a_holder(segment):
    lock = atoll.Lock(segment, "l")
    code = """
        atoll.Lock(segment, "l").acquire()
        os.execv(sys.executable, [sys.executable, "-c", "print('again')"])
    """
    assert run(code, segment) == "again\n"
    with pytest.raises(atoll.OwnerDied):
        lock.acquire()


@pytest.mark.skipif(sys.platform != "linux", reason="Linux only")
def test_many_processes_at_once(segment):
    value = atoll.Value(segment, "v", "i64")
    context = multiprocessing.get_context("fork")
    lock = atoll.Lock(segment, "l")
    array = atoll.Array(segment, "a", "i64", 1)
    processes = [context.Process(target=work, args=(lock, value, array, 20)) for _ in range(20)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert (value.value, array[0]) == (400, 400)
    segment.verify()
