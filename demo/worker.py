"""A worker of the demo, in Python: takes chunks of the corpus, counts them, merges the counts.

    worker.py SEGMENT NUMBER

layout.h says what lies in the segment. README.md says why no kill can make the totals wrong; the
numbers in brackets here are those of its table.
"""

import os
import signal
import sys
import time
from contextlib import contextmanager

import numpy as np

import atoll

from layout import BYTES, CELLS, LONGEST, MERGING, NOBODY, TODO, Layout, Takeover

IN_WORD = np.zeros(256, bool)
IN_WORD[list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")] = True


class Worker:
    def __init__(self, segment, me):
        self.me = me
        self.spared = 0  # cells merged since the demo wants to kill me
        self.shared = shared = Layout(segment)
        # These are the shared memory itself, not copies of it.
        self.corpus = shared.corpus.numpy()
        self.chunks = shared.chunks.numpy()
        self.counts = shared.counts.numpy()

    def run(self):
        while True:
            ticket, chunk = self.take()
            if chunk is None:
                return
            mine = self.count(chunk)
            self.merge(chunk, mine, self.wait_turn(ticket))

    def take(self):
        """A ticket, and the chunk to do for it; None if all chunks are merged."""
        ticket = self.shared.next.add(1)  # (1)
        if ticket < len(self.chunks):
            return ticket, ticket

        # All are handed out. Those not merged yet are in work, or lost with somebody who was
        # killed. No need to know which: it does no harm to count a chunk twice, for one merges it.
        with self.transaction():
            left = np.flatnonzero(self.chunks == TODO)
        return ticket, left[0] if len(left) else None

    def count(self, chunk):
        length = -(-len(self.corpus) // len(self.chunks))
        begin = min(chunk * length, len(self.corpus))
        end = min(begin + length, len(self.corpus))
        # Where words begin and end, in turn, told by the chunk and as much behind it as matters.
        # One that reaches into the chunk belongs to an earlier one: only its end is seen here.
        reaches_in = begin > 0 and bool(IN_WORD[self.corpus[begin - 1]])
        letters = IN_WORD[self.corpus[begin : end + LONGEST]]
        edges = np.flatnonzero(np.diff(letters, prepend=reaches_in, append=False))
        starts, ends = edges[reaches_in::2], edges[reaches_in + 1 :: 2]
        lengths = np.minimum(ends - starts, LONGEST)[starts < end - begin]

        mine = np.empty(CELLS, np.uint64)
        mine[:BYTES] = np.bincount(self.corpus[begin:end], minlength=BYTES)
        mine[BYTES:] = np.bincount(lengths, minlength=LONGEST + 1)[1:]
        return mine

    def wait_turn(self, ticket):
        """Lets the worker go first that the demo wants to kill next. If this is the one, says
        after how many cells it is to stop; more than there are means later."""
        while True:
            trap = self.shared.trap.value
            if trap.worker == NOBODY or ticket < trap.ticket:
                return None
            if trap.worker == self.me:
                return trap.cells - self.spared
            time.sleep(0.001)

    def merge(self, chunk, mine, stop_after):
        """Adds my counts of a chunk to the totals, unless somebody has done so."""
        with self.transaction() as tx:  # (2)
            if self.chunks[chunk] != TODO:
                return
            tx.modify(self.shared.chunks, chunk, chunk + 1)  # (3)
            tx.modify(self.shared.counts)  # (4)
            self.chunks[chunk] = MERGING  # (5)
            self.counts[:stop_after] += mine[:stop_after]
            if stop_after is not None:
                if stop_after <= CELLS:
                    os.kill(os.getpid(), signal.SIGSTOP)  # and never comes back
                self.counts[stop_after:] += mine[stop_after:]
                self.spared += CELLS
            self.chunks[chunk] = self.me
        # (6)

    @contextmanager
    def transaction(self):
        """One under the lock. Tells the demo, if it wants to know, that it has begun."""
        with atoll.transaction(self.shared.lock) as tx:
            now = time.monotonic_ns()
            asked = self.shared.takeover.value
            if asked.worker == NOBODY:
                found = int(self.chunks[asked.chunk])
                self.shared.takeover.value = Takeover(now, asked.chunk, self.me, found)
            yield tx


if __name__ == "__main__":
    with atoll.Segment(sys.argv[1]) as segment:
        Worker(segment, int(sys.argv[2])).run()
