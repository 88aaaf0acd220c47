"""py_lock.py uncontended|with, py_lock.py contended CPU: a lock of atoll and one of multiprocessing."""

import multiprocessing
import sys
from itertools import repeat

import atoll
from lane import need_accelerator, serve, serve_in_two

BATCH = 50


def acquire_release(lock):
    def work(operations):
        for _ in repeat(None, operations):
            lock.acquire()
            lock.release()

    return work


def with_statement(lock):
    def work(operations):
        for _ in repeat(None, operations):
            with lock:
                pass

    return work


def main(what, cpu=None):
    need_accelerator()
    work = {"with": with_statement}.get(what, acquire_release)
    sides = {"ours": work(atoll.Lock()), "peer": work(multiprocessing.Lock())}
    if what == "contended":
        serve_in_two(sides, BATCH, int(cpu))
    else:
        serve(sides, BATCH)


if __name__ == "__main__":
    main(*sys.argv[1:])
