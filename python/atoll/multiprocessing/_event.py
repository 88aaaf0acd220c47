"""Events: something that has happened, until it is cleared."""

from __future__ import annotations

from .. import _event


class Event(_event.Event):
    """Something that the threads of all processes that it is sent to can wait for.

    Nobody ever waits for one who is dead: `set` wakes whoever lives.
    """

    __slots__ = ()

    def __init__(self, *, ctx: object = None) -> None:
        super().__init__()

    def __repr__(self) -> str:
        state = "set" if self.is_set() else "unset"
        return f"<{type(self).__qualname__} at {id(self):#x} {state}>"
