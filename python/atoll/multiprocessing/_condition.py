"""Conditions: to wait, without a lock, for what others change under it."""

from __future__ import annotations

from .. import _abi, _condition
from .._giving_way import _OfLock, way_of
from .._typing import TYPE_CHECKING
from .._wait import NOW
from ._rlock import RLock

if TYPE_CHECKING:
    from typing import Any

_MOST = (1 << 32) - 1


class _OfRLock(_OfLock):
    """One that has the news in itself, and raises nothing."""

    def judge(self, outcomes: list[int]) -> None:
        if _abi.OWNER_DIED in outcomes:
            self.lock._settle(_abi.OWNER_DIED, NOW, True)
        else:
            super().judge(outcomes)


class Condition(_condition.Condition):
    """Where threads of all processes that it is sent to wait for a change, and are told of one.

    `lock` is the lock to wait without, if it is not to be an `RLock` of its own: one of ours, a
    semaphore, or, for threads of this process, one of `threading`. A notification goes to those
    who have waited longest and live.
    """

    __slots__ = ()

    def __init__(self, lock: Any = None, *, ctx: object = None) -> None:
        super().__init__(lock=lock or RLock())

    def _see(self, lock: Any) -> None:
        self._lock = lock
        self._way = _OfRLock(lock) if isinstance(lock, RLock) else way_of(lock)

    def notify(self, n: int = 1) -> None:
        """Have the `n` who have waited longest go on, once the lock is free."""
        super().notify(max(0, min(n, _MOST)))

    def _must_be_held(self) -> None:
        if not self._way.is_held():
            raise AssertionError("the lock of this condition is not held: acquire it first")

    def __repr__(self) -> str:
        return f"<{type(self).__name__}({self._lock}, unknown)>"
