"""What can be waited for together with other things: it has a descriptor, and tasks wait for it.

The descriptor belongs to the handle, and to ask for it is what gets it ready to be waited for.
Each asyncio loop waits by a handle of its own. So one loop never empties a descriptor that
another one, or a `select` of the program's own, is about to look at.
"""

from __future__ import annotations

from ctypes import byref, c_int, c_void_p

from . import _abi
from ._errors import check
from ._handle import Handle
from ._native import patient
from ._object import SharedObject, export
from ._owning import NO_SLOTS, Owning
from ._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from typing import Any, MutableMapping, Tuple

    from ._asyncio import Listener

#: Of classes of such objects, beside those of all objects; see `_owning`.
POLLED_SLOTS = ("_listeners",)


def descriptor(noun: str, pointer: Any, *end: int) -> int:
    """The descriptor of an object, emptied, and armed for what happens from now on."""
    out = c_int()
    check(getattr(patient, f"atoll_{noun}_descriptor")(pointer, *end, byref(out)))
    return out.value


class Ready(Owning):
    """What `atoll.wait`, `select` and asyncio can wait for: an object, or an end of one."""

    __slots__ = NO_SLOTS

    #: What the C functions of the object are called after.
    _noun: str

    #: Which end it is, for C; there is nothing to say of what has no ends.
    _end: Tuple[int, ...] = ()

    #: Who waits in which loop of asyncio; nobody has so far if it is not there.
    _listeners: MutableMapping[AbstractEventLoop, Listener]

    def close(self) -> None:
        """Let go of it; it stays in its segment as it is. Tasks that wait for it get `Closed`."""
        super().close()
        self._let_go()
        if hasattr(self, "_listeners"):
            from ._asyncio import end_all

            end_all(self)

    def _let_go(self) -> None:
        """Forget what is good while it is open. Tasks that wait look after that."""

    def fileno(self) -> int:
        """A descriptor for `select` and its like, readable when a wait would end at once.

        It may be readable when that is not so: look, and try again. To ask for it is what
        empties it and arms it, so ask again before each wait: `select.select` and
        `multiprocessing.connection.wait` do, and a `selectors` selector or an event loop does
        not. It belongs to this object and is closed with it.
        """
        return descriptor(self._noun, self._pointer(), *self._end)

    def _another_handle(self) -> Handle:
        """One to the same object that nobody else has."""
        ticket, pointer = export(self._noun, self._pointer()), c_void_p()
        of_library = _abi.atoll_ticket.from_buffer_copy(ticket)
        check(getattr(patient, f"atoll_{self._noun}_import")(byref(of_library), byref(pointer)))
        return Handle(pointer, getattr(patient, f"atoll_{self._noun}_close"))


class Polled(Ready, SharedObject):
    """A whole object that can be waited for."""

    __slots__ = NO_SLOTS
