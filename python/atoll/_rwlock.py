"""Locks that many may hold to read, or one to write. Ctrl-C is met as in `_lock`."""

from __future__ import annotations

from ctypes import byref, c_uint32
from functools import partial
from itertools import repeat, starmap

from . import _abi
from ._errors import TimedOut, check
from ._native import bare, patient, quick
from ._object import OBJECT_SLOTS, SharedObject
from ._owner import described, news_of, owner_of
from ._release import END_OF_WITH, releasing
from ._typing import TYPE_CHECKING
from ._wait import NOW, deadline_after, wait

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Callable, Iterator, TypeVar

    from ._arguments import Create
    from ._owner import Owner
    from ._segment import Segment
    from ._wait import Deadline

    Hold = TypeVar("Hold", bound="_Hold")

_AT_ONCE = None  # as an argument that is all zeros, and costs nothing
_read = bare("atoll_rwlock_read_lock"), bare("atoll_rwlock_read_unlock")
_write = bare("atoll_rwlock_write_lock"), bare("atoll_rwlock_write_unlock")

#: What a first attempt says if others stand in the way. After anything else this thread may
#: hold the lock from before, and an exception must not give that back.
_IN_THE_WAY = frozenset((_abi.TIMED_OUT, _abi.OWNER_DIED))


class _Side:
    """One of the two ways to hold an RWLock."""

    __slots__ = ("attempts", "let_go", "wait_for")

    def __init__(self, pointer: Any, quickly: tuple[Any, Any], patiently: Any) -> None:
        lock, unlock = quickly
        #: Calls the library each time it is asked for the next one.
        self.attempts: Iterator[int] = starmap(lock, repeat((pointer, _AT_ONCE)))
        self.wait_for: Callable[[int], int] = partial(patiently, pointer)
        self.let_go: Callable[[], int] = partial(unlock, pointer)


class RWLock(SharedObject):
    """A lock that many threads hold at once to read, or one alone to write.

    `RWLock(segment, "name")` opens it, or makes it. Without a name it is anonymous, and
    others get it by a pickle or a fork; `RWLock()` is such a one in the home segment of this
    process. To read again while one reads is allowed; anything else that one would wait
    for oneself raises `Deadlock`. New readers wait for a writer who waits for old ones.

    A reader that dies no longer counts. Of a writer that died the next one is told, as of
    the owner of a `Lock`, and readers are, too.
    """

    __slots__ = (*OBJECT_SLOTS, "_as_parameter_", "_read", "_write")

    _noun = "rwlock"

    def __init__(
        self,
        segment: Segment | None = None,
        name: str | None = None,
        *,
        create: Create = "open",
    ) -> None:
        self._obtain(segment, name, create)
        self._see()

    def _see(self) -> None:
        assert self._handle is not None
        #: The handle, where ctypes looks for it.
        self._as_parameter_ = pointer = self._handle.pointer
        self._read = _Side(pointer, _read, patient.atoll_rwlock_read_lock)
        self._write = _Side(pointer, _write, patient.atoll_rwlock_write_lock)

    def reading(self, timeout: float | None = None) -> Reading:
        """For `with`: holds the lock to read. Raises `TimedOut` if it could not in time."""
        return Reading(self, self._read, deadline_after(timeout))

    def writing(self, timeout: float | None = None) -> Writing:
        """For `with`: holds the lock to write. Raises `TimedOut` if it could not in time."""
        return Writing(self, self._write, deadline_after(timeout))

    def recovering(self, timeout: float | None = None) -> Writing:
        """The same even if the last writer died.

        `hold.owner_died` is then that `Owner`, else None. Repair what the lock guards
        and call `mark_consistent`; without it the next one is told again.
        """
        return Writing(self, self._write, deadline_after(timeout), recover=True)

    if TYPE_CHECKING:

        def acquire_read(
            self, block: bool = True, timeout: float | None = None, *, recover: bool = False
        ) -> bool: ...

        def acquire_write(
            self, block: bool = True, timeout: float | None = None, *, recover: bool = False
        ) -> bool: ...

        def release_read(self) -> None: ...

        def release_write(self) -> None: ...

    else:

        def acquire_read(self, block=True, timeout=None, *, recover=False):
            """Take the lock to read. True if it is held now, False if the time was up first.

            As with a `Lock`, `OwnerDied` says that the last writer died, and that the lock
            is not held; with `recover=True` it is held instead.
            """
            deadline = deadline_after(timeout)
            return self._acquire(self._read, deadline if block else NOW, recover)

        def acquire_write(self, block=True, timeout=None, *, recover=False):
            """Take the lock to write, as `acquire_read` to read."""
            deadline = deadline_after(timeout)
            return self._acquire(self._write, deadline if block else NOW, recover)

        release_read = releasing(
            bare("atoll_rwlock_read_unlock"), "release_read", (), "Read no more."
        )
        release_write = releasing(
            bare("atoll_rwlock_write_unlock"), "release_write", (), "Write no more."
        )

    def _acquire(self, side: _Side, deadline: Deadline, recover: bool) -> bool:
        for status in side.attempts:
            break
        if status == _abi.OK:
            return True
        try:
            return self._contend(side, status, deadline, recover)
        except BaseException:
            if status in _IN_THE_WAY:
                side.let_go()  # does nothing if it was not got
            raise

    def _contend(self, side: _Side, status: int, deadline: Deadline, recover: bool) -> bool:
        """Go on after a first attempt that did not plainly succeed."""
        if status == _abi.TIMED_OUT and deadline != NOW:
            status = wait(side.wait_for, deadline)
        if status == _abi.OWNER_DIED and not recover:
            raise news_of(self.owner_died, self._label())  # who called lets go
        if status in (_abi.OK, _abi.OWNER_DIED):
            return True
        # Held by this very thread: to one who only asks, that is a plain no.
        if status == _abi.TIMED_OUT or (status == _abi.DEADLOCK and deadline == NOW):
            return False
        raise self._failure(status)

    @property
    def owner_died(self) -> Owner | None:
        """Who died writing last, until somebody calls `mark_consistent`."""
        return owner_of(quick.atoll_rwlock_dead_owner, self._pointer())

    def mark_consistent(self) -> None:
        """Say that what the lock guards is repaired. Only the writer may."""
        check(quick.atoll_rwlock_mark_consistent(self._pointer()))

    def owner(self) -> Owner | None:
        """Who holds the lock to write, dead or alive; else None. For people and logs."""
        return owner_of(quick.atoll_rwlock_owner, self._pointer())

    def readers(self) -> int:
        """How many living threads hold the lock to read at this moment."""
        out = c_uint32()
        check(quick.atoll_rwlock_readers(self._pointer(), byref(out)))
        return out.value

    def _describe(self) -> str:
        owner, readers = self.owner(), self.readers()
        return f"read by {readers}" if readers and owner is None else described(owner)


class _Hold:
    """Holds one side of an RWLock for a `with` block."""

    __slots__ = ("_as_parameter_", "_deadline", "_lock", "_recover", "_side", "owner_died")

    def __init__(
        self, lock: RWLock, side: _Side, deadline: Deadline, recover: bool = False
    ) -> None:
        self._as_parameter_ = lock._as_parameter_
        self._lock, self._side, self._deadline, self._recover = lock, side, deadline, recover
        self.owner_died: Owner | None = None

    def __enter__(self: Hold) -> Hold:
        for status in self._side.attempts:
            break
        if status == _abi.OK:
            return self
        try:
            if not self._lock._contend(self._side, status, self._deadline, self._recover):
                raise TimedOut(f"{self._lock._label()} could not be had in time")
            if self._recover:
                self.owner_died = self._lock.owner_died
        except BaseException:
            if status in _IN_THE_WAY:
                self._side.let_go()  # does nothing if it was not got
            raise
        return self


class Reading(_Hold):
    """Holds an RWLock to read. Made by `lock.reading()`."""

    __slots__ = ()

    if TYPE_CHECKING:

        def __exit__(
            self,
            kind: type[BaseException] | None,
            error: BaseException | None,
            traceback: TracebackType | None,
        ) -> None: ...

    else:
        __exit__ = releasing(
            bare("atoll_rwlock_read_unlock"), "__exit__", END_OF_WITH, "Read no more."
        )


class Writing(_Hold):
    """Holds an RWLock to write. Made by `lock.writing()` and `lock.recovering()`."""

    __slots__ = ()

    if TYPE_CHECKING:

        def __exit__(
            self,
            kind: type[BaseException] | None,
            error: BaseException | None,
            traceback: TracebackType | None,
        ) -> None: ...

    else:
        __exit__ = releasing(
            bare("atoll_rwlock_write_unlock"), "__exit__", END_OF_WITH, "Write no more."
        )
