"""Records written and read where they lie in a ring, for the time of a `with` block.

C keeps account of what is claimed and shown, and refuses what has been overtaken; so whatever
ends a block early leaves the ring as it was.
"""

from __future__ import annotations

from ctypes import byref, c_size_t, c_void_p
from functools import partial

from . import _abi
from ._arguments import integer
from ._errors import InvalidArgument
from ._handle import lend
from ._ring_records import in_place
from ._typing import TYPE_CHECKING
from ._wait import deadline_after

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

    from ._lanes import _Lanes
    from ._wait import Deadline

_MOST = (1 << 63) - 1


class View:
    """What a `with` block is given to look at, or to write to."""

    __slots__ = ("_view",)

    def __init__(self) -> None:
        self._view: Any = None

    def _release(self) -> None:
        """The places are others' from now on, and so a memoryview of them is no good."""
        view, self._view = self._view, None
        try:
            if isinstance(view, memoryview):
                view.release()
        except BufferError:
            pass  # of which there are others, or arrays


class _Places(View):
    """Places side by side in a ring."""

    __slots__ = ("_deadline", "_n", "_ring", "_wanted")

    #: What the C functions are called.
    _begin: str
    _finish: str

    def __init__(self, ring: _Lanes[Any], n: int, timeout: float | None) -> None:
        super().__init__()
        self._ring = ring
        self._wanted = integer(n, "n", 1, _MOST)
        self._deadline: Deadline = deadline_after(timeout)
        #: How many we have, while we have them.
        self._n = 0

    def __len__(self) -> int:
        return self._n

    def _enter(self, end: int) -> memoryview:
        ring = self._ring
        first, n = c_void_p(), c_size_t()
        wanted = c_size_t(self._wanted)
        begin = partial(getattr(ring._calls, self._begin), ring._pointer(), wanted)
        ring._until(partial(begin, byref(first), byref(n)), end, self._deadline)
        handle = ring._handle
        if handle is None:
            raise ring._is_closed()
        self._n = n.value
        return lend(handle, first.value or 0, self._n * ring._type.size)

    def _settle(self, n: int | None) -> None:
        """Tell C how many it was."""
        most = self._n
        if not most:
            raise InvalidArgument("there are no places any more: begin again with another `with`")
        count = most if n is None else integer(n, "n", 1, most)
        ring = self._ring
        status = getattr(ring._calls, self._finish)(ring._pointer(), c_size_t(count))
        self._forget()
        if status != _abi.OK:
            raise ring._failure(status)

    def _forget(self) -> None:
        self._n = 0
        self._release()


class Claim(_Places):
    """Places claimed in a ring, made by `ring.claim(n)`: `with` gives them, and puts what was
    written there at its end, or nothing after an exception."""

    __slots__ = ()

    _begin, _finish = "claim", "commit"

    def __enter__(self) -> Any:
        self._view = in_place(self._ring._type, self._enter(_abi.PRODUCERS))
        return self._view

    def commit(self, n: int | None = None) -> None:
        """Put the first `n` of them now, or all, and let go of the others."""
        self._settle(n)

    def abandon(self) -> None:
        """Put nothing."""
        if self._n:
            ring = self._ring
            self._forget()
            if not ring.closed:
                ring._calls.abandon(ring._pointer())  # it has been, if not by us

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None and self._n:
            self.commit()
        else:
            self.abandon()


class Peek(_Places):
    """Records shown in a ring, made by `ring.peek(n)`: `with` gives them, to be read only, and
    they are got at its end. After an exception they stay in the ring."""

    __slots__ = ()

    _begin, _finish = "peek", "advance"

    def __enter__(self) -> Any:
        data = self._enter(_abi.CONSUMERS)
        self._view = in_place(self._ring._type, data, readonly=True)
        return self._view

    def advance(self, n: int | None = None) -> None:
        """Get the first `n` of them now, or all; the others stay in the ring."""
        self._settle(n)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None and self._n:
            self.advance()
        self._forget()
