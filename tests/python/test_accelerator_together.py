"""The accelerator among threads, processes and interpreters."""

import contextlib
import os
import signal
import sys
import textwrap
import threading
import time

import atoll
import pytest
from accelerated import ACCELERATED
from support import Child


def test_threads_share_what_is_accelerated(segment):
    lock, value = atoll.RLock(segment, "l"), atoll.Value(segment, "v", "i64")
    array = atoll.Array(segment, "a", "i64", 2)

    def work():
        for _ in range(2000):
            with lock, lock:
                array[0] = array[0] + 1
            value.add(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(interval)
    assert value.value == array[0] == 8000 and not lock.locked()


def test_a_forked_child_holds_nothing_and_can_lock(segment):
    lock, value = atoll.Lock(segment, "l"), atoll.Value(segment, "v", "i64")
    lock.acquire()
    pid = os.fork()
    if pid == 0:
        try:
            with pytest.raises(atoll.NotOwner):
                lock.release()
            assert lock.acquire(False) is False
            with lock:
                value.add(1)
        except BaseException:
            os._exit(1)
        os._exit(0)
    time.sleep(0.2)
    assert value.value == 0
    lock.release()
    assert os.waitpid(pid, 0)[1] == 0
    assert value.value == 1 and not lock.locked()


def test_processes_change_values_at_the_same_time(segment):
    """Long enough to meet, now that an operation takes no time."""
    whole, real = atoll.Value(segment, "w", "u16"), atoll.Value(segment, "r", "f64")
    guarded = atoll.Array(segment, "g", "i64", (1, 1))
    rounds = 50_000 if ACCELERATED else 4_000
    code = f"""
        lock, guarded = atoll.Lock(segment, "l"), atoll.Array(segment, "g")
        whole, real = atoll.Value(segment, "w"), atoll.Value(segment, "r")
        say("ready")
        input()
        for _ in range({rounds}):
            whole.add(3)
            real.sub(0.5)
            with lock: guarded[0, 0] += 1
    """
    with Child(code, segment) as one, Child(code, segment) as two:
        for child in (one, two):
            child.expect("ready")
        one.tell(), two.tell()
        one.finish(), two.finish()
    assert whole.value == 6 * rounds % (1 << 16)
    assert (real.value, guarded[0, 0]) == (-1.0 * rounds, 2 * rounds)


class Died(Exception):
    pass


@pytest.mark.skipif(sys.version_info < (3, 10), reason="3.9 listens in more places")
def test_a_handler_that_raises_at_the_death_of_the_holder_leaves_nothing_held(segment):
    """It is called when the wait has got the lock, and before it has been settled that it has."""

    def raise_died(*_):
        raise Died

    lock = atoll.Lock(segment, "l")
    heard, before = 0, signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        for _ in range(60):
            locked, say_locked = os.pipe()
            pid = os.fork()
            if pid == 0:
                lock.acquire(recover=True)
                os.write(say_locked, b".")
                time.sleep(0.005)
                os._exit(0)
            os.read(locked, 1)
            os.close(locked), os.close(say_locked)
            try:
                signal.signal(signal.SIGCHLD, raise_died)
                with contextlib.suppress(atoll.OwnerDied), lock:
                    pass
                os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
                time.sleep(0.2)  # at times it is heard only now
            except Died:
                heard += 1
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.waitpid(pid, 0)
            assert not lock.locked()
        assert heard  # not always: a child may be gone before anybody listens
    finally:
        signal.signal(signal.SIGCHLD, before)


@pytest.mark.skipif(sys.version_info < (3, 13), reason="ctypes is for one interpreter only before")
def test_interpreters_have_accelerators_of_their_own(segment):
    interpreters = pytest.importorskip("_interpreters")
    code = f"""
        import sys
        sys.path[:0] = {sys.path!r}
        import atoll
        segment = atoll.Segment({segment.name!r})
        assert atoll.platform_info().accelerated is {ACCELERATED}
        lock, value = atoll.Lock(segment, "l"), atoll.Value(segment, "v", "i64")
        for _ in range(1000):
            with lock:
                value.value += 1
        try:
            lock.release()
        except atoll.NotOwner:
            value.add(1)
    """
    lock, value = atoll.Lock(segment, "l"), atoll.Value(segment, "v", "i64")
    for _ in range(3):
        interpreter = interpreters.create()
        problem = interpreters.exec(interpreter, textwrap.dedent(code))
        interpreters.destroy(interpreter)
        assert problem is None, problem
    with lock:
        assert value.value == 3003
