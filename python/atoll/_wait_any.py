"""To wait for any of several things, in one segment or in several.

It takes nothing, so what an exception ends has lost nothing. Only to wait for a `Condition`
is to be in its queue: a waiter is there for the call, and if that was notified and the call
does not come to say so, the notification goes on to the next.
"""

from __future__ import annotations

from ctypes import byref, c_uint64

from . import _abi
from ._condition import Condition
from ._errors import WrongKind, failure
from ._event import Event
from ._native import patient
from ._polled import Ready
from ._segment import Segment
from ._typing import TYPE_CHECKING, overload
from ._wait import deadline_after
from ._wait import wait as wait_in_pieces
from ._waiter import Waiter

if TYPE_CHECKING:
    from typing import Any, Iterable, List, Sequence, TypeVar, Union

    from ._latch import Latch
    from ._ring_end import RingEnd
    from ._semaphore import Semaphore
    from ._wait import Deadline

    Waitable = Union[Event, Latch, Semaphore, Condition, RingEnd, Waiter, Segment]
    OfOneKind = TypeVar("OfOneKind", Event, Latch, Semaphore, Condition, RingEnd, Waiter, Segment)


@overload
def wait(objects: Iterable[OfOneKind], timeout: float | None = None) -> List[OfOneKind]: ...


@overload  # of mixed kinds, which mypy thinks the first takes, and then refuses there
def wait(  # type: ignore[overload-cannot-match]
    objects: Iterable[Waitable], timeout: float | None = None
) -> List[Waitable]: ...


def wait(objects: Iterable[Any], timeout: float | None = None) -> List[Any]:
    """Wait until something is ready; returns all that is, in the order given. If the time was
    up first that is nothing.

    `objects` are 1 to 64 of `Event`, `Latch`, `Semaphore`, `Condition`, `Waiter` and `Segment`,
    and ends of rings, `ring.readable` and `ring.writable`. Nothing is taken: a permit that a
    semaphore has may be somebody else's a moment later, so acquire with `block=False`, and wait
    again. An event is also ready if it was set meanwhile and cleared again. A segment is ready
    if a process has died in it since it was opened here, or since `wait` last returned it;
    `wait_death` knows who.

    A condition is ready if this call was notified. Its lock is left alone and must not be held;
    who has to look at something under it first makes a `condition.waiter()` there.
    """
    things = list(objects)
    deadline = deadline_after(timeout)
    parts: List[_Part] = []
    try:
        parts.extend(map(_part, things))
        said = _wait(parts, deadline)
        return [
            thing
            for place, (thing, part) in enumerate(zip(things, parts))
            if part.settle(bool(said >> place & 1))
        ]
    except BaseException:
        for part in parts:
            part.undo()
        raise


def wait_for_one(source: Ready, deadline: Deadline) -> bool:
    """Wait for one thing; whether it is ready."""
    return bool(_wait([_part(source)], deadline))


def _wait(parts: Sequence[_Part], deadline: Deadline) -> int:
    """Which are ready, as bits."""
    waitables = (_abi.atoll_waitable * len(parts))(
        *(_abi.atoll_waitable(part.source._address(), part.seen) for part in parts)
    )
    # What is waited for stays open for the call, whoever closes it meanwhile.
    kept = [part.source._handle for part in parts]
    ready = c_uint64()
    status = wait_in_pieces(
        lambda timeout_ns: patient.atoll_wait_any(
            waitables, len(kept), timeout_ns, byref(ready)
        ),
        deadline,
    )
    if status not in (_abi.OK, _abi.TIMED_OUT):
        raise failure(status)
    return ready.value


class _Part:
    """One thing that is waited for."""

    #: For the library: what happened before is no news.
    seen = 0

    def __init__(self, source: Any) -> None:
        self.source = source

    def settle(self, said: bool) -> bool:
        """Whether it is ready, now that the wait is over and has said so, or not."""
        return said

    def undo(self) -> None:
        """After an exception, and nobody hears whether it was ready."""


class _OfEvent(_Part):
    def __init__(self, source: Event) -> None:
        super().__init__(source)
        self.seen = 1 + source._sets()


class _OfEnd(_Part):
    def __init__(self, source: Ready) -> None:
        super().__init__(source)
        (self.seen,) = source._end


class _OfCondition(_Part):
    def __init__(self, source: Condition) -> None:
        super().__init__(source.waiter())

    def settle(self, said: bool) -> bool:
        return self.source.notified()  # type: ignore[no-any-return]

    def undo(self) -> None:
        self.source.pass_on()


class _OfSegment(_Part):
    def __init__(self, source: Segment) -> None:
        super().__init__(source)
        self.seen = source._deaths_told

    def settle(self, said: bool) -> bool:
        if said:
            self.source._deaths_told = self.source.stat().death_epoch
        return said


def _part(source: object) -> _Part:
    if isinstance(source, Event):
        return _OfEvent(source)
    if isinstance(source, Condition):
        return _OfCondition(source)
    if isinstance(source, Segment):
        return _OfSegment(source)
    if isinstance(source, Ready) and source._end:
        return _OfEnd(source)
    if isinstance(source, (Ready, Waiter)):
        return _Part(source)
    kind = type(source).__name__
    raise WrongKind(
        "what can be waited for is an Event, Latch, Semaphore, Condition, Waiter or Segment, or "
        f"`readable` or `writable` of a ring, and not {kind}"
    )
