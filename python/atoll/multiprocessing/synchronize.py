"""Locks and the like, as `multiprocessing.synchronize` has them, for any process in any way.

They are pickled as anything is: as arguments of processes under each start method, of pools and
executors, and through queues. Each keyword `ctx` is taken, and makes no difference.
"""

from __future__ import annotations

from ._barrier import Barrier as Barrier
from ._condition import Condition
from ._event import Event
from ._lock import Lock
from ._rlock import RLock
from ._semaphore import BoundedSemaphore, Semaphore
from ._semlock import RECURSIVE_MUTEX as RECURSIVE_MUTEX
from ._semlock import SEM_VALUE_MAX as SEM_VALUE_MAX
from ._semlock import SEMAPHORE as SEMAPHORE
from ._semlock import SemLock as SemLock

# Without Barrier, as in the standard library.
__all__ = ["Lock", "RLock", "Semaphore", "BoundedSemaphore", "Condition", "Event"]

# Tracebacks, help and pickles name things where users find them.
for _kind in (Barrier, BoundedSemaphore, Condition, Event, Lock, RLock, SemLock, Semaphore):
    _kind.__module__ = __name__
del _kind
