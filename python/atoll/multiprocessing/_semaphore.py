"""Semaphores: so many may go on at a time."""

from __future__ import annotations

import operator
from ctypes import byref, c_uint32
from errno import EINVAL
from functools import partial
from itertools import repeat
from os import strerror

from .. import _abi
from .. import _accelerated as accelerated
from .._errors import check
from .._native import bare, patient, quick
from .._owning import NO_SLOTS
from .._polled import POLLED_SLOTS, Polled
from .._release import END_OF_ONE, releasing
from .._typing import TYPE_CHECKING
from ._acquired import ACQUIRED_SLOTS, Acquired
from ._semlock import SEM_VALUE_MAX

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

_AT_ONCE = None  # as an argument that is all zeros, and costs nothing
_ONE = c_uint32(1)
_try = bare("atoll_semaphore_acquire")
_release = bare("atoll_semaphore_release")


def _released(outcome: None, _: object, arguments: tuple[Any, ...]) -> None:
    """Python again, but when it is done."""
    arguments[0]._keep_no_account()


def _releasing_one() -> Any:
    function = bare("atoll_semaphore_release")
    function.errcheck = _released
    return releasing(function, "__exit__", END_OF_ONE, "Give it back.")


class _Semaphore(Polled, Acquired):
    __slots__ = NO_SLOTS

    _noun = "semaphore"

    def __init__(self, value: int = 1, *, ctx: object = None, tracked: bool = False) -> None:
        permits = _permits(value)
        most = self._most(permits)
        options = _abi.atoll_semaphore_options(tracked=bool(tracked), value=permits, max=most)
        self._obtain(None, None, True, byref(options))
        self._see()

    def _most(self, permits: int) -> int:
        """How many there can be; 0 for no bound but that of the library."""
        return 0

    def _attempt(self) -> Any:
        return _try, repeat((self._as_parameter_, _AT_ONCE))

    def _waiting(self) -> Any:
        return partial(patient.atoll_semaphore_acquire, self._as_parameter_)

    if TYPE_CHECKING:

        def __enter__(self) -> bool: ...

        def __exit__(
            self,
            kind: type[BaseException] | None,
            error: BaseException | None,
            traceback: TracebackType | None,
        ) -> None: ...

    else:
        __enter__ = Acquired.acquire  # and not a call of it, after which Python may look for signals
        __exit__ = _releasing_one()

    def release(self) -> None:
        """Give it back, whoever has it."""
        status = _release(self._as_parameter_, _ONE)
        if status != _abi.OK:
            raise self._failure(status)
        self._keep_no_account()

    def _keep_no_account(self) -> None:
        try:
            self._by.pop()
        except IndexError:
            pass  # others have acquired what is given back here

    def get_value(self) -> int:
        """How often it could be acquired at this moment."""
        return self._info().value  # type: ignore[no-any-return]

    def locked(self) -> bool:
        """Whether who comes now would have to wait."""
        return not self.get_value()

    def _get_value(self) -> int:
        return self.get_value()

    def _info(self) -> _abi.atoll_semaphore_info:
        out = _abi.atoll_semaphore_info()
        check(quick.atoll_semaphore_stat(self._pointer(), byref(out)))
        return out

    def __repr__(self) -> str:
        return f"<{type(self).__name__}(value={self.get_value()})>"


def _permits(value: int) -> int:
    """How many, with the exceptions that the standard library has for what cannot be."""
    permits = operator.index(value)
    if not -SEM_VALUE_MAX <= permits <= SEM_VALUE_MAX:
        raise OverflowError(f"a semaphore has at most {SEM_VALUE_MAX} permits, not {permits}")
    if permits < 0:
        raise OSError(EINVAL, strerror(EINVAL))
    return permits


@accelerated.outright
class Semaphore(accelerated.SemLock, _Semaphore):
    """So many permits, for the threads of all processes that it is sent to.

    Permits belong to nobody: who releases need not have acquired, and what a process holds that
    is killed is lost. With `tracked=True` they belong to the process that acquired, and are free
    again when that is dead; only it may release them, there are 1 to 4096, and never more than at
    first.
    """

    __slots__ = (*ACQUIRED_SLOTS, *POLLED_SLOTS)


class BoundedSemaphore(Semaphore):
    """A `Semaphore` that never has more permits than at first: to release more is a
    `ValueError`."""

    __slots__ = ()

    def __init__(self, value: int = 1, *, ctx: object = None, tracked: bool = False) -> None:
        super().__init__(value, tracked=tracked)
        if not value:
            self.__class__ = _NothingToRelease

    def _most(self, permits: int) -> int:
        return permits

    @property
    def maxvalue(self) -> int:  # type: ignore[override]
        """How many permits it had at first."""
        return self._info().max  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        name = type(self).__name__
        return f"<{name}(value={self.get_value()}, maxvalue={self.maxvalue})>"


class _NothingToRelease(BoundedSemaphore):
    """A `BoundedSemaphore` of 0: nobody can acquire it, and so nobody release. The library has
    none such, for to it a maximum of 0 is none."""

    __slots__ = ()

    maxvalue = 0

    def release(self) -> None:
        """Refuses: nobody has acquired it."""
        raise ValueError("the semaphore has 0 permits, and none can be given back")

    def __repr__(self) -> str:
        return "<BoundedSemaphore(value=0, maxvalue=0)>"


_NothingToRelease.__name__ = "BoundedSemaphore"
