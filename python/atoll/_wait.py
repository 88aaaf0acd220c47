"""Calls that may wait: to their deadline, and so that Ctrl-C works.

The library returns early when a signal handler ran in this thread, but the kernel
may hand a signal to another one; so no call lasts longer than a slice. Python runs
its own handlers between two calls.
"""

from __future__ import annotations

from math import isnan
from time import monotonic_ns

from . import _abi
from ._errors import InvalidArgument, WrongKind
from ._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Callable, Final, Optional

    #: When to give up, on the monotonic clock in nanoseconds; None is never.
    Deadline = Optional[int]

SLICE_NS: Final = 100_000_000

#: Has always passed: try once.
NOW: Final = 0


def deadline_after(timeout: float | None) -> Deadline:
    """A timeout as Python means it: seconds, None for ever, 0 and less to try once."""
    if timeout is None:
        return None
    try:
        if timeout <= 0:
            return NOW
        nanoseconds = timeout * 1e9
    except TypeError:
        kind = type(timeout).__name__
        raise WrongKind(f"timeout is a number of seconds or None, not {kind}") from None
    except OverflowError:  # an int beyond all floats
        return None
    if isnan(nanoseconds):
        raise InvalidArgument("timeout is not a number (NaN): give seconds, or None for ever")
    return monotonic_ns() + int(nanoseconds) if nanoseconds < _abi.FOREVER else None


def wait(call: Callable[[int], int], deadline: Deadline) -> int:
    """Repeat `call`, which takes a time-out in nanoseconds, until it has an answer."""
    while True:
        left = SLICE_NS if deadline is None else max(0, deadline - monotonic_ns())
        status = call(min(left, SLICE_NS))
        if status == _abi.TIMED_OUT and (deadline is None or left > SLICE_NS):
            continue
        if status != _abi.INTERRUPTED:
            return status
