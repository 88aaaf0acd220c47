"""py_import.py ours|peer: says how many nanoseconds an import took in this interpreter, and
how often it was taken off its processor."""

import sys
from resource import RUSAGE_SELF, getrusage
from time import monotonic_ns

is_ours = sys.argv[1] == "ours"
before = getrusage(RUSAGE_SELF).ru_nivcsw
begin = monotonic_ns()
if is_ours:
    import atoll  # noqa: F401
else:
    import multiprocessing  # noqa: F401
took = monotonic_ns() - begin
preempted = getrusage(RUSAGE_SELF).ru_nivcsw - before

# Only now: it imports what the peer does, too.
from lane import need_accelerator  # noqa: E402

if is_ours:
    need_accelerator()
print("ready")
print(took, preempted, flush=True)
