"""A worker of the storm in Python: by the accelerator if there is one.

worker.py SEGMENT
"""

import ctypes
import os
import signal
import sys

import atoll

INSIDE, FIRST, SECOND = range(3)  # see layout.h
DEPTH = 2
PR_SET_PDEATHSIG = 1


def main(name):
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    segment = atoll.Segment(name)
    rows = atoll.Array(segment, "rows", "i64", (2, 3)).view()
    over = atoll.Value(segment, "over", "i64")
    plain, recursive = atoll.Lock(segment, "plain"), atoll.RLock(segment, "recursive")
    while True:
        work(plain, rows, 0, 0)
        over.add(1)
        work(recursive, rows, 1, DEPTH)
        over.add(1)


def work(lock, rows, number, depth):
    try:
        with lock:
            assert rows[number, INSIDE] == 0 and rows[number, FIRST] == rows[number, SECOND]
            count(lock, rows, number, depth)
    except atoll.OwnerDied:
        with lock.recovering() as hold:
            if hold.owner_died:
                rows[number, SECOND] = rows[number, FIRST]
                lock.mark_consistent()
            count(lock, rows, number, depth)


def count(lock, rows, number, depth):
    rows[number, INSIDE] = os.getpid()
    rows[number, FIRST] += 1
    for _ in range(depth):
        lock.acquire()
    for _ in range(depth):
        lock.release()
    assert rows[number, INSIDE] == os.getpid(), "somebody else was inside too"
    rows[number, SECOND] += 1
    rows[number, INSIDE] = 0


main(sys.argv[1])
