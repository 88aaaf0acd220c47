"""py_array.py read|slice1000 SEGMENT: an array of atoll and one of multiprocessing."""

import multiprocessing
import sys
from itertools import repeat

import atoll
from lane import serve

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


def main(what, segment_name):
    work, batch = {"read": (read, 50), "slice1000": (slice1000, 2)}[what]
    peer = multiprocessing.Array("q", LENGTH)
    with atoll.Segment(segment_name, create=True) as segment:
        segment.unlink()
        ours = atoll.Array(segment, "ours", "i64", LENGTH)
        serve({"ours": work(ours), "peer": work(peer)}, batch)


if __name__ == "__main__":
    main(*sys.argv[1:])
