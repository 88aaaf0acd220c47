"""py_lock.py [dropin-]uncontended|[dropin-]with, py_lock.py contended CPU: a lock of atoll, or of
atoll.multiprocessing, and one of multiprocessing."""

import multiprocessing
import sys
from itertools import repeat

import atoll
import atoll.multiprocessing
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
    work = with_statement if what.endswith("with") else acquire_release
    module = atoll.multiprocessing if what.startswith("dropin-") else atoll
    sides = {"ours": work(module.Lock()), "peer": work(multiprocessing.Lock())}
    if what == "contended":
        serve_in_two(sides, BATCH, int(cpu))
    else:
        serve(sides, BATCH)


if __name__ == "__main__":
    main(*sys.argv[1:])
