"""What a process acquires, and keeps account of: locks and semaphores that no thread owns.

As in `atoll._semaphore`, an attempt is made by a `for` statement over an iterator that calls the
library. What an exception finds acquired after that, it gives back. With the accelerator it is C
that calls and keeps account, and this is for what does not go as usual.
"""

from __future__ import annotations

from collections import deque
from itertools import chain, islice, repeat, starmap
from os import getpid
from threading import get_ident

from .. import _abi
from .._accelerated import ACCELERATED
from .._object import OBJECT_SLOTS
from .._owning import NO_SLOTS
from .._typing import TYPE_CHECKING
from .._wait import NOW, answers, deadline_after
from ._semlock import SemLock

if TYPE_CHECKING:
    from typing import Any, Callable, ClassVar, Iterator

    from .._handle import Handle
    from .._wait import Deadline

#: Acquired, whether somebody has died with it or not.
_TAKEN = frozenset((_abi.OK, _abi.OWNER_DIED))

#: How often a condition can let go of one, if there is no accelerator, which counts.
_DEEPEST = 64

ACQUIRED_SLOTS = (*OBJECT_SLOTS, "_as_parameter_", "_attempts", "_by", "_wait_for")


class Acquired(SemLock):
    __slots__ = NO_SLOTS

    #: Whether it is a lock to the accelerator, or else a semaphore.
    _is_lock: ClassVar[bool] = False

    def _see(self) -> None:
        assert self._handle is not None
        #: The handle, where ctypes looks for it.
        self._as_parameter_ = self._handle.pointer
        #: Of which process and thread those were who have acquired.
        self._by: deque[tuple[int, int]] = deque(maxlen=_DEEPEST)
        #: Calls the library each time it is asked for the next one.
        self._attempts: Iterator[int] = starmap(*self._attempt())
        self._wait_for = self._waiting()
        self._bind(self._handle, self._handle.address, self._is_lock)

    def close(self) -> None:
        """Let go of it; it stays as it is for others."""
        super().close()
        self._unbind()

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        """Acquire it. True if that was done, False if the time was up first.

        `timeout` is in seconds, None for ever; 0 and less try once, as does `block=False`.
        """
        deadline = None if timeout is None else deadline_after(timeout)
        status = _abi.TIMED_OUT
        try:
            for status in self._answers(deadline if block else NOW):
                break
            if status in _TAKEN:
                self._keep_account(status)
                return True
        except BaseException:
            if status in _TAKEN:
                self.release()
            raise
        if status == _abi.TIMED_OUT:
            return False
        raise self._failure(status)

    if TYPE_CHECKING:

        def release(self) -> None:
            """Give it back."""

        def _wait(self, deadline: Deadline) -> int:
            """Acquire it in C, and keep account of it there."""

        def _attempt(self) -> tuple[Callable[..., int], Iterator[tuple[Any, ...]]]:
            """A call that tries to acquire it, and its arguments for each time."""

        def _waiting(self) -> Callable[[int], int]:
            """A call that tries for so many nanoseconds."""

    def _answers(self, deadline: Deadline) -> Iterator[int]:
        """What the library says in the end. Nothing is as good as that the time was up."""
        if ACCELERATED:
            return map(self._wait, (deadline,))
        at_once = filter(_abi.TIMED_OUT.__ne__, islice(self._attempts, 1))
        return chain(at_once, answers(self._wait_for, deadline))

    def _keep_account(self, status: int) -> None:
        """Note that it was acquired in Python."""
        if not ACCELERATED:
            self._by.append((getpid(), get_ident()))

    def _acquired(self) -> tuple[int, int]:
        """How often this process has acquired it and not given it back, and by which thread it
        did so last."""
        here = [thread for pid, thread in self._by.copy() if pid == getpid()]
        return len(here), here[-1] if here else 0

    def _is_mine(self) -> bool:
        times, thread = self._acquired()
        return times > 0 and thread == get_ident()

    def _count(self) -> int:
        return self._acquired()[0]

    def _bind(self, handle: Handle, pointer: int, is_lock: bool) -> None:
        """Have the accelerator know it; there may be none."""

    def _unbind(self) -> None:
        """Have the accelerator forget it."""
