"""Processes share data as easily as threads do: locks, values and arrays in shared
memory, used from Python, C, C++ and Rust at the same time, and still sound when one
of the processes is killed.

    import atoll

    with atoll.Segment("weather", create="open") as segment:
        lock = atoll.Lock(segment, "lock")
        runs = atoll.Value(segment, "runs", "i64")
        map = atoll.Array(segment, "map", "f64", (480, 640))
        runs.add(1)
        with lock:
            map.numpy()[:] *= 0.5
        with atoll.transaction(lock) as tx:  # all of it or nothing, whoever is killed
            tx.store(runs, 0)
            tx.modify(map, 0, 1)
            map[0] = first_row

Without a segment an object is anonymous, in a *home* segment that each process has and
that needs no care:

    done, found = atoll.Lock(), atoll.Value(type="i64")

Every object can be pickled, and so sent to other processes, as an argument or result of
multiprocessing and concurrent.futures or in any other way. Who loads the pickle gets a
handle to the same object, as does `copy`. The process that sends an anonymous object has
to live until it has been loaded.
"""

import sys as _sys

from . import _native  # noqa: F401  # first, for what it says where nothing can work
from ._abi import VERSION as __version__
from ._array import Array
from ._errors import (
    AlreadyExists,
    AtollError,
    Closed,
    Corrupted,
    Deadlock,
    Full,
    Incompatible,
    InvalidArgument,
    NoSpace,
    NotFound,
    NotOwner,
    OwnerDied,
    Permission,
    TimedOut,
    WrongKind,
    WrongSegment,
)
from ._condition import Condition
from ._event import Event
from ._latch import Latch
from ._lock import Lock, RLock
from ._owner import Owner
from ._rwlock import RWLock
from ._semaphore import BoundedSemaphore, Semaphore
from ._platform import PlatformInfo, platform_info
from ._segment import Death, ObjectInfo, Segment, SegmentInfo, gc, unlink
from ._transaction import Transaction, transaction
from ._typing import TYPE_CHECKING
from ._value import Value
from ._wait_any import wait
from ._waiter import Waiter

if TYPE_CHECKING:
    from ._barrier import Barrier, Broken
    from ._fanin import Fanin
    from ._mpmc import Mpmc
    from ._ring import Empty, NoRoom, RingInfo
    from ._ring_end import RingEnd
    from ._spsc import Spsc

from . import _workers  # noqa: F401  # for what it does when it is imported

__all__ = [
    "AlreadyExists",
    "Array",
    "AtollError",
    "Barrier",
    "BoundedSemaphore",
    "Broken",
    "Closed",
    "Condition",
    "Corrupted",
    "Deadlock",
    "Death",
    "Empty",
    "Event",
    "Fanin",
    "Full",
    "Incompatible",
    "InvalidArgument",
    "Latch",
    "Lock",
    "Mpmc",
    "NoRoom",
    "NoSpace",
    "NotFound",
    "NotOwner",
    "ObjectInfo",
    "Owner",
    "OwnerDied",
    "Permission",
    "PlatformInfo",
    "RLock",
    "RWLock",
    "RingEnd",
    "RingInfo",
    "Segment",
    "SegmentInfo",
    "Semaphore",
    "Spsc",
    "TimedOut",
    "Transaction",
    "Value",
    "Waiter",
    "WrongKind",
    "WrongSegment",
    "__version__",
    "gc",
    "platform_info",
    "transaction",
    "unlink",
    "wait",
]

# Tracebacks, help and pickles name things where users find them.
for _name in __all__:
    if _name in globals() and _name != "__version__":
        globals()[_name].__module__ = __name__
del _name

if not TYPE_CHECKING:

    #: What is imported when it is first wanted, and from where; `_barrier` and `_ring` say why.
    _LATER = {
        "Barrier": "_barrier",
        "Broken": "_barrier",
        "Empty": "_ring",
        "Fanin": "_fanin",
        "Mpmc": "_mpmc",
        "NoRoom": "_ring",
        "RingEnd": "_ring_end",
        "RingInfo": "_ring",
        "Spsc": "_spsc",
    }

    def __getattr__(name):
        if name not in _LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        __import__(f"{__name__}.{_LATER[name]}")
        # With one module come others, whose names may be in the next traceback.
        for wanted, module in _LATER.items():
            if hasattr(_sys.modules.get(f"{__name__}.{module}"), wanted):
                globals()[wanted] = found = getattr(_sys.modules[f"{__name__}.{module}"], wanted)
                found.__module__ = __name__
        return globals()[name]

    def __dir__():
        return sorted({*globals(), *__all__})
