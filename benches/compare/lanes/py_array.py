"""py_array.py read|slice1000: an array of atoll and one of multiprocessing."""

import multiprocessing
import sys
from itertools import repeat

import atoll
from lane import need_accelerator, serve

LENGTH = 1000


def read(array):
    def work(operations):
        for _ in repeat(None, operations):
            array[500]

    return work


def slice1000(array):
    def work(operations):
        for _ in repeat(None, operations):
            array[0:LENGTH]

    return work


def main(what):
    need_accelerator()
    work, batch = {"read": (read, 50), "slice1000": (slice1000, 2)}[what]
    ours = atoll.Array(type="i64", shape=LENGTH)
    peer = multiprocessing.Array("q", LENGTH)
    serve({"ours": work(ours), "peer": work(peer)}, batch)


if __name__ == "__main__":
    main(*sys.argv[1:])
