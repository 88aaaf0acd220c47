"""Latches: a count that goes down, and those who wait until it is 0."""

from __future__ import annotations

from ctypes import byref, c_uint32
from functools import partial

from . import _abi
from ._arguments import integer, only_open
from ._errors import check
from ._native import patient, quick
from ._object import OBJECT_SLOTS
from ._polled import POLLED_SLOTS, Polled
from ._typing import TYPE_CHECKING
from ._wait import NOW, deadline_after, wait

if TYPE_CHECKING:
    from ._arguments import Create
    from ._segment import Segment

_MOST = (1 << 31) - 1


class Latch(Polled):
    """Opens for good when it has been counted down to 0.

    `Latch(segment, "name", 3)` opens it, or makes it with 3 to come. Without a name it is
    anonymous, and others get it by a pickle or a fork; `Latch(count=3)` is such a one in
    the home segment of this process.

    It knows nothing of who counts: what somebody had to do who was killed stays to be done.
    """

    __slots__ = (*OBJECT_SLOTS, *POLLED_SLOTS)

    _noun = "latch"

    def __init__(
        self,
        segment: Segment | None = None,
        name: str | None = None,
        count: int | None = None,
        *,
        create: Create = "open",
    ) -> None:
        if count is None:
            create = only_open(create, name, "a Latch", "its count")
        first = () if create is False else (integer(count, "count", 0, _MOST),)
        self._obtain(segment, name, create, *first)

    @property
    def count(self) -> int:
        """How much is still to come."""
        out = c_uint32()
        check(quick.atoll_latch_count(self._pointer(), byref(out)))
        return out.value

    def count_down(self, n: int = 1) -> None:
        """Say that `n` of it are done, which are not more than are still to come."""
        number = integer(n, "n", 0, _MOST)
        status = quick.atoll_latch_count_down(self._pointer(), number)
        if status != _abi.OK:
            raise self._failure(status)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the count is 0. True if it is, False if the time was up first."""
        status = wait(partial(patient.atoll_latch_wait, self._pointer()), deadline_after(timeout))
        if status not in (_abi.OK, _abi.TIMED_OUT):
            raise self._failure(status)
        return status == _abi.OK

    async def wait_async(self, timeout: float | None = None) -> bool:
        """`wait` for a task of asyncio: others go on meanwhile."""
        deadline = deadline_after(timeout)
        if not self.count:
            return True
        if deadline == NOW:
            return False
        from ._asyncio import listener_for

        return await listener_for(self).until(lambda: not self.count, deadline)

    def _describe(self) -> str:
        return f"{self.count} to come"
