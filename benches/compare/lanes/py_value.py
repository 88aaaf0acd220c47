"""py_value.py locked_add|atomic_add: a number of atoll, and one of multiprocessing that its
own lock guards."""

import multiprocessing
import sys
from itertools import repeat

import atoll
from lane import need_accelerator, serve

BATCH = 20


def locked_add():
    lock, value = atoll.Lock(), atoll.Value(type="i64")

    def work(operations):
        for _ in repeat(None, operations):
            with lock:
                value.value += 1

    return work


def atomic_add():
    value = atoll.Value(type="i64")

    def work(operations):
        for _ in repeat(None, operations):
            value.add(1)

    return work


def peer():
    value = multiprocessing.Value("q")

    def work(operations):
        for _ in repeat(None, operations):
            with value.get_lock():
                value.value += 1

    return work


def main(what):
    need_accelerator()
    ours = {"locked_add": locked_add, "atomic_add": atomic_add}[what]
    serve({"ours": ours(), "peer": peer()}, BATCH)


if __name__ == "__main__":
    main(*sys.argv[1:])
