"""Locks that their owner, a thread, may acquire again."""

from __future__ import annotations

from _thread import get_native_id
from ctypes import byref, c_uint32
from os import getpid

from .. import _abi
from .. import _accelerated as accelerated
from .._errors import check
from .._lock import MUTEX_SLOTS, _Mutex
from .._native import bare, quick
from .._owning import NO_SLOTS
from .._release import END_OF_WITH, releasing
from .._typing import TYPE_CHECKING
from ._semlock import RECURSIVE_MUTEX, Recovered

if TYPE_CHECKING:
    from typing import Any

    from .._wait import Deadline


def _unlocking(name: str, takes: tuple[Any, ...], doc: str) -> Any:
    function = bare("atoll_mutex_unlock")
    return releasing(function, name, takes, doc, unheld=AssertionError)


class _RLock(Recovered, _Mutex):
    __slots__ = NO_SLOTS

    kind = RECURSIVE_MUTEX
    _recursive = True

    def __init__(self, *, ctx: object = None) -> None:
        super().__init__()

    if not TYPE_CHECKING:
        release = _unlocking("release", (), "Give the lock back. Only the holder may.")
        __exit__ = _unlocking("__exit__", END_OF_WITH, "Give the lock back.")

    def _settle(self, status: int, deadline: Deadline, recover: bool) -> bool:
        if status != _abi.OWNER_DIED:
            return super()._settle(status, deadline, recover)
        former = _abi.atoll_owner()
        check(quick.atoll_mutex_dead_owner(self._pointer(), byref(former)))
        check(quick.atoll_mutex_mark_consistent(self._pointer()))
        self._note(former)
        return True

    def _is_mine(self) -> bool:
        owner = self.owner()
        return owner is not None and (owner.pid, owner.tid) == (getpid(), get_native_id())

    def _count(self) -> int:
        owner = self.owner()
        return self._depth() if owner and owner.alive and owner.pid == getpid() else 0

    def _depth(self) -> int:
        """How often its owner has it, as it says beside the word of the lock."""
        place, pointer = _abi.atoll_place(), self._pointer()
        check(quick.atoll_mutex_place(pointer, _abi.PLACE_CONTRACT, byref(place)))
        return 1 + c_uint32.from_address(place.word + 8).value if place.word else 1

    def _get_value(self) -> int:
        return int(not self.locked())

    def __repr__(self) -> str:
        name = self._owner_name()
        count = self._count() if self._is_mine() else 0 if name == "None" else "nonzero"
        return f"<{type(self).__name__}({name}, {count})>"


@accelerated.outright
class RLock(accelerated.Mutex, _RLock):
    """A lock for the threads of all processes that it is sent to, which its owner may acquire
    again, and then releases as often.

    If the owner ends or is killed, the next one gets it, and is told by `owner_died`.
    """

    __slots__ = MUTEX_SLOTS
