"""A lane in Python: see src/kit/mod.rs for the lines that it reads and writes."""

import resource
import signal
import sys
from time import monotonic_ns

#: Who begins a slice so late was not given its processor in time.
LATE_NS = 20_000


def _preempted():
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw


def serve(sides, batch):
    """Works slices until the input ends. `sides` has a function for each name, which
    does as many operations as it is told: `batch` of them between looks at the clock."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print("ready", flush=True)
    for line in sys.stdin:
        name, start, end = line.split()
        work, start, end = sides[name], int(start), int(end)
        operations, before = 0, _preempted()
        now = begin = monotonic_ns()
        while begin < start:
            begin = monotonic_ns()
        while now < end:
            work(batch)
            operations += batch
            now = monotonic_ns()
        late = begin - start > LATE_NS
        print(operations, now - begin, _preempted() - before + late, flush=True)
