"""py_semaphore.py uncontended: a semaphore of atoll and one of multiprocessing."""

import multiprocessing
import sys
from itertools import repeat

import atoll
from lane import need_accelerator, serve

BATCH = 50


def acquire_release(semaphore):
    def work(operations):
        for _ in repeat(None, operations):
            semaphore.acquire()
            semaphore.release()

    return work


def main(what):
    need_accelerator()
    work = {"uncontended": acquire_release}[what]
    serve({"ours": work(atoll.Semaphore()), "peer": work(multiprocessing.Semaphore())}, BATCH)


if __name__ == "__main__":
    main(*sys.argv[1:])
