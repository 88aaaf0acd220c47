"""Handles of the C library, closed when the last thing that needs them is gone."""

from __future__ import annotations

import ctypes

from ._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any, Callable

_untrack = ctypes.pythonapi["PyObject_GC_UnTrack"]
_untrack.argtypes, _untrack.restype = (ctypes.py_object,), None


class Handle:
    """Owns one handle of the C library.

    Whatever lends out mapped memory keeps a reference to its handle, so the memory
    is there as long as anything can see it. To close early, drop the reference.

    The garbage collector does not know this object. It finalises the members of a
    dead cycle in any order, and would close the handle, and with it unmap the memory,
    while another member's `__del__` may still look at a view. Left alone, the handle
    goes when the last reference does.

    Nothing is closed at interpreter exit: the process ends, and the library knows.
    """

    __slots__ = ("_close", "address", "former", "pointer")

    def __init__(self, pointer: ctypes.c_void_p, close: Callable[[Any], Any]) -> None:
        self.address = pointer.value or 0
        #: As an argument, ready made: of a c_void_p ctypes would make this in each call.
        self.pointer: Any = ctypes.c_void_p.from_param(self.address)
        self._close = close
        #: Of a lock of `atoll.multiprocessing`: who was found to have died holding it.
        self.former: bytes | None = None
        _untrack(self)

    def __del__(self) -> None:
        # The status has no taker: the worst it can say is that the handle is gone.
        self._close(self.pointer)


def lend(handle: Handle, address: int, size: int) -> memoryview:
    """Mapped memory as bytes, there for as long as any view of it is."""
    block = (ctypes.c_char * size).from_address(address)
    block.handle = handle  # type: ignore[attr-defined]
    return memoryview(block).cast("B")
