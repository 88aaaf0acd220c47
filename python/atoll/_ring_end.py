"""The two ends of a ring, as what one waits for: something to get, and room to put."""

from __future__ import annotations

from . import _abi
from ._owning import OWNING_SLOTS
from ._polled import POLLED_SLOTS, Ready
from ._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Tuple

    from ._handle import Handle


class RingEnd(Ready):
    """An end of a ring, for `atoll.wait`, `select` and their like: `ring.readable` is ready when
    `get` would not have to wait, `ring.writable` when `put` would not. It is closed with its
    ring."""

    __slots__ = (*OWNING_SLOTS, *POLLED_SLOTS, "_end", "_label_of_ring", "_noun")

    def __init__(self, noun: str, handle: Handle, end: int, label_of_ring: str) -> None:
        self._noun = noun
        self._handle = handle
        self._end: Tuple[int, ...] = (end,)
        self._label_of_ring = label_of_ring

    def _another_handle(self) -> Handle:
        """Of room the same one: it is room in the lane that this handle has."""
        if self._end == (_abi.CONSUMERS,):
            return super()._another_handle()
        self._pointer()
        assert self._handle is not None
        return self._handle

    def _label(self) -> str:
        return self._label_of_ring

    def __repr__(self) -> str:
        end = "readable" if self._end == (_abi.CONSUMERS,) else "writable"
        return f"<{self._label_of_ring}, {end}{': closed' if self.closed else ''}>"
