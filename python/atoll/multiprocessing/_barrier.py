"""Barriers: a number of parties that wait for each other."""

from __future__ import annotations

import threading

from .. import _barrier
from .._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any, Callable

#: The most parties that the library knows; stands for a number that cannot be reached.
_NEVER = (1 << 15) - 1


class Barrier(threading.Barrier):
    """As many parties as it was made for wait for each other, again and again.

    Whoever is killed while it waits breaks the barrier, and `BrokenBarrierError` says so to the
    others, with his `pid`.
    """

    def __init__(
        self,
        parties: int,
        action: Callable[[], object] | None = None,
        timeout: float | None = None,
        *,
        ctx: object = None,
    ) -> None:
        # Nobody ever comes through one for no parties.
        native = _barrier.Barrier(
            parties=parties if parties >= 1 else _NEVER, action=action, timeout=timeout
        )
        self.__setstate__((parties, native))

    def __getstate__(self) -> tuple[int, _barrier.Barrier]:
        return self._parties, self._native

    def __setstate__(self, state: tuple[int, _barrier.Barrier]) -> None:
        self._parties, self._native = state

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the other parties. Each gets another number, from 0 to `parties - 1`.

        If they do not all come through, raises `BrokenBarrierError`.
        """
        return self._native.wait(timeout)

    def reset(self) -> None:
        """Make it as new. Who is in it raises `BrokenBarrierError`."""
        self._native.reset()

    def abort(self) -> None:
        """Break it, for all who are in it and who come, until `reset`."""
        self._native.abort()

    @property
    def parties(self) -> int:
        """How many it is for."""
        return self._parties

    @property
    def n_waiting(self) -> int:
        """How many are in it at this moment."""
        return self._native.n_waiting

    @property
    def broken(self) -> bool:
        """Whether it is broken at this moment."""
        return self._native.broken
