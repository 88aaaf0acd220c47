"""Locks that belong to the process that acquired them, whichever thread of it that was.

So any thread of any process may release. If the process has ended, however it did, the next one
has the lock, and `owner_died` to read.
"""

from __future__ import annotations

from ctypes import CFUNCTYPE, byref, c_int32, c_int64, c_void_p
from functools import partial
from itertools import repeat
from os import getpid

from .. import _abi
from .. import _accelerated as accelerated
from .._native import bare, named, quick
from .._owner import owner_of
from .._owning import NO_SLOTS
from .._release import END_OF_WITH, releasing
from .._typing import TYPE_CHECKING
from ._acquired import ACQUIRED_SLOTS, Acquired
from ._semlock import Recovered

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

    from .._owner import Owner

_AT_ONCE = None  # as an argument that is all zeros, and costs nothing
_try = bare("atoll_lock_acquire")
_WAIT: Any = CFUNCTYPE(c_int32, c_void_p, c_int64, c_void_p)
_wait = named("atoll_lock_acquire", _WAIT, ((1, "lock"), (1, "timeout_ns"), (1, "former")))


class _Lock(Acquired, Recovered):
    __slots__ = NO_SLOTS

    _noun = "lock"
    _is_lock = True

    def __init__(self, *, ctx: object = None) -> None:
        self._obtain(None, None, True)
        self._see()

    def _attempt(self) -> Any:
        self._former = _abi.atoll_owner()
        return _try, repeat((self._as_parameter_, _AT_ONCE, byref(self._former)))

    def _waiting(self) -> Any:
        return partial(_wait, self._as_parameter_, former=byref(self._former))

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
        release = releasing(
            bare("atoll_lock_release"),
            "release",
            (),
            "Give it back, whoever has it.",
            unheld=ValueError,
        )
        __exit__ = releasing(
            bare("atoll_lock_release"), "__exit__", END_OF_WITH, "Give it back.", unheld=ValueError
        )

    def _keep_account(self, status: int) -> None:
        super()._keep_account(status)
        if status == _abi.OWNER_DIED and not accelerated.ACCELERATED:
            self._note(self._former)

    def owner(self) -> Owner | None:
        """Which process holds the lock, dead or alive; None if it is free."""
        return owner_of(quick.atoll_lock_owner, self._pointer())

    def locked(self) -> bool:
        """Whether a living process holds the lock at this moment."""
        owner = self.owner()
        return owner is not None and owner.alive

    def _is_ours(self) -> bool:
        owner = self.owner()
        return owner is not None and owner.alive and owner.pid == getpid()

    def _is_mine(self) -> bool:
        return self._is_ours() and super()._is_mine()

    def _count(self) -> int:
        return int(self._is_ours())

    def _get_value(self) -> int:
        return int(not self.locked())

    def __repr__(self) -> str:
        return f"<{type(self).__name__}(owner={self._owner_name()})>"


@accelerated.outright
class Lock(accelerated.SemLock, _Lock):
    """A lock for the threads of all processes that it is sent to.

    Any thread of any process may release it. If the process that acquired it ends, or is killed,
    the next one gets it, and is told by `owner_died`.
    """

    __slots__ = (*ACQUIRED_SLOTS, "_former")
