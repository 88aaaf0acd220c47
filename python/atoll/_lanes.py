"""What rings have whose ends have holders: these know where they are, and so can lend places."""

from __future__ import annotations

from ._errors import check
from ._native import quick
from ._owning import NO_SLOTS
from ._places import Claim, Peek
from ._ring import ENDS, Calls, T, _Ring, number_of
from ._typing import TYPE_CHECKING, Generic

if TYPE_CHECKING:
    from typing import Callable

    from ._ring import EndName


class LaneCalls(Calls):
    """With those that lend places."""

    VERBS = (*Calls.VERBS, "claim", "commit", "abandon", "peek", "advance")

    abandon: Callable[..., int]


class _Lanes(_Ring[T], Generic[T]):
    __slots__ = NO_SLOTS

    _calls: LaneCalls

    def claim(self, n: int = 1, timeout: float | None = 0) -> Claim:
        """Up to `n` places for records, to be written where they are.

        `with ring.claim(8) as places:` gives a memoryview of numbers or bytes, an ndarray or an
        array of ctypes: as many as there are side by side, at least one, with whatever was
        left in them. At the end of the block they are put, all at once; or none of them if it
        ended with an exception. The claim itself can `commit(n)` fewer, before the end.

        Raises `NoRoom` if there is no room, or none came within `timeout` seconds.
        """
        return Claim(self, n, timeout)

    def peek(self, n: int = 1, timeout: float | None = 0) -> Peek:
        """Up to `n` records, to be read where they are.

        `with ring.peek(8) as records:` gives them as `claim` does: as many as there are side by
        side, at least one. At the end of the block they are got; or they stay, if it ended with
        an exception. The peek itself can `advance(n)` by fewer, before the end.

        Raises `Empty` if there are none, or none came within `timeout` seconds.
        """
        return Peek(self, n, timeout)

    def leave(self, end: EndName) -> None:
        """Give up being its producer or consumer, so that somebody else can take over. To close
        it does that, too, and so does the end of the process, whatever ends that."""
        number = number_of(end, ENDS, "end")
        check(getattr(quick, f"atoll_{self._noun}_leave")(self._pointer(), number))
