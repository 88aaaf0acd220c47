"""Ctrl-C in a wait, signals that end nothing, and no lock left behind by either."""

import ctypes
import os
import random
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
from support import Child, run

BOTH = pytest.mark.parametrize("kind", [atoll.Lock, atoll.RLock])


IN_TRANSACTION = """
    with atoll.transaction(atoll.Lock(segment, "l")) as tx:
        tx.store(atoll.Value(segment, "v"), b"theirs")
        say("in")
        input()
"""


@pytest.fixture
def held(segment):
    """A process that holds the lock "l" until it is told to let go."""

    def start(kind):
        code = f"""
            with atoll.{kind.__name__}(segment, "l"):
                say("in")
                input()
            say("out")
        """
        child = Child(code, segment)
        child.expect("in")
        children.append(child)
        return child

    children = []
    yield start
    for child in children:
        child.__exit__()


@BOTH
@pytest.mark.parametrize("timeout", [None, 60])
def test_ctrl_c_ends_a_wait(segment, held, kind, timeout):
    lock = kind(segment, "l")
    holder = held(kind)
    assert ended_by_ctrl_c(lambda: lock.acquire(timeout=timeout))
    assert lock.owner().pid == holder.pid
    holder.tell()
    holder.expect("out")
    with lock:
        pass
    assert lock.owner() is None


def test_ctrl_c_ends_other_waits(segment, held):
    lock = atoll.Lock(segment, "l")
    held(atoll.Lock)
    assert ended_by_ctrl_c(lock.__enter__)
    assert ended_by_ctrl_c(lock.recovering().__enter__)
    assert ended_by_ctrl_c(segment.wait_death)
    free = atoll.Lock(segment, "free")
    assert ended_by_ctrl_c(atoll.transaction(free, lock).__enter__)
    assert not free.locked()


def test_ctrl_c_ends_the_wait_of_a_store(segment):
    value = atoll.Value(segment, "v", "32s")
    with Child(IN_TRANSACTION, segment) as other:
        other.expect("in")
        with atoll.transaction(atoll.Lock(segment)) as tx:
            assert ended_by_ctrl_c(lambda: tx.store(value, b"mine"))
            other.tell()
            other.finish()
            tx.store(value, value.value[:6] + b" and mine")
    assert value.value.rstrip(b"\0") == b"theirs and mine"


def acquire(lock, value):
    lock.acquire()


def begin(lock, value):
    with atoll.transaction(lock):
        pass


def store(lock, value):
    with atoll.transaction(atoll.Lock(value._segment)) as tx:
        tx.store(value, b"mine")


@pytest.mark.parametrize("wait", [acquire, begin, store])
def test_a_signal_that_another_thread_got_is_heard(segment, handler, wait):
    lock, value = atoll.Lock(segment, "l"), atoll.Value(segment, "v", "32s")
    handler(raise_interrupt)
    with Child(IN_TRANSACTION, segment) as holder:
        holder.expect("in")
        interrupted_by_the_signal_of_another_thread(lambda: wait(lock, value))


@BOTH
@pytest.mark.skipif(sys.version_info < (3, 10), reason="3.9 listens in more places")
@pytest.mark.parametrize("way", ["acquire", "recover", "with", "recovering"])
def test_ctrl_c_right_after_the_lock_of_a_dead_owner_was_taken(segment, handler, kind, way):
    """The signal is pending when the attempt returns, and heard where Python listens next."""
    lock = kind(segment, "l")
    with Child(f"atoll.{kind.__name__}(segment, 'l').acquire(); say('in'); hang()", segment) as c:
        c.expect("in")
        c.kill()
    handler(raise_interrupt)
    kill_us = starmap(ctypes.PyDLL(None)["raise"], repeat((signal.SIGALRM,)))
    lock._attempts = map(itemgetter(0), zip(lock._attempts, kill_us))
    if way == "with" and atoll.platform_info().accelerated:
        pytest.skip("the accelerator makes its attempts itself")
    with pytest.raises(Interrupt):
        if way in ("acquire", "recover"):
            lock.acquire(recover=way == "recover")
        elif way == "with":
            lock.__enter__()
        else:
            lock.recovering().__enter__()
    assert lock.owner() is None and lock.owner_died
    assert kind(segment, "l").acquire(recover=True)
    lock.release()


def test_a_handler_that_returns_ends_nothing(segment, held, handler):
    lock = atoll.Lock(segment, "l")
    holder = held(atoll.Lock)
    calls = []
    handler(lambda *_: calls.append(time.monotonic()))
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    while len(calls) < 5:
        before = time.monotonic()
        assert lock.acquire(timeout=0.5) is False
        assert time.monotonic() - before >= 0.5
    threading.Timer(0.2, holder.tell).start()
    assert lock.acquire() is True
    lock.release()


def test_a_handler_may_use_the_library(segment, held, handler):
    lock, value = atoll.Lock(segment, "l"), atoll.Value(segment, "v", "i64")
    other = atoll.RLock(segment, "other")  # a handler may interrupt itself
    held(atoll.Lock)

    def action(*_):
        with other:
            value.add(1)

    handler(action)
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    while value.value < 5:
        assert lock.acquire(timeout=0.3) is False
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert not other.locked()


def in_with(lock):
    while True:
        with lock:
            pass


def in_try(lock):
    while True:
        lock.acquire()
        try:
            pass
        finally:
            lock.release()


def in_recovering(lock):
    while True:
        with lock.recovering():
            pass


def in_nested_with(lock):
    while True:
        with lock:
            if lock._recursive:
                with lock:
                    pass


def in_transaction(lock):
    while True:
        with atoll.transaction(lock):
            pass


@BOTH
@pytest.mark.parametrize("use", [in_with, in_try, in_nested_with, in_transaction])
def test_an_exception_from_a_handler_never_leaves_the_lock_held(segment, handler, kind, use):
    least = (3, 11) if use is in_try else (3, 10)
    if sys.version_info < least:
        pytest.skip("this Python may raise between the call that takes a lock and what follows")
    lock = kind(segment, "l")
    handler(raise_interrupt)

    def check():
        assert lock.owner() is None

    often_interrupted(lambda: use(lock), check, 1500, 20e-6, 200e-6)


@pytest.mark.skipif(sys.version_info < (3, 10), reason="as above")
def test_an_exception_from_a_handler_undoes_all_or_nothing(segment, handler):
    lock, total = atoll.Lock(segment, "l"), atoll.Value(segment, "total", "i64")
    parts = atoll.Array(segment, "parts", "i64", 20)
    handler(raise_interrupt)

    def change():
        while True:
            with atoll.transaction(lock) as tx:
                place = random.randrange(20)
                tx.modify(parts, place, place + 1)[0] += 1
                tx.store(total, total.value + 1)

    def check():
        assert sum(parts) == total.value and lock.owner() is None

    often_interrupted(change, check, 1500, 20e-6, 200e-6)
    assert total.value > 0


@pytest.mark.skipif(sys.version_info < (3, 11), reason="as above")
@BOTH
def test_an_exception_in_a_contended_wait_never_leaves_the_lock_held(segment, handler, kind):
    """The signal comes about when the holder lets go, so either may be first."""
    lock = kind(segment, "l")
    code = f"""
        import random
        lock = atoll.{kind.__name__}(segment, "l")
        say("working")
        while True:
            with lock: time.sleep(random.uniform(0, 0.002))
            time.sleep(random.uniform(0, 0.0005))
    """
    handler(raise_interrupt)
    with Child(code, segment) as other:
        other.expect("working")
        for _ in range(300):
            try:
                signal.setitimer(signal.ITIMER_REAL, random.uniform(100e-6, 2e-3))
                with lock:
                    signal.setitimer(signal.ITIMER_REAL, 0)
            except Interrupt:
                owner = lock.owner()
                assert owner is None or owner.pid == other.pid


def test_ctrl_c_kills_a_script_that_waits(segment):
    lock = atoll.Lock(segment, "l")
    with lock:
        code = """
            say("waiting")
            try: atoll.Lock(segment, "l").acquire()
            except KeyboardInterrupt: say("interrupted")
        """
        with Child(code, segment) as child:
            child.expect("waiting")
            time.sleep(0.2)
            child.process.send_signal(signal.SIGINT)
            child.expect("interrupted")
            child.finish()
    assert run("with atoll.Lock(segment, 'l'): say('free')", segment) == "free\n"
