"""Processes that are killed at any moment while they lock: by the accelerator, where it is used.

Stepping through an interpreter would take days, so chance picks the moments.
"""

import ctypes
import os
import random
import signal
import time

import atoll
import pytest

KILLS = 100
PR_SET_PDEATHSIG = 1
INSIDE, FIRST, SECOND = range(3)  # who is in the critical section, and two counts that agree


def work(lock, cells, depth):
    """Until it is killed: both counts up, again and again."""
    while True:
        try:
            with lock:
                cells[INSIDE] = os.getpid()
                for _ in range(depth):
                    lock.acquire()
                cells[FIRST] += 1
                for _ in range(depth):
                    lock.release()
                cells[SECOND] += 1
                cells[INSIDE] = 0
        except atoll.OwnerDied:
            look(lock, cells)


def start(lock, cells, depth):
    """A forked process that works. No test of this run goes on in it, whatever happens."""
    pid = os.fork()
    if pid == 0:
        try:
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            work(lock, cells, depth)
        finally:
            os._exit(1)
    return pid


def kill(pid):
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status), "the worker ended by itself"


def look(lock, cells):
    """Whether the next owner is told of a death. If not, nobody died inside."""
    with lock.recovering() as hold:
        if hold.owner_died is None:
            assert cells[INSIDE] == 0 and cells[FIRST] == cells[SECOND]
            return False
        assert 0 <= cells[FIRST] - cells[SECOND] <= 1
        cells[INSIDE], cells[SECOND] = 0, cells[FIRST]
        lock.mark_consistent()
        return True


@pytest.fixture(params=[(atoll.Lock, 0), (atoll.RLock, 0), (atoll.RLock, 2)])
def place(request, segment):
    """A lock, what it guards, and how often a worker locks it again inside."""
    kind, depth = request.param
    cells = atoll.Array(segment, "cells", "i64", 3)
    return kind(segment, "lock"), cells, depth


def test_a_death_inside_is_always_told(place):
    lock, cells, _ = place
    told = 0
    for _ in range(KILLS):
        before = cells[FIRST]
        pid = start(*place)
        while cells[FIRST] == before and os.waitpid(pid, os.WNOHANG) == (0, 0):
            time.sleep(0)
        time.sleep(random.uniform(0, 0.001))
        kill(pid)
        told += look(lock, cells)
        with lock:  # whatever the dead one counted, this gives it back
            pass
        assert not lock.locked() and lock.owner_died is None
    assert 0 < told <= KILLS


def test_the_others_go_on(place):
    lock, cells, _ = place
    workers = [start(*place) for _ in range(3)]
    for number in range(KILLS // 3):
        time.sleep(random.uniform(0, 0.002))
        victim = number % len(workers)
        kill(workers[victim])
        look(lock, cells)
        workers[victim] = start(*place)
    for pid in workers:
        kill(pid)
        look(lock, cells)
    assert cells[FIRST] == cells[SECOND] > 0
