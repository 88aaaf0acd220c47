"""Waits for conditions that are objects, to be waited for together with other things.

Each is in the queue of its condition from when it is made until it ends. Whatever ends one
that was notified without anybody having asked passes the notification on.
"""

from __future__ import annotations

from ctypes import byref, c_bool, c_void_p

from ._errors import NotOwner, check
from ._handle import Handle
from ._native import bare, patient, quick
from ._owning import OWNING_SLOTS, Closing
from ._polled import descriptor
from ._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._condition import Condition


_notify_one = bare("atoll_condvar_notify_one")


class Waiter(Closing):
    """A wait for a `Condition` that has begun. Made by `condition.waiter()`.

    It belongs to the thread that made it; others may only close it. It is closed by `with`, or
    when nothing refers to it any more; a notification that came and that nobody asked for by
    `notified` goes on to the next then.
    """

    __slots__ = (*OWNING_SLOTS, "_condition", "_notified")

    def __init__(self, condition: Condition) -> None:
        self._handle = None
        self._condition = condition
        self._notified: bool | None = None
        pointer = c_void_p()
        check(patient.atoll_waiter_create(condition._pointer(), byref(pointer)))
        self._handle = Handle(pointer, patient.atoll_waiter_close)

    def fileno(self) -> int:
        """A descriptor for `select` and its like, readable when it was notified.

        It may be readable when it was not. To ask for it is what empties it and arms it, so
        ask again before each wait. It belongs to the waiter and is closed with it.
        """
        return descriptor("waiter", self._pointer())

    def notified(self) -> bool:
        """End the wait, and say whether it was notified; once it has ended, say so again.

        To look without ending it, `atoll.wait([waiter], 0)`.
        """
        if self._notified is None:
            out = c_bool()
            check(quick.atoll_waiter_finish(self._pointer(), byref(out)))
            self._notified = out.value
        return self._notified

    def pass_on(self) -> None:
        """End the wait, and have a notification that came be for the next, also if `notified`
        was told of it already."""
        try:
            if self.notified():
                check(_notify_one(self._condition._pointer()))
        except NotOwner:
            pass  # the garbage collector came in another thread; to be closed passes it on, too
        self.close()

    def _label(self) -> str:
        return f"the waiter for {self._condition._label()}"

    def __repr__(self) -> str:
        if self._notified is not None:
            state = "notified" if self._notified else "ended, not notified"
        else:
            state = "closed" if self.closed else "waiting"
        return f"<Waiter for {self._condition._label()}: {state}>"
