"""Segments: named shared memory, and what is in it."""

from __future__ import annotations

from ctypes import byref, c_size_t, c_uint64, c_void_p
from functools import partial

from . import _abi
from ._arguments import integer, name_bytes, verb
from ._errors import TimedOut, check
from ._handle import Handle
from ._native import patient
from ._owning import OWNING_SLOTS, Closing
from ._spec import stored_type
from ._typing import TYPE_CHECKING, NamedTuple
from ._wait import deadline_after, wait

if TYPE_CHECKING:
    from typing import Any, Iterator, List

    from ._arguments import Create

_KINDS = {
    _abi.KIND_MUTEX: "Lock",
    _abi.KIND_RECURSIVE_MUTEX: "RLock",
    _abi.KIND_VALUE: "Value",
    _abi.KIND_ARRAY: "Array",
    _abi.KIND_RWLOCK: "RWLock",
    _abi.KIND_SEMAPHORE: "Semaphore",
    _abi.KIND_TRACKED_SEMAPHORE: "Semaphore",
    _abi.KIND_CONDVAR: "Condition",
    _abi.KIND_EVENT: "Event",
    _abi.KIND_BARRIER: "Barrier",
    _abi.KIND_LATCH: "Latch",
    _abi.KIND_SPSC: "Spsc",
    _abi.KIND_FANIN: "Fanin",
    _abi.KIND_MPMC: "Mpmc",
}
#: What the C functions call the kinds: each removes names of its own.
_NOUNS = (
    "mutex", "value", "array", "rwlock", "semaphore", "condvar", "event", "barrier", "latch",
    "spsc", "fanin", "mpmc",
)  # fmt: skip
_ENTRIES_AT_ONCE = 32
_LEAST_SIZE, _MOST_SIZE = 64 << 10, 1 << 46
_U64 = (1 << 64) - 1


class SegmentInfo(NamedTuple):
    """What a segment is and how full it is. Sizes are in bytes.

    `free` bytes of those committed are for new objects, `largest_free` of them in one
    piece; when these are used up more are committed, until there are `size`.
    """

    name: str
    size: int
    committed: int
    used: int
    free: int
    largest_free: int
    objects: int
    death_epoch: int
    members: int
    participants: int
    max_participants: int
    mode: int
    layout_version: int
    readonly: bool
    ephemeral: bool


class ObjectInfo(NamedTuple):
    """One object of a segment. `kind` is the class to open it with."""

    kind: str
    name: str | None
    type: Any
    shape: tuple[int, ...]
    bytes: int
    generation: int


class Death(NamedTuple):
    """A process that died in a segment. Deaths are numbered from 1 by `epoch`."""

    epoch: int
    pid: int
    uid: int
    name: str
    slot: int
    generation: int


class Segment(Closing):
    """A named piece of shared memory that objects live in.

    `Segment("name", create="open")` opens it, or makes it if there is none;
    `create=True` makes it, `create=False` opens it. `size` is the most bytes it may
    ever have (64 MiB by default; memory is taken only as needed) and `mode` says who
    may open it, as for a file. It stays until `unlink`, or if it is `ephemeral` until the
    last process that has it open closes it or ends, however that ends. `size`, `mode` and
    `ephemeral` count only where it is made.
    """

    __slots__ = (*OWNING_SLOTS, "_deaths_told", "_name", "_readonly", "_size")

    def __init__(
        self,
        name: str,
        *,
        create: Create = False,
        size: int | None = None,
        mode: int = 0o600,
        readonly: bool = False,
        ephemeral: bool = False,
    ) -> None:
        self._handle = None
        options = _abi.atoll_segment_options(
            size=0 if size is None else integer(size, "size", _LEAST_SIZE, _MOST_SIZE),
            mode=integer(mode, "mode", 1, 0o777),
            read_only=bool(readonly),
            ephemeral=bool(ephemeral),
        )
        function = getattr(patient, f"atoll_segment_{verb(create)}")
        pointer = c_void_p()
        check(function(name_bytes(name, "Segment"), byref(options), byref(pointer)))
        self._name = name  # for the sentence, should the next line fail
        self._own(pointer)

    @classmethod
    def _from_pointer(cls, pointer: c_void_p) -> Segment:
        """One that is open already."""
        segment = cls.__new__(cls)
        segment._name = "home"  # as above
        segment._own(pointer)
        return segment

    def _own(self, pointer: c_void_p) -> None:
        self._handle = Handle(pointer, patient.atoll_segment_close)
        info = self.stat()
        self._name, self._size, self._readonly = info.name, info.size, info.readonly
        #: The newest death that `atoll.wait` need not tell of any more.
        self._deaths_told: int = info.death_epoch

    @property
    def name(self) -> str:
        """The name, which is that of its file."""
        return self._name

    @property
    def size(self) -> int:
        """The most bytes it may ever have."""
        return self._size

    @property
    def readonly(self) -> bool:
        """Whether it was opened to look only."""
        return self._readonly

    def stat(self) -> SegmentInfo:
        """What it is and how full it is."""
        out = _abi.atoll_segment_info()
        check(patient.atoll_segment_stat(self._pointer(), byref(out)))
        return SegmentInfo(
            name=out.name.decode(errors="replace"),
            readonly=out.read_only,
            **{
                field: getattr(out, field)
                for field in SegmentInfo._fields
                if field not in ("name", "readonly")
            },
        )

    def list(self) -> List[ObjectInfo]:
        """The objects in it, in the order in which they were made."""
        return [_object_info(entry) for entry in self._entries()]

    def _entries(self) -> Iterator[_abi.atoll_object_info]:
        entries = (_abi.atoll_object_info * _ENTRIES_AT_ONCE)()
        seen, found = 0, c_size_t()
        while True:
            check(
                patient.atoll_segment_list(
                    self._pointer(), seen, entries, len(entries), byref(found)
                )
            )
            if not found.value:
                return
            yield from entries[: found.value]
            seen += found.value

    def remove(self, name: str) -> None:
        """Remove the name of an object, whatever kind it is.

        Who has it open keeps it, and its memory is free again when the last of them
        closed it or ended.
        """
        text = name_bytes(name, "object")
        for noun in _NOUNS:
            status = getattr(patient, f"atoll_{noun}_remove")(self._pointer(), text)
            if status != _abi.WRONG_KIND:
                break
        check(status)

    def wait_death(self, seen_epoch: int = 0, timeout: float | None = None) -> Death:
        """Wait until a process dies in the segment: killed, crashed or `os._exit`.

        Reports the oldest death after number `seen_epoch`, even one long past; pass
        its `epoch` to hear of the next. `stat().death_epoch` is the newest that anybody
        has noticed so far. Raises `TimedOut` if none came in time.
        """
        seen = integer(seen_epoch, "seen_epoch", 0, _U64)
        deadline = deadline_after(timeout)
        pointer = self._pointer()
        epoch, out = c_uint64(), _abi.atoll_member_info()

        def call(timeout_ns: Any) -> int:
            return patient.atoll_segment_wait_death(  # type: ignore[no-any-return]
                pointer, seen, timeout_ns, byref(epoch), byref(out)
            )

        status = wait(call, deadline)
        if status == _abi.TIMED_OUT:
            raise TimedOut(f"nobody died in segment {self._name!r} in the time given")
        if status != _abi.OK:
            raise self._failure(status)
        name = out.name.decode(errors="replace")
        return Death(epoch.value, out.pid, out.uid, name, out.slot, out.generation)

    def verify(self) -> None:
        """Check every invariant of the segment; raises `Corrupted` if one is broken."""
        check(patient.atoll_segment_verify(self._pointer()))

    def unlink(self) -> None:
        """Remove its name. Who has it open keeps it."""
        unlink(self._name)

    def _label(self) -> str:
        return f"segment {self._name!r}"

    def __repr__(self) -> str:
        state = "closed" if self.closed else "open read-only" if self._readonly else "open"
        return f"<Segment {self._name!r}: {state}, size {self._size}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(Segment, readonly=self._readonly), (self._name,)


def unlink(name: str) -> None:
    """Remove the name of a segment. Who has it open keeps it."""
    check(patient.atoll_segment_unlink(name_bytes(name, "Segment")))


def gc() -> int:
    """Reclaim ephemeral segments of which no process is left; says how many they were.

    Who makes a segment does this anyway. Only segments of the same user count.
    """
    reclaimed = c_uint64()
    check(patient.atoll_gc(byref(reclaimed)))
    return reclaimed.value


def _object_info(entry: _abi.atoll_object_info) -> ObjectInfo:
    return ObjectInfo(
        kind=_KINDS.get(entry.kind, f"kind {entry.kind}"),
        name=entry.name.decode(errors="replace") or None,
        type=stored_type(entry.type).spec if entry.type.code else None,
        shape=tuple(entry.shape[: entry.ndim]),
        bytes=entry.bytes,
        generation=entry.generation,
    )
