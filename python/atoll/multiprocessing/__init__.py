"""`multiprocessing`, with objects that can be sent anywhere and survive what kills a process.

    import atoll.multiprocessing as mp

is the whole migration. `Lock`, `RLock`, `Semaphore`, `BoundedSemaphore`, `Condition`, `Event`
and `Barrier` are ours, and classes; they behave as the standard library's do, but nobody ever
waits for one who is dead. Everything else is the standard library's, and is the very same
object there and here: processes, pools, queues, start methods.

docs/multiprocessing.md has what differs, and what a kill does.
"""

from __future__ import annotations

import multiprocessing as _theirs
from multiprocessing import (
    Array as Array,
    AuthenticationError as AuthenticationError,
    BufferTooShort as BufferTooShort,
    JoinableQueue as JoinableQueue,
    Manager as Manager,
    Pipe as Pipe,
    Pool as Pool,
    Process as Process,
    ProcessError as ProcessError,
    Queue as Queue,
    RawArray as RawArray,
    RawValue as RawValue,
    SimpleQueue as SimpleQueue,
    TimeoutError as TimeoutError,
    Value as Value,
    active_children as active_children,
    allow_connection_pickling as allow_connection_pickling,
    cpu_count as cpu_count,
    current_process as current_process,
    freeze_support as freeze_support,
    get_all_start_methods as get_all_start_methods,
    get_logger as get_logger,
    get_start_method as get_start_method,
    log_to_stderr as log_to_stderr,
    parent_process as parent_process,
    reducer as reducer,
    set_executable as set_executable,
    set_forkserver_preload as set_forkserver_preload,
    set_start_method as set_start_method,
)

from .context import get_context as get_context
from .synchronize import (
    Barrier as Barrier,
    BoundedSemaphore as BoundedSemaphore,
    Condition as Condition,
    Event as Event,
    Lock as Lock,
    RLock as RLock,
    Semaphore as Semaphore,
)
from .._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

if not TYPE_CHECKING:  # for a checker it is all that stands above
    __all__ = _theirs.__all__


def __getattr__(name: str) -> Any:
    """What else the standard library has, in whatever version of Python."""
    return getattr(_theirs, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *dir(_theirs)})
