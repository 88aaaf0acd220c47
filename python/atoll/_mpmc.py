"""Rings for many producers and many consumers."""

from __future__ import annotations

from ctypes import byref, c_size_t, c_uint32
from functools import partial
from time import monotonic_ns, sleep

from . import _abi
from . import _accelerated as accelerated
from ._errors import WrongKind
from ._native import patient
from ._owning import NO_SLOTS
from ._reservations import ClaimOne, PeekOne
from ._ring import RING_SLOTS, Calls, NoRoom, T, _Ring, room_in
from ._spec import type_of
from ._types import MESSAGES
from ._typing import TYPE_CHECKING, Generic, overload
from ._wait import NOW, deadline_after, wait

if TYPE_CHECKING:
    from typing import Any, Callable, Literal, Tuple, Type, Union

    from ._arguments import Create
    from ._ring import Waiting
    from ._segment import Segment
    from ._spec import Boolean, CStructure, Float, Integer, Spec
    from ._types import Type as ElementType
    from ._wait import Deadline

    Messages = Union[Literal["bytes"], Type[bytes]]

#: Seconds between two attempts of a task to put a message: each is twice the one before.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.0002, 0.02
#: Bytes that a message is first given room for.
_USUAL_ROOM = 248


class MpmcCalls(Calls):
    """With those that lend places."""

    VERBS = (*Calls.VERBS, "claim", "commit", "peek", "advance", "abandon")

    claim: Callable[..., int]
    commit: Callable[..., int]
    peek: Callable[..., int]
    advance: Callable[..., int]
    abandon: Callable[..., int]


class _Mpmc(_Ring[T], Generic[T]):
    __slots__ = NO_SLOTS

    _noun = "mpmc"
    _calls = MpmcCalls(_noun)
    _untold = (None,)

    @staticmethod
    def _type_of(spec: Any) -> ElementType:
        return MESSAGES if spec == "bytes" or spec is bytes else type_of(spec)

    def push_n(self, records: Any) -> int:
        self._need_records()
        return super().push_n(records)

    def pop_n(self, n: int) -> Any:
        self._need_records()
        return super().pop_n(n)

    push_n.__doc__, pop_n.__doc__ = _Ring.push_n.__doc__, _Ring.pop_n.__doc__

    def _need_records(self) -> None:
        if self._type is MESSAGES:
            raise WrongKind("messages have no length in common: put and get them one at a time")

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

    def claim(self, size: int | None = None, timeout: float | None = 0) -> ClaimOne:
        """A place for a record, to be written where it is.

        `with ring.claim() as place:` gives one as a memoryview of one number or of bytes, an
        ndarray or an array of ctypes with one element, with whatever was left in it; of messages
        `ring.claim(size)` gives `size` bytes. At the end of the block it is put, or skipped if it
        ended with an exception. The claim itself can `commit(size)` a shorter message before.

        Several may be open at a time, in any threads of the process, 256 in a ring; who gets
        waits for the oldest of them. If the process dies they are skipped.

        Raises `NoRoom` if there is no room, or none came within `timeout` seconds.
        """
        return ClaimOne(self, size, timeout)

    def peek(self, timeout: float | None = 0) -> PeekOne:
        """The next record, to be read where it is, and nobody else's until the block is over.

        `with ring.peek() as record:` gives it as `claim` does, of messages all bytes. At the end of
        the block it is got. If that ended with an exception, or the process dies, it goes to
        somebody else; `times` of the peek says how often that has happened. Several may be open at
        a time.

        Raises `Empty` if there is none, or none came within `timeout` seconds.
        """
        return PeekOne(self, timeout)

    def _wait(self, end: int, deadline: Deadline) -> bool:
        if self._type is MESSAGES and end == _abi.PRODUCERS:
            # It is ready with room for some message, which need not be enough.
            sleep(_LONGEST_PAUSE / 4)
            return deadline is None or monotonic_ns() < deadline
        return super()._wait(end, deadline)

    def _put(self, record: Any, deadline: Deadline) -> None:
        if self._type is not MESSAGES:
            return super()._put(record, deadline)
        # Room is not ready for whoever waits for it, so the library does it, for any threads.
        handle, rest = self._pointer(), self._record(record)
        status = self._calls.push(handle, *rest)
        if status == _abi.FULL and deadline != NOW:
            status = wait(partial(patient.atoll_mpmc_put, handle, *rest), deadline)
        if status in (_abi.FULL, _abi.TIMED_OUT):
            raise self._refusal(_abi.FULL, deadline)
        if status != _abi.OK:
            raise self._failure(status)

    async def put_async(self, record: Any, timeout: float | None = None) -> None:
        if self._type is not MESSAGES:
            return await super().put_async(record, timeout)
        from asyncio import sleep as sleep_async

        deadline, pause = deadline_after(timeout), _FIRST_PAUSE
        while True:
            try:
                return self._put(record, NOW)
            except NoRoom:
                if deadline is not None and monotonic_ns() >= deadline:
                    raise self._refusal(_abi.FULL, deadline) from None
            await sleep_async(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    put_async.__doc__ = _Ring.put_async.__doc__

    def _get(self, deadline: Deadline, *told: Any) -> T:
        if self._type is not MESSAGES:
            return super()._get(deadline, *told)
        pop, n, data = self._calls.pop, c_size_t(), bytearray()

        def attempt() -> int:
            """With more room until there is enough; the next one may be longer again."""
            nonlocal data
            n.value, status = _USUAL_ROOM, _abi.TOO_SMALL
            while status == _abi.TOO_SMALL:
                data = bytearray(n.value)
                rest = (room_in(data), n, byref(n), *(told or self._untold))
                status = pop(self._pointer(), *rest)
            return status

        self._until(attempt, _abi.CONSUMERS, deadline)
        message: Any = bytes(memoryview(data)[: n.value])
        return message  # type: ignore[no-any-return]


@accelerated.outright
class Mpmc(accelerated.Ring, _Mpmc[T], Generic[T]):
    """Many producers and many consumers: whoever comes first gets the next record.

    `Mpmc(segment, "name", "i64", 1024)` opens it, or makes it for 1024 records, a power of two.
    What is not said here is as for `Spsc`, but nobody has to be its producer or consumer.

    Records come out in the order in which they went in, each once. A place that somebody was
    about to fill who died is skipped. A record that somebody was about to get who died goes to
    somebody else, out of turn; `get_marked` says so.

    With the type "bytes" the records are messages of any length. They lie in cells of 64 bytes,
    which is what its capacity counts: a message takes as many as it needs with 8 bytes more, and
    at most half of them. `push_n` and `pop_n` are not for messages. Such a ring is `writable` if
    it has room for some message, which need not be the next one."""

    __slots__ = RING_SLOTS

    # fmt: off
    @overload
    def __init__(self: Mpmc[Any], segment: Segment | None = None, name: str | None = None,
                 type: None = None, capacity: int | None = None, *,
                 waiting: Waiting = "adaptive", create: Create = "open") -> None: ...
    @overload
    def __init__(self: Mpmc[bytes], segment: Segment | None = None, name: str | None = None,
                 type: Messages = ..., capacity: int | None = None, *,
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
