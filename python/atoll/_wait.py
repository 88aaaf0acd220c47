"""Calls that may wait: to their deadline, and so that Ctrl-C works.

The library returns early when a signal handler ran in this thread, but the kernel
may hand a signal to another one; so no call lasts longer than a slice. Python runs
its own handlers between two calls.
"""

from __future__ import annotations

from itertools import filterfalse
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
_AGAIN: Final = frozenset((_abi.TIMED_OUT, _abi.INTERRUPTED))


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


def answers(call: Callable[[int], int], deadline: Deadline) -> Iterator[int]:
    """Repeats `call`, which takes a time-out in nanoseconds, and gives what it says at last;
    nothing, if the deadline comes first.

    For a `for` that ends with the first: Python looks for signals in `_pieces`, and so before
    a call, but not between one and the `for` that takes what it said. A loop in its place
    would not do: an exception in its jump back escapes a `try` around it, in Python 3.13.
    """
    return filterfalse(_AGAIN.__contains__, map(call, _pieces(deadline)))


def _pieces(deadline: Deadline) -> Iterator[int]:
    """Time-outs for one call after the other: the last is 0, at the deadline."""
    left = SLICE_NS
    while left > 0:
        if deadline is not None:
            left = max(0, deadline - monotonic_ns())
        yield min(left, SLICE_NS)


def wait(call: Callable[[int], int], deadline: Deadline) -> int:
    """The answer of such a call, or that the time was up."""
    return next(answers(call, deadline), _abi.TIMED_OUT)
