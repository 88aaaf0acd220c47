"""Rings for many producers and many consumers."""

from __future__ import annotations

from ctypes import byref, c_uint32

from . import _accelerated as accelerated
from ._ring import RING_SLOTS, Calls, T, _Ring
from ._typing import TYPE_CHECKING, Generic, overload
from ._wait import NOW, deadline_after

if TYPE_CHECKING:
    from typing import Any, Tuple, Type

    from ._arguments import Create
    from ._ring import Waiting
    from ._segment import Segment
    from ._spec import Boolean, CStructure, Float, Integer, Spec
    from ._wait import Deadline


@accelerated.outright
class Mpmc(accelerated.Ring, _Ring[T], Generic[T]):
    """Many producers and many consumers: whoever comes first gets the next record.

    `Mpmc(segment, "name", "i64", 1024)` opens it, or makes it for 1024 records, a power of two.
    What is not said here is as for `Spsc`, but nobody has to be its producer or consumer.

    Records come out in the order in which they went in, each once. A place that somebody was
    about to fill who died is skipped. A record that somebody was about to get who died goes to
    somebody else, out of turn; `get_marked` says so."""

    __slots__ = RING_SLOTS

    _noun = "mpmc"
    _calls = Calls(_noun)
    _untold = (None,)

    # fmt: off
    @overload
    def __init__(self: Mpmc[Any], segment: Segment | None = None, name: str | None = None,
                 type: None = None, capacity: int | None = None, *,
                 waiting: Waiting = "adaptive", create: Create = "open") -> None: ...
    @overload
    def __init__(self: Mpmc[bool], segment: Segment | None = None, name: str | None = None,
                 type: Boolean = ..., capacity: int | None = None, *,
                 waiting: Waiting = "adaptive", create: Create = "open") -> None: ...
    @overload
    def __init__(self: Mpmc[int], segment: Segment | None = None, name: str | None = None,
                 type: Integer = ..., capacity: int | None = None, *,
                 waiting: Waiting = "adaptive", create: Create = "open") -> None: ...
    @overload
    def __init__(self: Mpmc[float], segment: Segment | None = None, name: str | None = None,
                 type: Float = ..., capacity: int | None = None, *,
                 waiting: Waiting = "adaptive", create: Create = "open") -> None: ...
    @overload
    def __init__(self: Mpmc[CStructure], segment: Segment | None = None, name: str | None = None,
                 type: Type[CStructure] = ..., capacity: int | None = None, *,
                 waiting: Waiting = "adaptive", create: Create = "open") -> None: ...
    @overload
    def __init__(self: Mpmc[Any], segment: Segment | None = None, name: str | None = None,
                 type: Spec | None = None, capacity: int | None = None, *,
                 waiting: Waiting = "adaptive", create: Create = "open") -> None: ...
    # fmt: on

    def __init__(
        self,
        segment: Segment | None = None,
        name: str | None = None,
        type: Any = None,
        capacity: int | None = None,
        *,
        waiting: Waiting = "adaptive",
        create: Create = "open",
    ) -> None:
        self._open(segment, name, type, capacity, None, waiting, create)

    def pop_marked(self) -> Tuple[T, int]:
        """Get a record as `pop` does, and how often it was taken over from somebody who died
        about to get it: 0 for the first time."""
        return self._get_marked(NOW)

    def get_marked(self, block: bool = True, timeout: float | None = None) -> Tuple[T, int]:
        """Get a record as `get` does, and how often it was taken over from somebody who died
        about to get it: 0 for the first time."""
        return self._get_marked(deadline_after(timeout) if block else NOW)

    def _get_marked(self, deadline: Deadline) -> Tuple[T, int]:
        times = c_uint32()
        return self._get(deadline, byref(times)), times.value
