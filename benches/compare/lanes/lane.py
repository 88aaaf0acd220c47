"""A lane in Python: see src/kit/mod.rs for the lines that it reads and writes."""

import multiprocessing
import os
import resource
import signal
import sys
from time import monotonic_ns

#: Who begins a slice so late was not given its processor in time.
LATE_NS = 20_000


def need_accelerator():
    """Ends the lane if atoll runs without its accelerator and was not told to."""
    import atoll

    if "ATOLL_PURE" not in os.environ and not atoll.platform_info().accelerated:
        print("missing the accelerator is there and not used", flush=True)
        sys.exit(0)


def _preempted():
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw


def _slice(line, sides, batch):
    """What a slice comes to; `batch` operations are done between looks at the clock."""
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
    return f"{operations} {now - begin} {_preempted() - before + late}"


def _requests():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print("ready", flush=True)
    return sys.stdin


def serve(sides, batch):
    """Works slices until the input ends. `sides` has a function for each name, which
    does as many operations as it is told."""
    for line in _requests():
        print(_slice(line, sides, batch), flush=True)


def serve_in_two(sides, batch, cpu):
    """The same in two processes: this one, and a child of it on another processor, which
    inherits what `sides` use, as locks of multiprocessing ask for."""
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(
        target=_echo, args=(ours, theirs, sides, batch, cpu)
    )
    child.start()
    theirs.close()
    for line in _requests():
        ours.send_bytes(line.encode())
        mine = _slice(line, sides, batch)
        print(mine, ours.recv_bytes().decode(), flush=True)
    ours.close()
    child.join()


def _echo(ours, theirs, sides, batch, cpu):
    ours.close()
    os.sched_setaffinity(0, {cpu})
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        while True:
            theirs.send_bytes(_slice(theirs.recv_bytes().decode(), sides, batch).encode())
    except EOFError:
        pass
