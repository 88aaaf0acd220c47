"""What theirs cannot: sent anywhere, sound after a kill, classes, and beside the rest of theirs."""

import concurrent.futures
import copy
import gc
import multiprocessing
import os
import pickle
import pkgutil
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from importlib import import_module
from pathlib import Path

import atoll
import atoll.multiprocessing as mp
import pytest
from actors import Peer, act, nothing, work_in_pool

METHODS = ["fork", "spawn", "forkserver"]

MAKERS = {
    "Lock": mp.Lock,
    "RLock": mp.RLock,
    "Semaphore": lambda: mp.Semaphore(2),
    "BoundedSemaphore": lambda: mp.BoundedSemaphore(2),
    "BoundedSemaphore(0)": lambda: mp.BoundedSemaphore(0),
    "Semaphore(tracked)": lambda: mp.Semaphore(2, tracked=True),
    "Condition": mp.Condition,
    "Condition(Lock)": lambda: mp.Condition(mp.Lock()),
    "Condition(Semaphore)": lambda: mp.Condition(mp.Semaphore(1)),
    "Event": mp.Event,
    "Barrier": lambda: mp.Barrier(2, act, 60),
}


@pytest.fixture(params=MAKERS)
def one(request):
    return MAKERS[request.param]()


# --- classes -------------------------------------------------------------------------------------


def test_they_are_classes_everywhere():
    for name in (*mp.synchronize.__all__, "Barrier"):
        kind = getattr(mp, name)
        assert isinstance(kind, type)
        assert kind.__module__ == "atoll.multiprocessing.synchronize"
        assert getattr(mp.synchronize, name) is kind
        for method in METHODS:
            assert getattr(mp.get_context(method), name) is kind
        arguments = (2,) if name == "Barrier" else ()
        assert isinstance(kind(*arguments, ctx=mp.get_context("spawn")), kind)
        assert isinstance(kind(*arguments, ctx=None), kind)


def test_a_condition_has_the_lock_that_it_is_given():
    with pytest.raises(TypeError):
        mp.Condition(lock=5)
    assert isinstance(mp.Condition()._lock, mp.RLock)


def test_semaphores_of_permits_that_belong_to_processes():
    semaphore = mp.Semaphore(2, tracked=True)
    with pytest.raises(ValueError):
        semaphore.release()
    with pytest.raises(ValueError):
        mp.Semaphore(0, tracked=True)
    with pytest.raises(ValueError):
        mp.Semaphore(4097, tracked=True)


# --- sent ----------------------------------------------------------------------------------------


def test_a_pickle_leads_to_the_same(one):
    again = pickle.loads(pickle.dumps(one))
    assert type(again) is type(one)
    if isinstance(one, mp.Event):
        one.set()
        assert again.is_set()
    elif isinstance(one, mp.Barrier):
        assert again.parties == 2
        one.abort()
        assert again.broken
    elif isinstance(one, mp.Condition):
        with one:
            assert again._lock.locked()
    elif one.acquire(False):
        assert again._get_value() == one._get_value()
        one.release()


def test_a_copy_is_the_same():
    event = mp.Event()
    copy.copy(event).set()
    assert event.is_set()


@pytest.mark.parametrize("method", METHODS)
def test_pools_executors_and_queues(method):
    """All of it with few processes, which take long to start."""
    context = mp.get_context(method)
    lock = mp.Lock()
    with context.Pool(1) as pool:
        assert pool.map(work_in_pool, [(lock, number) for number in range(3)]) == [0, 1, 2]
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as executor:
        assert executor.submit(work_in_pool, (mp.RLock(), 5)).result(60) == 5
        waiting, to_be_set = mp.Event(), mp.Event()
        future = executor.submit(say_and_wait, waiting, to_be_set)
        assert waiting.wait(60) and not future.done()
        to_be_set.set()
        assert future.result(60) is True


def say_and_wait(one, other):
    one.set()
    return other.wait(60)


def test_through_a_queue_of_theirs():
    sent = mp.Queue()
    event = mp.Event()
    sent.put((event, mp.Condition(), mp.Barrier(1)))
    received, condition, barrier = sent.get(timeout=60)
    received.set()
    assert event.is_set() and barrier.wait() == 0
    with condition:
        condition.notify()
    sent.close()
    sent.join_thread()


def test_what_theirs_make_of_ours():
    """An executor gives its own queues our context, and they look into our semaphores."""
    full = multiprocessing.queues.Queue(1, ctx=mp.get_context("spawn"))
    assert isinstance(full._sem, mp.BoundedSemaphore)
    full.put(1)
    assert full.full() and full.qsize() == 1
    with pytest.raises(queue.Full):
        full.put(2, timeout=0.01)
    assert full.get(timeout=60) == 1 and full.empty()
    full.close()
    full.join_thread()
    joinable = multiprocessing.queues.JoinableQueue(ctx=mp.get_context("fork"))
    joinable.put(1)
    joinable.get(timeout=60)
    joinable.task_done()
    joinable.join()
    with pytest.raises(ValueError):
        joinable.task_done()
    joinable.close()
    joinable.join_thread()


def test_a_fork_has_acquired_nothing():
    lock, semaphore = mp.Lock(), mp.Semaphore(1)
    with lock, semaphore:
        pid = os.fork()
        if not pid:
            os._exit(lock._is_mine() or semaphore._is_mine() or semaphore._count())
        assert os.waitpid(pid, 0)[1] == 0
        assert lock._is_mine() and semaphore._is_mine()


def test_the_program_of_the_page(tmp_path):
    page = Path(atoll.__file__).parents[2] / "docs" / "multiprocessing.md"
    [program] = re.findall("```python\n(.*?)```", page.read_text(), re.S)
    (tmp_path / "program.py").write_text(program)
    environment = {**os.environ, "PYTHONPATH": str(Path(atoll.__file__).parents[1])}
    subprocess.run([sys.executable, tmp_path / "program.py"], check=True, env=environment)


# --- killed --------------------------------------------------------------------------------------


@pytest.fixture
def peer():
    """Makes another process, which is killed if it has not been by then."""
    made = []

    def make(**objects):
        made.append(Peer(mp.get_context("fork"), objects))
        return made[-1]

    yield make
    for each in made:
        each.process.kill()
        each.process.join()


def kill(peer):
    os.kill(peer.pid, signal.SIGKILL)
    peer.process.join()


@pytest.mark.parametrize("kind", [mp.Lock, mp.RLock])
@pytest.mark.parametrize("acquire", ["acquire", "with", "try", "timeout"])
def test_the_next_one_is_told_whose_lock_it_was(peer, kind, acquire):
    lock = kind()
    other = peer(lock=lock)
    other.do("lock", "acquire")
    assert lock.owner_died is None and lock.owner().pid == other.pid
    kill(other)
    assert not lock.locked()
    if acquire == "with":
        with lock:
            assert lock.owner_died.pid == other.pid
    else:
        arguments = {"try": (False,), "timeout": (True, 60), "acquire": ()}[acquire]
        assert lock.acquire(*arguments) is True
        assert lock.owner_died.pid == other.pid
        lock.release()
    assert lock.owner_died.pid == other.pid  # until somebody says that all is well
    lock.mark_consistent()
    with lock:
        assert lock.owner_died is None


@pytest.mark.parametrize("kind", [mp.Lock, mp.RLock])
def test_who_waits_while_the_owner_dies(peer, thread, kind):
    lock = kind()
    other = peer(lock=lock)
    other.do("lock", "acquire")

    def wait():
        lock.acquire()
        lock.release()
        return lock.owner_died.pid

    waiting = thread(wait)
    time.sleep(0.1)
    assert waiting.is_busy()
    kill(other)
    assert waiting() == other.pid


def test_one_who_ends_with_a_lock_is_as_dead(peer):
    lock = mp.Lock()
    other = peer(lock=lock)
    other.do("lock", "acquire")
    other.leave()
    assert lock.acquire(True, 60)
    assert lock.owner_died.pid == other.pid
    lock.release()


def test_release_of_what_a_dead_process_held_is_no_error(peer):
    lock = mp.Lock()
    other = peer(lock=lock)
    other.do("lock", "acquire")
    kill(other)
    lock.release()
    with lock:
        assert lock.owner_died is None
    with pytest.raises(ValueError):
        lock.release()


def test_permits_of_the_dead_are_free_again(peer):
    semaphore = mp.BoundedSemaphore(2, tracked=True)
    other = peer(semaphore=semaphore)
    other.do("semaphore", "acquire")
    other.do("semaphore", "acquire")
    assert semaphore.acquire(False) is False
    kill(other)
    assert semaphore.acquire() and semaphore.acquire()
    semaphore.release()
    semaphore.release()


@pytest.mark.parametrize("kind", [mp.Lock, mp.RLock])
def test_the_lock_of_a_condition_is_taken_back_from_the_dead(peer, thread, kind):
    condition = mp.Condition(kind())
    other = peer(condition=condition)

    def wait():
        with condition:
            waiting.append(None)
            return condition.wait(60), condition._lock._count()

    waiting = []
    result = thread(wait)
    while not waiting:
        time.sleep(0.01)
    other.do("condition", "acquire")
    other.do("condition", "notify")
    kill(other)
    assert result() == (True, 1)
    assert condition._lock.owner_died.pid == other.pid


def test_dead_waiters_are_not_waited_for(peer):
    condition, event, barrier = mp.Condition(), mp.Event(), mp.Barrier(3)
    others = [peer(condition=condition, event=event, barrier=barrier) for _ in range(3)]
    others[0].begin("in_turns", "wait_in", "condition")
    others[1].begin("event", "wait")
    others[2].begin("barrier", "wait")
    while not barrier.n_waiting:
        time.sleep(0.01)
    assert all(other.is_busy() for other in others)
    for other in others:
        kill(other)
    with condition:
        condition.notify_all()
    event.set()
    with pytest.raises(threading.BrokenBarrierError) as broken:
        barrier.wait()
    assert broken.value.pid == others[2].pid


# --- the rest of theirs --------------------------------------------------------------------------


def test_everything_else_is_theirs():
    ours = {"get_context", "Barrier", *mp.synchronize.__all__}
    assert mp.__all__ == multiprocessing.__all__
    for name in {*multiprocessing.__all__} - ours:
        assert getattr(mp, name) == getattr(multiprocessing, name), name
    assert mp.SUBDEBUG == multiprocessing.SUBDEBUG
    assert {*multiprocessing.__all__} <= {*dir(mp)}
    with pytest.raises(AttributeError):
        mp.nothing_of_that_name
    names = {}
    exec("from atoll.multiprocessing import *", names)
    assert names["Lock"] is mp.Lock and names["Process"] is multiprocessing.Process


def test_submodules():
    ours = {"context", "synchronize"}
    for module in pkgutil.iter_modules(multiprocessing.__path__):
        if module.name in ours or module.name.startswith("popen_"):
            continue
        theirs = import_module(f"multiprocessing.{module.name}")
        assert import_module(f"atoll.multiprocessing.{module.name}") is theirs, module.name
    import atoll.multiprocessing.pool as pool

    assert pool is multiprocessing.pool is mp.pool
    for name in ("ForkContext", "BaseContext", "Process", "TimeoutError", "assert_spawning"):
        assert getattr(mp.context, name)
    for name in ("SemLock", "RECURSIVE_MUTEX", "SEMAPHORE", "SEM_VALUE_MAX", *mp.synchronize.__all__):
        assert getattr(mp.synchronize, name) is not None


@pytest.mark.parametrize("method", METHODS)
def test_contexts(method):
    context, theirs = mp.get_context(method), multiprocessing.get_context(method)
    assert isinstance(context, type(theirs))
    assert context is mp.get_context(method) is context.get_context()
    assert context.get_start_method() == method
    assert context.Process is theirs.Process
    assert {name for name in dir(theirs) if name[0] != "_"} <= set(dir(context))
    assert context.reducer is theirs.reducer
    assert context.get_context("fork") is mp.get_context("fork")
    with pytest.raises(ValueError):
        context.set_start_method("fork")
    with pytest.raises(ValueError):
        mp.get_context("nothing")
    for made in (context.Queue(2), context.SimpleQueue(), context.JoinableQueue()):
        assert type(made) is getattr(multiprocessing.queues, type(made).__name__)
        made.close()
    assert context.Value("i", 5).value == 5 and list(context.Array("i", 2)) == [0, 0]


def test_the_start_method_is_one_for_both():
    code = """
import multiprocessing
import atoll.multiprocessing as mp
mp.set_start_method("forkserver")
assert multiprocessing.get_start_method() == mp.get_context().get_start_method() == "forkserver"
multiprocessing.set_start_method("spawn", force=True)
assert mp.get_start_method() == mp.get_context().get_start_method() == "spawn"
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(atoll.__file__).parents[1])}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


def test_a_start_of_each_kind():
    """By the module's own Process, under whatever method is usual."""
    process = mp.Process(target=nothing)
    process.start()
    process.join()
    assert process.exitcode == 0
    assert mp.active_children() is not None


# --- kept by nobody ------------------------------------------------------------------------------


def test_objects_go_when_nobody_has_them():
    from atoll._home import home

    mp.Lock()
    gc.collect()
    before = home().stat().objects
    for make in MAKERS.values():
        make()
    gc.collect()
    assert home().stat().objects == before


def test_ours_beside_native_ones():
    assert isinstance(mp.Event(), atoll.Event)
    assert isinstance(mp.Condition(), atoll.Condition)
    with pytest.raises(TypeError):
        mp.Event("segment", "name")


def test_waited_for_among_other_things():
    event, semaphore = mp.Event(), mp.Semaphore(0)
    assert atoll.wait([event, semaphore], 0) == []
    semaphore.release()
    assert atoll.wait([event, semaphore], 60) == [semaphore]
    event.set()
    assert atoll.wait([event, semaphore], 60) == [event, semaphore]
