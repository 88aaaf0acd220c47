"""Semaphores: so many may go on at a time.

A permit belongs to nobody, so nothing can give back later what an exception from a signal
handler may have left behind. Therefore, as in `_lock`, each attempt is made by a `for`
statement, also those that wait; and what has taken a permit returns to the caller at once.
"""

from __future__ import annotations

from ctypes import byref
from functools import partial
from itertools import repeat, starmap

from . import _abi
from . import _accelerated as accelerated
from ._arguments import integer
from ._errors import InvalidArgument, WrongKind, check
from ._native import bare, patient, quick
from ._object import OBJECT_SLOTS
from ._owning import NO_SLOTS
from ._polled import POLLED_SLOTS, Polled
from ._release import END_OF_ONE, releasing, releasing_some
from ._typing import TYPE_CHECKING
from ._wait import NOW, answers, deadline_after

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Callable, Iterator

    from ._arguments import Create
    from ._handle import Handle
    from ._segment import Segment

_AT_ONCE = None  # as an argument that is all zeros, and costs nothing
_take = bare("atoll_semaphore_acquire")

#: The maximum of a semaphore that has none.
UNBOUNDED = (1 << 31) - 1


class _Semaphore(Polled):
    __slots__ = NO_SLOTS

    _noun = "semaphore"

    #: The accelerator's attempt, whose truth is whether it took a permit.
    _at_once: Any = False

    def __init__(
        self,
        segment: Segment | None = None,
        name: str | None = None,
        value: int = 1,
        *,
        tracked: bool = False,
        create: Create = "open",
    ) -> None:
        options = _abi.atoll_semaphore_options(tracked=bool(tracked))
        if create is not False:
            self._plan(options, integer(value, "value", 0, UNBOUNDED))
        try:
            self._obtain(segment, name, create, byref(options))
        except WrongKind:
            if create is not False or tracked:
                raise
            options.tracked = True  # who only opens it need not know
            self._obtain(segment, name, create, byref(options))
        self._see()

    def _plan(self, options: _abi.atoll_semaphore_options, value: int) -> None:
        """Say with how many permits to make it."""
        options.value = value

    def _see(self) -> None:
        assert self._handle is not None
        #: The handle, where ctypes looks for it.
        self._as_parameter_ = pointer = self._handle.pointer
        #: Calls the library each time it is asked for the next one.
        self._attempts: Iterator[int] = starmap(_take, repeat((pointer, _AT_ONCE)))
        self._wait_for: Callable[[int], int] = partial(patient.atoll_semaphore_acquire, pointer)
        self._bind(self._handle, self._handle.address)

    def _let_go(self) -> None:
        self._unbind()

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        """Take a permit. True if there was one, False if the time was up first.

        `timeout` is in seconds, None for ever; 0 and less try once, as does `block=False`.
        """
        deadline = None if timeout is None else deadline_after(timeout)
        if self._at_once:
            return True
        for status in self._attempts:
            break
        if status == _abi.OK:
            return True
        if status == _abi.TIMED_OUT and block and deadline != NOW:
            for status in answers(self._wait_for, deadline):
                break
            if status == _abi.OK:
                return True
        if status == _abi.TIMED_OUT:
            return False
        raise self._failure(status)

    __enter__ = acquire  # and not a call of it, after which Python may look for signals

    async def acquire_async(self, timeout: float | None = None) -> bool:
        """`acquire` for a task of asyncio: others go on meanwhile.

        Tasks of one loop get permits in the order in which they asked. One that is cancelled
        while it waits has taken none.
        """
        deadline = deadline_after(timeout)
        if deadline == NOW:
            return self.acquire(False)
        from ._asyncio import is_waited_for, listener_for

        if not is_waited_for(self) and self.acquire(False):
            return True
        listener = listener_for(self, one_at_a_time=True)
        return await listener.until(partial(self.acquire, False), deadline)

    if TYPE_CHECKING:

        def release(self, n: int = 1) -> None: ...

        def __exit__(
            self,
            kind: type[BaseException] | None,
            error: BaseException | None,
            traceback: TracebackType | None,
        ) -> None: ...

    else:
        release = releasing_some(
            "atoll_semaphore_release",
            "release",
            "Give back `n` permits, or make so many more. Raises `Full` beyond the maximum.",
        )
        __exit__ = releasing(
            bare("atoll_semaphore_release"), "__exit__", END_OF_ONE, "Give the permit back."
        )

    def get_value(self) -> int:
        """How many permits there are to be had at this moment."""
        return self._info().value  # type: ignore[no-any-return]

    def locked(self) -> bool:
        """Whether there is none to be had at this moment."""
        return not self.get_value()

    def _info(self) -> _abi.atoll_semaphore_info:
        out = _abi.atoll_semaphore_info()
        check(quick.atoll_semaphore_stat(self._pointer(), byref(out)))
        return out

    def _bind(self, handle: Handle, pointer: int | None) -> None:
        """Have the accelerator know the semaphore; there may be none."""

    def _unbind(self) -> None:
        """Have the accelerator forget it."""

    def _describe(self) -> str:
        info = self._info()
        most = "" if info.max == UNBOUNDED else f" of {info.max}"
        return f"{info.value}{most} free{', tracked' if info.tracked else ''}"


@accelerated.outright
class Semaphore(accelerated.Semaphore, _Semaphore):
    """So many permits, for the threads of all processes that open it.

    `Semaphore(segment, "name", 3)` opens it, or makes it with 3 permits. Without a name it
    is anonymous, and others get it by a pickle or a fork; `Semaphore(value=3)` is such a
    one in the home segment of this process.

    Permits belong to nobody: who releases need not have acquired, and what a process holds
    that is killed is lost. Of a `tracked` one they belong to the process that acquired, and
    are free again when it is dead; and there are never more than at first. It costs more,
    and takes 1 to 4096.
    """

    __slots__ = (*OBJECT_SLOTS, *POLLED_SLOTS, "_as_parameter_", "_attempts", "_wait_for")


class BoundedSemaphore(Semaphore):
    """A `Semaphore` that never has more permits than at first: to release more raises `Full`,
    which is a `ValueError`."""

    __slots__ = ()

    def _plan(self, options: _abi.atoll_semaphore_options, value: int) -> None:
        if not value:
            raise InvalidArgument("a BoundedSemaphore of 0 could never be acquired: give a value")
        options.value = options.max = value

    def _see(self) -> None:
        super()._see()
        if self._info().max == UNBOUNDED:
            label = self._label()
            self.close()
            raise WrongKind(f"{label} has no bound: open it as a Semaphore")
