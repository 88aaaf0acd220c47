"""What the locks and semaphores here have in common, and what their owner is called.

The standard library's own code, and that of others, asks a lock's `_semlock` who holds it: its
queues do, and its conditions. Ours answer that themselves.
"""

from __future__ import annotations

import threading
from multiprocessing import process

from .. import _abi
from .._object import SharedObject
from .._owner import owner_in
from .._owning import NO_SLOTS
from .._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from .._owner import Owner

RECURSIVE_MUTEX, SEMAPHORE = range(2)

#: The most permits that a semaphore can have.
SEM_VALUE_MAX = (1 << 31) - 1


class SemLock(SharedObject):
    """A lock or a semaphore."""

    __slots__ = NO_SLOTS

    kind = SEMAPHORE
    maxvalue = SEM_VALUE_MAX

    @property
    def _semlock(self) -> Any:
        return self

    if TYPE_CHECKING:

        def locked(self) -> bool:
            """Whether who comes now would have to wait."""

        def _is_mine(self) -> bool:
            """Whether this thread has it: of what belongs to no thread, was the last to acquire."""

        def _count(self) -> int:
            """How often this process has it."""

        def _get_value(self) -> int:
            """How often it could be acquired."""

    def _is_zero(self) -> bool:
        return self._get_value() == 0

    def _owner_name(self) -> str:
        """Who holds it, as it stands in `__repr__`."""
        if self._is_mine():
            name, thread = process.current_process().name, threading.current_thread().name
            return name if thread == "MainThread" else f"{name}|{thread}"
        if self._get_value():
            return "None"
        return "SomeOtherThread" if self._count() else "SomeOtherProcess"


class Recovered(SemLock):
    """A lock that is had again when its owner has died, and then has the news of it."""

    __slots__ = NO_SLOTS

    maxvalue = 1

    @property
    def owner_died(self) -> Owner | None:
        """Who died or ended holding the lock, as this process found when it acquired it; until
        `mark_consistent`. What the lock guards may be half-changed."""
        news = self._handle.former if self._handle else None
        return owner_in(_abi.atoll_owner.from_buffer_copy(news)) if news else None

    def mark_consistent(self) -> None:
        """Forget the news: what the lock guards is in order again."""
        if self._handle:
            self._handle.former = None

    def _note(self, former: _abi.atoll_owner) -> None:
        if self._handle:
            self._handle.former = bytes(former)
