"""What lies in the demo's segment, as layout.h says. The coordinator makes it, workers open it."""

import ctypes

import atoll

BYTES, LONGEST = 256, 64
CELLS = BYTES + LONGEST
TODO, MERGING = 0, 255
NOBODY = 0


class Trap(ctypes.Structure):
    _fields_ = [
        ("ticket", ctypes.c_uint64),
        ("worker", ctypes.c_uint32),
        ("cells", ctypes.c_uint32),
    ]


class Takeover(ctypes.Structure):
    _fields_ = [
        ("at_ns", ctypes.c_uint64),
        ("chunk", ctypes.c_uint64),
        ("worker", ctypes.c_uint32),
        ("found", ctypes.c_uint32),
    ]


class Layout:
    """The objects of the segment. With sizes they are made, without they are opened."""

    def __init__(self, segment, corpus=None, chunks=None):
        create = corpus is not None
        self.corpus = atoll.Array(segment, "corpus", "u8", corpus, create=create)
        self.chunks = atoll.Array(segment, "chunks", "u8", chunks, create=create)
        self.counts = atoll.Array(segment, "counts", "u64", CELLS, create=create)
        self.lock = atoll.Lock(segment, "lock", create=create)
        self.next = atoll.Value(segment, "next", "u64", create=create)
        self.trap = atoll.Value(segment, "trap", Trap, create=create)
        self.takeover = atoll.Value(segment, "takeover", Takeover, create=create)
