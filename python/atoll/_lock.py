"""Locks whose next owner is told when the last one died holding them.

Ctrl-C may come at any moment, also between a call that took the lock and the store that
notes it; an exception there would leave the lock held by code that is gone. So:

- An attempt is made by a `for` statement over an iterator that calls the library.
  Python looks for signals after calls, not between `for` and its variable (from 3.10
  on), and then nothing stands between the attempt and the caller's `with` block.
- Unless an attempt has said that this very thread holds the lock, an exception that ends
  what follows gives the lock back, in case it was got.
- To let go is a C call from its first instruction (`_release`).

With the accelerator an attempt is the truth of an object first, after which Python does not
look for signals either; and `__enter__`, after which it does not, is a C function.
"""

from __future__ import annotations

from ctypes import byref, c_size_t, c_void_p
from functools import partial
from itertools import repeat, starmap

from . import _abi
from . import _accelerated as accelerated
from ._errors import TimedOut, check
from ._handle import Handle, lend
from ._native import bare, patient, quick
from ._object import OBJECT_SLOTS, SharedObject
from ._owner import described, news_of, owner_of
from ._owning import NO_SLOTS
from ._release import END_OF_WITH, releasing
from ._typing import TYPE_CHECKING
from ._wait import NOW, deadline_after, wait

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Callable, ClassVar, Iterator

    from ._arguments import Create
    from ._errors import OwnerDied
    from ._owner import Owner
    from ._segment import Segment
    from ._wait import Deadline

_AT_ONCE = None  # as an argument that is all zeros, and costs nothing
_ONE = c_size_t.from_param(1)
_lock = bare("atoll_mutex_lock")
_let_go = bare("atoll_mutex_unlock")

MUTEX_SLOTS = (*OBJECT_SLOTS, "_alone", "_as_parameter_", "_attempts", "_wait_for", "_word")


def _unlocking(name: str, takes: tuple[Any, ...], doc: str) -> Any:
    return releasing(bare("atoll_mutex_unlock"), name, takes, doc)


class _Mutex(SharedObject):
    __slots__ = NO_SLOTS

    _noun = "mutex"
    _recursive: ClassVar[bool]

    #: The accelerator's attempt, whose truth is whether it took the lock.
    _at_once: Any = False

    def __init__(
        self,
        segment: Segment | None = None,
        name: str | None = None,
        *,
        create: Create = "open",
    ) -> None:
        options = _abi.atoll_mutex_options(recursive=self._recursive)
        self._obtain(segment, name, create, byref(options))
        self._see()

    def _see(self) -> None:
        #: The handle, where ctypes looks for it.
        assert self._handle is not None
        self._as_parameter_ = pointer = self._handle.pointer
        #: Calls the library each time it is asked for the next one.
        self._attempts: Iterator[int] = starmap(_lock, repeat((pointer, _AT_ONCE)))
        self._wait_for: Callable[[int], int] = partial(patient.atoll_mutex_lock, pointer)
        self._word: memoryview | None = None
        #: What begins a transaction under this lock alone.
        self._alone = byref(c_void_p(self._handle.address)), _ONE, _AT_ONCE
        self._bind(self._handle, self._handle.address, self._name, self._segment)

    def close(self) -> None:
        """Let go of it; it stays in its segment, and is not released."""
        super().close()
        self._word = None
        self._unbind()

    if TYPE_CHECKING:

        def acquire(
            self, block: bool = True, timeout: float | None = None, *, recover: bool = False
        ) -> bool: ...

        def __enter__(self) -> bool: ...

        def release(self) -> None: ...

        def __exit__(
            self,
            kind: type[BaseException] | None,
            error: BaseException | None,
            traceback: TracebackType | None,
        ) -> None: ...

    else:
        # `recover` is meant by keyword only, but the star alone would cost a quarter.
        def acquire(self, block=True, timeout=None, recover=False):
            """Take the lock. True if it is held now, False if the time was up first.

            `timeout` is in seconds, None for ever; 0 and less try once, as does
            `block=False`. After its last holder died holding it, raises `OwnerDied` with
            the lock not held, each time until somebody has called `mark_consistent`. With
            `recover=True` the lock is held instead, and `owner_died` has the news.
            """
            deadline = None if timeout is None else deadline_after(timeout)
            if self._at_once:
                return True
            for status in self._attempts:
                break
            if status == _abi.OK:
                return True
            try:
                return self._contend(status, deadline if block else NOW, recover)
            except BaseException:
                if status != _abi.DEADLOCK:
                    _let_go(self)  # does nothing if it was not got
                raise

        def __enter__(self):
            for status in self._attempts:
                break
            if status == _abi.OK:
                return True
            try:
                return self._contend(status, None, False)
            except BaseException:
                if status != _abi.DEADLOCK:
                    _let_go(self)  # does nothing if it was not got
                raise

        release = _unlocking("release", (), "Give the lock back. Only the holder may.")
        __exit__ = _unlocking("__exit__", END_OF_WITH, "Give the lock back.")

    def _contend(self, status: int, deadline: Deadline, recover: bool) -> bool:
        """Go on after a first attempt that did not plainly succeed."""
        if status == _abi.TIMED_OUT and deadline != NOW:
            status = self._wait(deadline)
        return True if status == _abi.OK else self._settle(status, deadline, recover)

    def _wait(self, deadline: Deadline) -> int:
        return wait(self._wait_for, deadline)

    def _settle(self, status: int, deadline: Deadline, recover: bool) -> bool:
        """What to answer when the lock was not plainly taken in the end."""
        if status == _abi.OWNER_DIED:
            if not recover:
                raise self._give_back()
            return True
        # Held by this very thread: to one who only asks, that is a plain no.
        if status == _abi.TIMED_OUT or (status == _abi.DEADLOCK and deadline == NOW):
            return False
        raise self._failure(status)

    def _bind(self, handle: Handle, pointer: int | None, name: str | None, segment: Any) -> None:
        """Have the accelerator know the lock; there may be none."""

    def _unbind(self) -> None:
        """Have the accelerator forget it."""

    @classmethod
    def _again(
        cls, handle: Handle | None, pointer: int, name: str | None, segment: Segment
    ) -> _Mutex:
        """A lock like one that may be gone, for what the accelerator leaves to Python."""
        again = cls.__new__(cls)
        again._handle, again._name, again._segment = handle, name, segment
        again._as_parameter_ = c_void_p(pointer)
        return again

    def _give_back(self) -> OwnerDied:
        """Let go unmarked, so that the next one is told too."""
        try:
            dead = self.owner_died
        finally:
            _let_go(self)
        return news_of(dead, self._label())

    def recovering(self, timeout: float | None = None) -> Recovering:
        """For `with`: holds the lock even if its last holder died.

        `hold.owner_died` is then that `Owner`, else None. Repair what the lock guards
        and call `mark_consistent`; without it the next one is told again.
        Raises `TimedOut` if the lock could not be had in time.
        """
        return Recovering(self, deadline_after(timeout))

    @property
    def owner_died(self) -> Owner | None:
        """Who died holding the lock last, until somebody calls `mark_consistent`."""
        return owner_of(quick.atoll_mutex_dead_owner, self._pointer())

    def mark_consistent(self) -> None:
        """Say that what the lock guards is repaired. Only the holder may."""
        check(quick.atoll_mutex_mark_consistent(self._pointer()))

    def owner(self) -> Owner | None:
        """Who holds the lock, dead or alive; None if it is free. For people and logs."""
        return owner_of(quick.atoll_mutex_owner, self._pointer())

    def locked(self) -> bool:
        """Whether a living thread holds the lock at this moment."""
        word = self._word or self._see_word()
        if not word[0]:
            return False
        owner = self.owner()
        return owner is not None and owner.alive

    def _see_word(self) -> memoryview:
        """The word of the lock in shared memory, which is 0 while it is free; it may be not to
        be had, and any other number says to ask."""
        place, pointer = _abi.atoll_place(), self._pointer()
        check(quick.atoll_mutex_place(pointer, _abi.PLACE_CONTRACT, byref(place)))
        assert self._handle is not None
        word = lend(self._handle, place.word, 8) if place.word else memoryview(b"ask us. ")
        self._word = word.cast("Q")
        return self._word

    def _describe(self) -> str:
        return described(self.owner())


@accelerated.outright
class Lock(accelerated.Mutex, _Mutex):
    """A lock for the threads of all processes that open it.

    `Lock(segment, "name")` opens or makes it. Without a name it is anonymous, and others
    get it by a pickle or a fork; `Lock()` is such a one in the home segment of this
    process. It belongs to the thread that acquired it, until that releases it or ends.
    """

    __slots__ = MUTEX_SLOTS
    _recursive = False


@accelerated.outright
class RLock(accelerated.Mutex, _Mutex):
    """A `Lock` that its owner may acquire again, and then releases as often."""

    __slots__ = MUTEX_SLOTS
    _recursive = True


class Recovering:
    """Holds a lock whose last owner may have died. Made by `lock.recovering()`."""

    __slots__ = ("_as_parameter_", "_deadline", "_lock", "owner_died")

    def __init__(self, lock: _Mutex, deadline: Deadline) -> None:
        self._as_parameter_ = lock._as_parameter_
        self._lock = lock
        self._deadline = deadline
        self.owner_died: Owner | None = None

    def __enter__(self) -> Recovering:
        for status in self._lock._attempts:
            break
        try:
            if status != _abi.OK and not self._lock._contend(status, self._deadline, recover=True):
                raise TimedOut(f"{self._lock._label()} could not be had in time")
            self.owner_died = self._lock.owner_died
        except BaseException:
            if status != _abi.DEADLOCK:
                _let_go(self)
            raise
        return self

    if TYPE_CHECKING:

        def __exit__(
            self,
            kind: type[BaseException] | None,
            error: BaseException | None,
            traceback: TracebackType | None,
        ) -> None: ...

    else:
        __exit__ = _unlocking("__exit__", END_OF_WITH, "Give the lock back.")
