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
    from typing import Callable, Final, Iterator, Optional

    #: When to give up, on the monotonic clock in nanoseconds; None is never.
    Deadline = Optional[int]

SLICE_NS: Final = 100_000_000

#: Has always passed: try once.
NOW: Final = 0

#: Says a call whose piece of the time was up; or that a handler ran.
AGAIN: Final = frozenset((_abi.TIMED_OUT, _abi.INTERRUPTED))


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


def pieces(deadline: Deadline) -> Iterator[int]:
    """Time-outs for a call that is made again and again: the last is 0, at the deadline.

    For `map`: Python looks for signals here, and so before a call, but not between one and
    the `for` that takes what it said.
    """
    left = SLICE_NS
    while left > 0:
        if deadline is not None:
            left = max(0, deadline - monotonic_ns())
        yield min(left, SLICE_NS)


def wait(call: Callable[[int], int], deadline: Deadline) -> int:
    """Repeat `call`, which takes a time-out in nanoseconds, until it has an answer."""
    for status in map(call, pieces(deadline)):
        if status not in AGAIN:
            break
    return status
