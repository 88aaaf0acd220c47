"""What all rings have in common: records go in at one end and come out at the other.

Calls that put or get keep the interpreter's lock, and so no two threads are in one at once,
which C asks of a handle. Whoever has to wait does so for the end of the ring to be ready,
without the lock, and then tries again. A wait takes nothing; so what an exception ends has
lost nothing.

The rings are imported when they are first wanted: they need `queue`, which imports `threading`.
"""

from __future__ import annotations

import queue
from ctypes import byref, c_char, c_size_t
from functools import partial
from time import monotonic_ns

from . import _abi
from ._arguments import integer, only_open
from ._errors import AtollError, Full, InvalidArgument, WrongKind, check
from ._native import bare, patient, quick
from ._object import OBJECT_SLOTS, SharedObject
from ._owning import NO_SLOTS, Closing
from ._ring_end import RingEnd
from ._ring_records import format_of, pack_one, pack_some, unpack_some
from ._spec import seen_as, stored_type, type_of
from ._types import Opaque
from ._typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar
from ._wait import NOW, deadline_after
from ._wait_any import wait_for_one

if TYPE_CHECKING:
    from typing import Any, Callable, List, Literal, Tuple, Union

    from ._arguments import Create
    from ._handle import Handle
    from ._segment import Segment
    from ._types import Type as ElementType
    from ._wait import Deadline

    EndName = Literal["producers", "consumers"]
    Waiting = Literal["adaptive", "spin", "sleep"]

T = TypeVar("T")

#: Of classes of rings; see `_owning`.
RING_SLOTS = (
    *OBJECT_SLOTS, "_capacity", "_lanes", "_readable", "_type", "_waiting", "_writable"
)  # fmt: skip

ENDS = {"producers": _abi.PRODUCERS, "consumers": _abi.CONSUMERS}
_WAITING = {"adaptive": _abi.WAIT_ADAPTIVE, "spin": _abi.WAIT_SPIN, "sleep": _abi.WAIT_SLEEP}
_WAITING_NAMES = {number: name for name, number in _WAITING.items()}

_CAPACITY = 1024
_MOST_CAPACITY = (1 << 63) - 1
_MOST_LANES = (1 << 32) - 1


class Empty(AtollError, queue.Empty):
    """There is nothing in the ring, or nothing came in the time given."""

    status = _abi.EMPTY


class NoRoom(Full, queue.Full):
    """The ring is full, or no room came in the time given: the `Full` of rings."""


class RingInfo(NamedTuple):
    """What a ring is, and what has gone through it. Counts are those of one moment.

    `length` records are in it. `redelivered` went to somebody else because who was about to
    get them died, `skipped` places are those of who died about to fill them. `high_water` is
    the most that were found in it, or in one lane of it. `ended` are the ends that are closed.
    """

    type: Any
    capacity: int
    lanes: int
    waiting: str
    length: int
    pushed: int
    popped: int
    redelivered: int
    skipped: int
    high_water: int
    ended: Tuple[str, ...]


class Calls:
    """The functions of one kind of ring that never wait, to be called with arguments that are
    made beforehand."""

    VERBS: Tuple[str, ...] = ("push", "push_n", "pop", "pop_n")

    push: Callable[..., int]
    push_n: Callable[..., int]
    pop: Callable[..., int]
    pop_n: Callable[..., int]

    def __init__(self, noun: str) -> None:
        for verb in self.VERBS:
            setattr(self, verb, bare(f"atoll_{noun}_{verb}"))


class _Ring(SharedObject, Closing, Generic[T]):
    __slots__ = NO_SLOTS

    _calls: Calls

    #: For C, that it is not wanted how often a record was taken over; nothing where none is.
    _untold: Tuple[Any, ...] = ()

    def _open(
        self,
        segment: Segment | None,
        name: str | None,
        type: Any,
        capacity: int | None,
        lanes: int | None,
        waiting: str,
        create: Create,
    ) -> None:
        element = None if type is None else self._type_of(type)
        if element is None:
            kind = f"a {self.__class__.__name__}"
            create = only_open(create, name, kind, "the type of its records")
        options = _abi.atoll_ring_options(waiting=number_of(waiting, _WAITING, "waiting"))
        if capacity is not None:
            options.capacity = integer(capacity, "capacity", 1, _MOST_CAPACITY)
        if lanes is not None:
            options.lanes = integer(lanes, "lanes", 1, _MOST_LANES)
        wanted = None if element is None else byref(element.abi())
        if create is False:
            self._obtain(segment, name, create, wanted, byref(options))
        else:
            self._make(segment, name, create, wanted, options)
        self._fit(element)

    def _make(
        self,
        segment: Segment | None,
        name: str | None,
        create: Create,
        wanted: Any,
        options: _abi.atoll_ring_options,
    ) -> None:
        """With what was not said as it usually is; one that is there may have it otherwise."""
        usual = _abi.atoll_ring_options.from_buffer_copy(options)
        usual.capacity = options.capacity or _CAPACITY
        usual.lanes = options.lanes or self._usual_lanes
        try:
            self._obtain(segment, name, create, wanted, byref(usual))
        except WrongKind:
            if create != "open" or bytes(usual) == bytes(options):
                raise
            self._obtain(segment, name, False, wanted, byref(options))

    #: How many lanes one has of which that is not said.
    _usual_lanes = 0

    @staticmethod
    def _type_of(spec: Any) -> ElementType:
        """The type of records that a user means."""
        return type_of(spec)

    def _see(self, spec: Any = None) -> None:
        self._fit(None if spec is None else self._type_of(spec))

    def _fit(self, element: ElementType | None) -> None:
        """See it as what it was opened as, or as what the ring is."""
        info = self._info()
        self._type = seen_as(element, info.type)
        self._capacity: int = info.capacity
        self._lanes: int = info.lanes
        self._waiting: int = info.waiting
        self._readable: RingEnd | None = None
        self._writable: RingEnd | None = None
        assert self._handle is not None
        element = self._type
        self._bind(
            self._handle, self._handle.address, self._noun, element.code, element.size,
            self._capacity, info.waiting != _abi.WAIT_SPIN, format_of(element), element.decode,
            partial(unpack_some, element),
        )  # fmt: skip

    def _bind(self, handle: Handle, pointer: int, *facts: Any) -> None:
        """Have the accelerator know the ring; there may be none."""

    def _unbind(self) -> None:
        """Have the accelerator forget it."""

    @property
    def type(self) -> Any:
        """The type of its records as one may write it: 'i64', '16s', a dtype, a ctypes class."""
        return self._type.spec

    @property
    def capacity(self) -> int:
        """How many records it has room for; of a `Fanin`, each of its lanes."""
        return self._capacity

    def __len__(self) -> int:
        return self._info().length  # type: ignore[no-any-return]

    def __bool__(self) -> bool:
        """True: it is there, also when it is empty."""
        return True

    # --- one record ---

    def push(self, record: Any) -> None:
        """Put a record. Raises `NoRoom`, which is a `queue.Full`, if there is no room."""
        self._put(record, NOW)

    def pop(self) -> T:
        """Get a record. Raises `Empty`, which is a `queue.Empty`, if there is none."""
        return self._get(NOW)

    def put(self, record: Any, block: bool = True, timeout: float | None = None) -> None:
        """Put a record, and wait until there is room for it.

        `timeout` is in seconds, None for ever; 0 and less try once, as does `block=False`. If
        there was no room, raises `NoRoom`, which is a `queue.Full`; if an end is closed,
        `Closed`.
        """
        self._put(record, deadline_after(timeout) if block else NOW)

    def get(self, block: bool = True, timeout: float | None = None) -> T:
        """Get a record, and wait until there is one.

        `timeout` is in seconds, None for ever; 0 and less try once, as does `block=False`. If
        there was none, raises `Empty`, which is a `queue.Empty`; if there is none and the
        producers' end is closed, `Closed`.
        """
        return self._get(deadline_after(timeout) if block else NOW)

    def _put(self, record: Any, deadline: Deadline) -> None:
        push, rest = self._calls.push, self._record(record)
        self._until(lambda: push(self._pointer(), *rest), _abi.PRODUCERS, deadline)

    def _record(self, record: Any) -> Tuple[bytes, c_size_t]:
        """A record as C takes it."""
        data = pack_one(self._type, record)
        return data, c_size_t(len(data))

    def _get(self, deadline: Deadline, *told: Any) -> T:
        """`told` receives how often it was taken over."""
        element, pop = self._type, self._calls.pop
        data = bytearray(element.size)
        rest = (room_in(data), element.size_argument, None, *(told or self._untold))
        self._until(lambda: pop(self._pointer(), *rest), _abi.CONSUMERS, deadline)
        return element.decode(memoryview(data))  # type: ignore[no-any-return]

    # --- several records ---

    def push_n(self, records: Any) -> int:
        """Put as many of some records as there is room for, and say how many: the first ones.
        Others come to see them all at once.

        `records` are a sequence, a buffer of the same type such as an `array` or an ndarray, or
        bytes that are whole records. Raises `NoRoom` if there is room for none.
        """
        data, n = pack_some(self._type, records), c_size_t()
        if data:
            count, push_n = c_size_t(len(data) // self._type.size), self._calls.push_n
            rest = (data, count, byref(n))
            self._until(lambda: push_n(self._pointer(), *rest), _abi.PRODUCERS, NOW)
        return n.value

    def pop_n(self, n: int) -> Any:
        """Get as many records as there are, but at most `n`: as a memoryview of numbers, an
        ndarray where the type is a NumPy record, an array of ctypes, or a list of bytes.
        Raises `Empty` if there are none. Of a `Fanin` they are those of one lane.
        """
        size = self._type.size
        most = min(integer(n, "n", 1, _MOST_CAPACITY), self._capacity)
        data, got, pop_n = bytearray(most * size), c_size_t(), self._calls.pop_n
        rest = (room_in(data), c_size_t(most), byref(got), *self._untold)
        self._until(lambda: pop_n(self._pointer(), *rest), _abi.CONSUMERS, NOW)
        return unpack_some(self._type, memoryview(data)[: got.value * size])

    # --- waiting ---

    @property
    def readable(self) -> RingEnd:
        """What is ready when there is something to get, for `atoll.wait` and `select`."""
        if self._readable is None or self._readable.closed:
            self._readable = self._end_of_it(_abi.CONSUMERS)
        return self._readable

    @property
    def writable(self) -> RingEnd:
        """What is ready when there is room to put, for `atoll.wait` and `select`."""
        if self._writable is None or self._writable.closed:
            self._writable = self._end_of_it(_abi.PRODUCERS)
        return self._writable

    def _end_of_it(self, end: int) -> RingEnd:
        self._pointer()
        assert self._handle is not None
        return RingEnd(self._noun, self._handle, end, self._label())

    async def get_async(self, timeout: float | None = None) -> T:
        """`get` for a task of asyncio: others go on meanwhile. One that is cancelled while it
        waits has got nothing."""
        deadline = deadline_after(timeout)
        got: List[T] = []

        def attempt() -> bool:
            try:
                got.append(self._get(NOW))
            except Empty:
                pass
            return bool(got)

        if not await _in_turn(self.readable, attempt, deadline):
            raise self._refusal(_abi.EMPTY, deadline)
        return got[0]

    async def put_async(self, record: Any, timeout: float | None = None) -> None:
        """`put` for a task of asyncio: others go on meanwhile. Of one that is cancelled while it
        waits nothing is put."""
        deadline, push, rest = deadline_after(timeout), self._calls.push, self._record(record)

        def attempt() -> bool:
            status = push(self._pointer(), *rest)
            if status not in (_abi.OK, _abi.FULL):
                raise self._failure(status)
            return bool(status == _abi.OK)

        if not await _in_turn(self.writable, attempt, deadline):
            raise self._refusal(_abi.FULL, deadline)

    def _until(self, attempt: Callable[[], int], end: int, deadline: Deadline) -> None:
        """Repeat an attempt until it succeeds, or the time is up."""
        status, time_is_up = attempt(), deadline == NOW
        while status in (_abi.EMPTY, _abi.FULL):
            if time_is_up:
                raise self._refusal(status, deadline)
            time_is_up = not self._wait(end, deadline)
            status = attempt()
        if status != _abi.OK:
            raise self._failure(status)

    def _wait(self, end: int, deadline: Deadline) -> bool:
        """Wait until it may be tried again. False if the time is up."""
        ready = self.readable if end == _abi.CONSUMERS else self.writable
        # To spin is to look, which lets others of our threads run, and to be back at once.
        wait_for_one(ready, NOW if self._waiting == _abi.WAIT_SPIN else deadline)
        # What it was ready for may be gone again, each time.
        return deadline is None or monotonic_ns() < deadline

    def _refusal(self, status: int, deadline: Deadline) -> Exception:
        """Why it cannot be done, or could not until the deadline."""
        late, label = deadline != NOW, self._label()
        if status == _abi.EMPTY:
            more = "nothing came in time" if late else "wait with get, or until it is readable"
            return Empty(f"{label} is empty: {more}")
        more = "no room came in time" if late else "wait with put, or until it is writable"
        return NoRoom(f"{label} is full: {more}")

    # --- ends ---

    def shutdown(self, end: EndName = "producers") -> None:
        """Close an end for good, for all processes. Who waits is woken.

        With the producers' end closed nothing more is put; who gets has what is there, and then
        `Closed`. With the consumers' end closed nothing is got, either: both have `Closed` at
        once.
        """
        number = number_of(end, ENDS, "end")
        check(getattr(patient, f"atoll_{self._noun}_shutdown")(self._pointer(), number))

    def close(self) -> None:
        """Let go of it, and be no producer or consumer of it any more; what is in it stays.
        Tasks that wait for it get `Closed`."""
        super().close()
        self._unbind()
        for end in (self._readable, self._writable):
            if end is not None:
                end.close()

    def info(self) -> RingInfo:
        """What it is, and what has gone through it."""
        info = self._info()
        return RingInfo(
            type=stored_type(info.type).spec,
            waiting=_WAITING_NAMES[info.waiting],
            ended=tuple(name for name, number in ENDS.items() if info.ended & number),
            **{field: getattr(info, field) for field in _COUNTS},
        )

    def _info(self) -> _abi.atoll_ring_info:
        out = _abi.atoll_ring_info()
        check(getattr(quick, f"atoll_{self._noun}_info")(self._pointer(), byref(out)))
        return out

    def _view_to_pickle(self) -> Tuple[Any, ...]:
        return () if isinstance(self._type, Opaque) else (self._type.spec,)

    def _describe(self) -> str:
        info = self.info()
        lanes = f" in each of {info.lanes} lanes" if info.lanes > 1 else ""
        ended = "".join(f", {end}' end closed" for end in info.ended)
        return f"{info.length} of {self._type}, room for {info.capacity}{lanes}{ended}"


_COUNTS = tuple(field for field in RingInfo._fields if field not in ("type", "waiting", "ended"))


def number_of(word: object, words: dict[str, int], what: str) -> int:
    """The number of what a user says in a word."""
    if isinstance(word, str) and word in words:
        return words[word]
    raise InvalidArgument(f"{what} must be {' or '.join(map(repr, words))}, not {word!r}")


def room_in(data: bytearray) -> Any:
    """These bytes as an argument for C to write to."""
    return (c_char * len(data)).from_buffer(data)


async def _in_turn(end: RingEnd, attempt: Callable[[], bool], deadline: Deadline) -> bool:
    """Make an attempt until it succeeds, after the tasks that came before. False if the time is
    up first."""
    if deadline == NOW:
        return attempt()
    from ._asyncio import is_waited_for, listener_for

    if not is_waited_for(end) and attempt():
        return True
    return await listener_for(end, one_at_a_time=True).until(attempt, deadline)
