"""What all objects in a segment have in common: a segment, perhaps a name, a handle.

A pickle of an object that has a name says the name. One without a name is sent by a
*ticket*, which keeps the object there until somebody loads the pickle, or the process
that pickled it ends. Whoever loads a pickle, of either kind, once or often, here or
elsewhere, gets a handle of his own to the same object; and so does `copy`.
"""

from __future__ import annotations

from ctypes import byref, c_void_p, sizeof
from functools import partial

from . import _abi
from ._arguments import name_bytes, verb
from ._errors import AtollError, InvalidArgument, WrongKind, check
from ._handle import Handle
from ._home import home
from ._native import patient
from ._owning import NO_SLOTS, OWNING_SLOTS, Owning
from ._segment import Segment
from ._typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any, Type, TypeVar, Union

    Self = TypeVar("Self", bound="SharedObject")

#: Of classes of objects; see `_owning`.
OBJECT_SLOTS = (*OWNING_SLOTS, "_name", "_segment")


class Elsewhere(NamedTuple):
    """The segment of an object that came by a ticket, which opens no `Segment`."""

    name: str
    readonly: bool = False


class SharedObject(Owning):
    """One object of a segment."""

    __slots__ = NO_SLOTS

    #: What the C functions call it: atoll_<noun>_open and so on.
    _noun: str

    _segment: Union[Segment, Elsewhere]

    def _obtain(
        self,
        segment: Segment | None,
        name: str | None,
        create: object,
        *arguments: Any,
        initial: bytes | None = None,
    ) -> None:
        """Make or open it; `arguments` stand between name and output in the C call."""
        self._handle = None
        how = verb(create)
        self._segment = self._need(segment, name)
        self._name = name
        if name is None and how == "open_or_create":
            how = "create"  # without a name there is nothing to find
        if initial is not None and how != "open":
            how += "_with"
            arguments += (initial, len(initial))
        text = None if name is None else name_bytes(name, type(self).__name__)
        self._own(how, self._segment._pointer(), text, *arguments)

    def _own(self, how: str, *arguments: Any) -> None:
        pointer = c_void_p()
        check(getattr(patient, f"atoll_{self._noun}_{how}")(*arguments, byref(pointer)))
        self._handle = Handle(pointer, getattr(patient, f"atoll_{self._noun}_close"))

    def _need(self, segment: object, name: object) -> Segment:
        kind = type(self).__name__
        if segment is None:
            if name is not None:
                raise InvalidArgument(
                    f"a name needs a segment to be found in: {kind}(segment, {name!r}, ...), "
                    f"or leave the name out"
                )
            return home()
        if not isinstance(segment, Segment):
            given = type(segment).__name__
            raise WrongKind(
                f"{kind} needs an atoll.Segment to live in, or none and the rest by keyword, "
                f"not {given}"
            )
        return segment

    @property
    def name(self) -> str | None:
        """The name in the segment; None for an anonymous object."""
        return self._name

    def __reduce__(self) -> tuple[Any, ...]:
        if self._name is None:
            return redeem, (type(self), self._ticket(), *self._view_to_pickle())
        again: Any = type(self)
        return partial(again, create=False), (self._segment, self._name, *self._view_to_pickle())

    def _view_to_pickle(self) -> tuple[Any, ...]:
        """How this process sees what the object has in it."""
        return ()

    def _ticket(self) -> bytes:
        return export(self._noun, self._pointer())

    def _see(self, *view: Any) -> None:
        """Fit a new object to its handle; `view` is what `_view_to_pickle` gave."""

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


def export(noun: str, pointer: Any) -> bytes:
    """A ticket for the object that a handle is to."""
    ticket = _abi.atoll_ticket()
    check(getattr(patient, f"atoll_{noun}_export")(pointer, byref(ticket)))
    return bytes(ticket)


class Ticket:
    """Stands for a ticket in a pickle, which is made when the pickler comes to it, after what
    comes before and may fail."""

    def __init__(self, object: SharedObject) -> None:
        self._object = object

    def __bytes__(self) -> bytes:
        return self._object._ticket()

    def __reduce__(self) -> tuple[Any, ...]:
        return bytes, (bytes(self),)


def redeem(kind: Type[Self], data: bytes, *view: Any) -> Self:
    """The object that a ticket leads to."""
    if len(data) != sizeof(_abi.atoll_ticket):
        raise InvalidArgument(
            "the pickle was made by another version of atoll: use one in all processes"
        )
    ticket = _abi.atoll_ticket.from_buffer_copy(data)
    object = kind.__new__(kind)
    object._handle = None
    object._name = None
    object._segment = Elsewhere(ticket.segment.decode(errors="replace"))
    object._own("import", byref(ticket))
    object._see(*view)
    return object
