"""Records of an `Mpmc` written and read where they lie, for the time of a `with` block: several
blocks may be open at a time, in any threads of the process.

C keeps account of whose they are. What a block that is not finished leaves behind the process,
or the handle that is closed, gives up.
"""

from __future__ import annotations

from ctypes import byref, c_size_t, c_uint64
from functools import partial

from . import _abi
from ._arguments import integer
from ._errors import InvalidArgument
from ._handle import lend
from ._places import View
from ._ring_records import in_place
from ._types import MESSAGES
from ._typing import TYPE_CHECKING
from ._wait import deadline_after

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Callable

    from ._mpmc import _Mpmc
    from ._wait import Deadline


class _InHand(View):
    """A place that is the process's."""

    __slots__ = ("_deadline", "_place", "_ring")

    def __init__(self, ring: _Mpmc[Any], timeout: float | None) -> None:
        super().__init__()
        self._ring = ring
        self._deadline: Deadline = deadline_after(timeout)
        self._place = _abi.atoll_reservation()

    @property
    def times(self) -> int:
        """How often the record was taken over from somebody who died with it, or gave it up."""
        return self._place.times  # type: ignore[no-any-return]

    def abandon(self) -> None:
        """Give it up: what was claimed is skipped, a record that is shown goes to somebody else.
        Of what is finished there is nothing to give up."""
        if self._place.id:
            ring, number = self._ring, self._forget()
            if not ring.closed:
                ring._calls.abandon(ring._pointer(), number)  # it has been, if not by us

    def _enter(self, begin: Callable[..., int], *wanted: c_size_t, end: int) -> memoryview:
        ring, place = self._ring, self._place
        if place.id:
            raise InvalidArgument("its block is not over: begin another one for another place")
        try:
            ring._until(partial(begin, ring._pointer(), *wanted, byref(place)), end, self._deadline)
            handle = ring._handle
            if handle is None:
                raise ring._is_closed()
            return lend(handle, place.place or 0, place.len)
        except BaseException:
            self.abandon()
            raise

    def _settle(self, finish: Callable[..., int], *arguments: c_size_t) -> None:
        """Tell C that it is done."""
        ring, number = self._ring, c_uint64(self._place.id)
        if not number.value:
            raise InvalidArgument("there is no place any more: begin again with another `with`")
        try:
            status = finish(ring._pointer(), number, *arguments)
        except BaseException:
            self.abandon()  # the ring was closed, or Ctrl-C came
            raise
        self._forget()
        if status != _abi.OK:
            raise ring._failure(status)

    def _forget(self) -> c_uint64:
        """The place is others' from now on; what it was called."""
        self._release()
        number, self._place.id = c_uint64(self._place.id), 0
        return number

    def __enter__(self) -> Any:
        raise NotImplementedError

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None and self._place.id:
            self._finish()
        else:
            self.abandon()

    def _finish(self) -> None:
        raise NotImplementedError


class ClaimOne(_InHand):
    """A place claimed in a ring, made by `ring.claim()`: `with` gives it, and puts what was
    written there at its end, or nothing after an exception."""

    __slots__ = ("_wanted",)

    def __init__(self, ring: _Mpmc[Any], size: int | None, timeout: float | None) -> None:
        super().__init__(ring, timeout)
        element = ring._type
        if element is MESSAGES:
            if size is None:
                raise InvalidArgument("say how many bytes the message has at most: claim(size)")
            self._wanted = c_size_t(integer(size, "size", 0, (1 << 63) - 1))
        else:
            self._refuse_of_records(size)
            self._wanted = c_size_t(element.size)

    def __enter__(self) -> Any:
        ring = self._ring
        data = self._enter(ring._calls.claim, self._wanted, end=_abi.PRODUCERS)
        self._view = data if ring._type is MESSAGES else in_place(ring._type, data)
        return self._view

    def commit(self, size: int | None = None) -> None:
        """Put it now: of a message the first `size` bytes, or all that were claimed."""
        if self._ring._type is not MESSAGES:
            self._refuse_of_records(size)
        most = self._place.len
        count = most if size is None else integer(size, "size", 0, most)
        self._settle(self._ring._calls.commit, c_size_t(count))

    def _finish(self) -> None:
        self.commit()

    @staticmethod
    def _refuse_of_records(size: int | None) -> None:
        if size is not None:
            raise InvalidArgument("records of this ring have one size: leave it out")


class PeekOne(_InHand):
    """A record in its place, made by `ring.peek()`: `with` gives it, to be read only, and it is
    got at its end. After an exception it goes to somebody else."""

    __slots__ = ()

    def __enter__(self) -> Any:
        ring = self._ring
        data = self._enter(ring._calls.peek, end=_abi.CONSUMERS)
        if ring._type is MESSAGES:
            self._view = data.toreadonly()
        else:
            self._view = in_place(ring._type, data, readonly=True)
        return self._view

    def advance(self) -> None:
        """Get it now."""
        self._settle(self._ring._calls.advance)

    def _finish(self) -> None:
        self.advance()

