"""Rings with a lane for each producer, and one consumer."""

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
class Fanin(accelerated.Ring, _Lanes[T], Generic[T]):
    """Many producers and one consumer: the fastest way from many to one.

    `Fanin(segment, "name", "i64", 1024, lanes=8)` opens it, or makes it for at most 8 producers,
    1 to 64, with room for 1024 records of each. What is not said here is as for `Spsc`.

    Each producer has a lane of its own, which it takes when it first puts and somebody else takes
    when it is dead, has closed it or gave it up by `leave`. Records of one producer come in
    order; between those of several there is none. To be one producer too many is `NoSpace`."""

    __slots__ = RING_SLOTS

    _noun = "fanin"
    _calls = LaneCalls(_noun)
    _usual_lanes = 8

    # fmt: off
    @overload
    def __init__(self: Fanin[Any], segment: Segment | None = None, name: str | None = None,
                 type: None = None, capacity: int | None = None, *, lanes: int | None = None,
                 waiting: Waiting = "adaptive", create: Create = "open") -> None: ...
    @overload
    def __init__(self: Fanin[bool], segment: Segment | None = None, name: str | None = None,
                 type: Boolean = ..., capacity: int | None = None, *, lanes: int | None = None,
                 waiting: Waiting = "adaptive", create: Create = "open") -> None: ...
    @overload
    def __init__(self: Fanin[int], segment: Segment | None = None, name: str | None = None,
                 type: Integer = ..., capacity: int | None = None, *, lanes: int | None = None,
                 waiting: Waiting = "adaptive", create: Create = "open") -> None: ...
    @overload
    def __init__(self: Fanin[float], segment: Segment | None = None, name: str | None = None,
                 type: Float = ..., capacity: int | None = None, *, lanes: int | None = None,
                 waiting: Waiting = "adaptive", create: Create = "open") -> None: ...
    @overload
    def __init__(self: Fanin[CStructure], segment: Segment | None = None, name: str | None = None,
                 type: Type[CStructure] = ..., capacity: int | None = None, *, lanes: int | None = None,
                 waiting: Waiting = "adaptive", create: Create = "open") -> None: ...
    @overload
    def __init__(self: Fanin[Any], segment: Segment | None = None, name: str | None = None,
                 type: Spec | None = None, capacity: int | None = None, *, lanes: int | None = None,
                 waiting: Waiting = "adaptive", create: Create = "open") -> None: ...
    # fmt: on

    def __init__(
        self,
        segment: Segment | None = None,
        name: str | None = None,
        type: Any = None,
        capacity: int | None = None,
        *,
        lanes: int | None = None,
        waiting: Waiting = "adaptive",
        create: Create = "open",
    ) -> None:
        self._open(segment, name, type, capacity, lanes, waiting, create)
