"""What all objects in a segment have in common: a segment, perhaps a name, a handle."""

from __future__ import annotations

from ctypes import byref, c_void_p
from typing import Any, ClassVar

from ._arguments import name_bytes, verb
from ._errors import AtollError, WrongKind, check
from ._handle import Handle
from ._native import patient, quick
from ._owning import Owning
from ._segment import Segment


class SharedObject(Owning):
    """One object of a segment."""

    __slots__ = ("_name", "_segment")

    #: What the C functions call it: atoll_<noun>_open and so on.
    _noun: ClassVar[str]

    def _obtain(
        self, segment: Segment | None, name: str | None, create: object, *arguments: Any
    ) -> None:
        """Make or open it; `arguments` stand between name and output in the C call."""
        self._handle = None
        self._segment = self._need(segment)
        self._name = name
        how = verb(create)
        if name is None and how == "open_or_create":
            how = "create"  # without a name there is nothing to find
        function = getattr(patient, f"atoll_{self._noun}_{how}")
        text = None if name is None else name_bytes(name, type(self).__name__)
        pointer = c_void_p()
        check(function(self._segment._pointer(), text, *arguments, byref(pointer)))
        self._handle = Handle(pointer, getattr(quick, f"atoll_{self._noun}_close"))

    def _need(self, segment: object) -> Segment:
        kind = type(self).__name__
        if segment is None:
            raise NotImplementedError(
                f"{kind}() without a segment is not there yet: pass one, as in "
                f"{kind}(atoll.Segment('name', create='open'), ...)"
            )
        if not isinstance(segment, Segment):
            given = type(segment).__name__
            raise WrongKind(f"{kind} needs an atoll.Segment to live in, not {given}")
        return segment

    @property
    def name(self) -> str | None:
        """The name in the segment; None for an anonymous object."""
        return self._name

    def _name_to_pickle(self) -> str:
        if self._name is None:
            raise WrongKind(f"{self._label()} cannot be pickled yet: give it a name")
        return self._name

    def _label(self) -> str:
        kind = type(self).__name__
        name = f"anonymous {kind}" if self._name is None else f"{kind} {self._name!r}"
        return f"{name} in {self._segment.name!r}"

    def _describe(self) -> str:
        """The state, for `__repr__`."""
        raise NotImplementedError

    def __repr__(self) -> str:
        try:
            state = "closed" if self.closed else self._describe()
        except AtollError as error:
            state = f"cannot be read: {error}"
        return f"<{self._label()}: {state}>"
