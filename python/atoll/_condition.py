"""Conditions: to wait, without a lock, for what others change under it.

A wait is in the queue from before it lets go of the lock until after it was notified, and
keeps its place from one piece to the next. When it ends, by what it may, the lock is held
again first; `_giving_way` has how. A notification that came to somebody whom an exception
ends goes on to the next.
"""

from __future__ import annotations

from ctypes import byref, c_bool
from functools import partial
from itertools import chain, starmap
from operator import attrgetter
from time import monotonic_ns

from . import _abi
from ._arguments import integer
from ._errors import NotOwner, check, failure
from ._giving_way import way_of
from ._lock import RLock
from ._native import bare, patient, quick
from ._object import OBJECT_SLOTS, SharedObject, Ticket, redeem
from ._typing import TYPE_CHECKING
from ._wait import answers, deadline_after
from ._waiter import Waiter

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Callable, TypeVar

    from ._arguments import Create
    from ._segment import Segment
    from ._wait import Deadline

    T = TypeVar("T")

_prepare = bare("atoll_condvar_prepare_wait")
_cancel = bare("atoll_condvar_cancel_wait")
_notify_one = bare("atoll_condvar_notify_one")

_MOST = (1 << 32) - 1


class Condition(SharedObject):
    """Where threads of all processes that open it wait for a change, and are told of one.

    `Condition(segment, "name")` opens it, or makes it, and with it the `RLock` "name.lock"
    that goes with it. Without a name both are anonymous, and others get them by a pickle or a
    fork; `Condition()` is such a one in the home segment of this process.

    `lock` is another lock to wait without: one of ours, a `Semaphore`, or one of `threading`
    for threads of this process. All who wait and notify have to use the same.

    A notification goes to those who have waited longest and live. If the last holder of the
    lock died, `wait` raises `OwnerDied` with the lock held; who acquires it is told as by the lock
    itself, and repairs `with condition.lock.recovering():`.
    """

    __slots__ = (*OBJECT_SLOTS, "_lock", "_way")

    _noun = "condvar"

    def __init__(
        self,
        segment: Segment | None = None,
        name: str | None = None,
        lock: Any = None,
        *,
        create: Create = "open",
    ) -> None:
        if lock is not None:
            way_of(lock)  # before anything is made
        self._obtain(segment, name, create)
        if lock is None:
            own = None if name is None else f"{name}.lock"
            lock = RLock(segment, own)  # or made, should who made the rest have died
        self._see(lock)

    def _see(self, lock: Any) -> None:
        self._lock, self._way = lock, way_of(lock)

    if TYPE_CHECKING:

        def acquire(self, block: bool = True, timeout: float | None = None) -> bool: ...

        def release(self) -> None: ...

        def __enter__(self) -> bool: ...

        def __exit__(
            self,
            kind: type[BaseException] | None,
            error: BaseException | None,
            traceback: TracebackType | None,
        ) -> None: ...

    else:
        # Those of the lock, so that nothing comes between it and who calls them.
        acquire = property(attrgetter("_lock.acquire"), doc="Take the lock.")
        release = property(attrgetter("_lock.release"), doc="Give the lock back.")
        __enter__ = property(attrgetter("_lock.__enter__"))
        __exit__ = property(attrgetter("_lock.__exit__"))

    @property
    def lock(self) -> Any:
        """The lock that goes with it."""
        return self._lock

    def wait(self, timeout: float | None = None) -> bool:
        """Let go of the lock until notified, and take it again. False if the time was up.

        The lock is let go of however often this thread holds it, and held as often again
        after, also if Ctrl-C ends the wait. `timeout` is in seconds, None for ever.
        """
        return self._wait(deadline_after(timeout))

    def wait_for(self, predicate: Callable[[], T], timeout: float | None = None) -> T:
        """Wait until the predicate, which is called with the lock held, gives something true.

        Returns what it gave last, which is false only if the time was up.
        """
        deadline = deadline_after(timeout)
        while not (result := predicate()):
            if deadline is not None and deadline <= monotonic_ns():
                break
            self._wait(deadline)
        return result

    def _wait(self, deadline: Deadline) -> bool:
        pointer, way = self._pointer(), self._way
        self._must_be_held()
        commit = partial(patient.atoll_condvar_commit_wait, pointer)
        gone: list[Any] = []
        back: list[Any] = []
        notified = c_bool()
        cancel = starmap(_cancel, ((pointer, byref(notified)),))
        let_go, return_ = way.let_go(), chain(cancel, way.take_back(gone))
        for prepared in map(_prepare, (pointer,)):
            break
        if prepared != _abi.OK:
            raise self._failure(prepared)
        status = _abi.TIMED_OUT
        try:
            try:
                gone.extend(let_go)
                for status in answers(commit, deadline) if gone else ():
                    break
            finally:
                try:
                    back.extend(return_)
                except BaseException:
                    way.insist(len(gone) + 1 - len(back))
                    raise
        except BaseException:
            if status == _abi.OK or notified:
                _notify_one(pointer)
            raise
        if not gone:
            raise failure()
        way.judge(back[1:])
        if status not in (_abi.OK, _abi.TIMED_OUT):
            raise self._failure(status)
        return status == _abi.OK or notified.value

    def notify(self, n: int = 1) -> None:
        """Have the `n` who have waited longest go on, once the lock is free."""
        number = integer(n, "n", 0, _MOST)
        self._must_be_held()
        check(quick.atoll_condvar_notify_many(self._pointer(), number))

    def notify_all(self) -> None:
        """Have all go on who wait."""
        self._must_be_held()
        check(quick.atoll_condvar_notify_all(self._pointer()))

    def waiter(self) -> Waiter:
        """A wait as an object, which has begun: from here on a notification counts.

        To wait for this and other things at a time. Make it with the lock held, after a look at
        what it is about; then let go of the lock, and wait.
        """
        return Waiter(self)

    async def wait_async(self, timeout: float | None = None) -> bool:
        """`wait` for a task of asyncio: others go on meanwhile.

        The lock belongs to the thread, and so to all tasks of the loop: await nothing else
        while it is held. It is held again afterwards, also if the task is cancelled; and then
        a notification that had come goes on to the next.
        """
        from ._condition_async import wait_for

        deadline = deadline_after(timeout)
        self._must_be_held()
        with self.waiter() as waiter:
            return await wait_for(waiter, self._way, deadline)

    def _must_be_held(self) -> None:
        if not self._way.is_held():
            raise NotOwner(f"the lock of {self._label()} is not held: acquire it first")

    def __reduce__(self) -> tuple[Any, ...]:
        if self._name is None:
            return _redeem_with, (type(self), self._lock, Ticket(self))
        return super().__reduce__()

    def _view_to_pickle(self) -> tuple[Any, ...]:
        return (self._lock,)

    def _describe(self) -> str:
        return f"with {self._lock!r}"


def _redeem_with(kind: type[Condition], lock: Any, ticket: Any) -> Condition:
    """The condition that a ticket leads to. The lock comes first in the pickle: of one that
    cannot be pickled no ticket stays behind."""
    return redeem(kind, bytes(ticket), lock)
