"""py_event.py is_set: an event of atoll and one of multiprocessing."""

import multiprocessing
import sys
from itertools import repeat

import atoll
from lane import need_accelerator, serve

BATCH = 50


def is_set(event):
    def work(operations):
        for _ in repeat(None, operations):
            event.is_set()

    return work


def main(what):
    need_accelerator()
    work = {"is_set": is_set}[what]
    serve({"ours": work(atoll.Event()), "peer": work(multiprocessing.Event())}, BATCH)


if __name__ == "__main__":
    main(*sys.argv[1:])
