"""Rings for one producer and one consumer."""

from __future__ import annotations

from . import _accelerated as accelerated
from ._lanes import LaneCalls, _Lanes
from ._ring import RING_SLOTS, T
from ._typing import TYPE_CHECKING, Generic, overload

if TYPE_CHECKING:
    from typing import Any, Type

    from ._arguments import Create
    from ._ring import Waiting
    from ._segment import Segment
    from ._spec import Boolean, CStructure, Float, Integer, Spec


@accelerated.outright
class Spsc(accelerated.Ring, _Lanes[T], Generic[T]):
    """A ring for one producer and one consumer: the fastest way between two processes.

    `Spsc(segment, "name", "i64", 1024)` opens it, or makes it for 1024 records, a power of two;
    without a type it only opens it, whatever that is. For types see `Value`. `Spsc(type="i64")`
    is an anonymous one for 1024 in the home segment of this process; others get it by a pickle
    or a fork.

    Who first puts is its producer and who first gets its consumer, with that object, until it
    is closed, or gives that up by `leave`. Another one gets `NotOwner`, until then or until the
    process is dead: then it takes over, finds all that was put, and what was being put never was.

    `waiting` says how its users wait, those in other languages, too: "adaptive" looks for some
    microseconds and then sleeps, "sleep" sleeps at once, "spin" never sleeps, and is for who has
    a processor to spare."""

    __slots__ = RING_SLOTS

    _noun = "spsc"
    _calls = LaneCalls(_noun)

    # fmt: off
    @overload
    def __init__(self: Spsc[Any], segment: Segment | None = None, name: str | None = None,
                 type: None = None, capacity: int | None = None, *,
                 waiting: Waiting = "adaptive", create: Create = "open") -> None: ...
    @overload
    def __init__(self: Spsc[bool], segment: Segment | None = None, name: str | None = None,
                 type: Boolean = ..., capacity: int | None = None, *,
                 waiting: Waiting = "adaptive", create: Create = "open") -> None: ...
    @overload
    def __init__(self: Spsc[int], segment: Segment | None = None, name: str | None = None,
                 type: Integer = ..., capacity: int | None = None, *,
                 waiting: Waiting = "adaptive", create: Create = "open") -> None: ...
    @overload
    def __init__(self: Spsc[float], segment: Segment | None = None, name: str | None = None,
                 type: Float = ..., capacity: int | None = None, *,
                 waiting: Waiting = "adaptive", create: Create = "open") -> None: ...
    @overload
    def __init__(self: Spsc[CStructure], segment: Segment | None = None, name: str | None = None,
                 type: Type[CStructure] = ..., capacity: int | None = None, *,
                 waiting: Waiting = "adaptive", create: Create = "open") -> None: ...
    @overload
    def __init__(self: Spsc[Any], segment: Segment | None = None, name: str | None = None,
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
