"""From what users write, and from what a segment has on record, to a `Type`."""

from __future__ import annotations

import ctypes
import struct
import sys

from . import _abi
from ._errors import InvalidArgument, WrongKind
from ._types import MESSAGES, SCALARS, Bytes, Opaque, scalar_of
from ._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any, Literal, TypeVar, Union
    from typing import Type as ClassOf

    import numpy as np

    from ._types import Scalar, Type

    # What users may write, and what a checker makes of it.
    Spec = Union[str, type, "np.dtype[Any]"]
    Boolean = Union[Literal["bool"], ClassOf[bool]]
    Integer = Union[Literal["i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64"], ClassOf[int]]
    Float = Union[Literal["f32", "f64"], ClassOf[float]]
    CStructure = TypeVar("CStructure", bound=Union[ctypes.Structure, ctypes.Union])

_BY_CODE = {scalar.code: scalar for scalar in SCALARS.values()}
_BUILTIN: dict[object, Scalar] = {
    int: SCALARS["i64"],
    float: SCALARS["f64"],
    bool: SCALARS["bool"],
}
_CTYPES = (ctypes._SimpleCData, ctypes.Structure, ctypes.Union, ctypes.Array)


def type_of(spec: object) -> Type:
    """The type that a user means."""
    if isinstance(spec, str):
        return _from_text(spec)
    if isinstance(spec, type) and spec in _BUILTIN:
        return _BUILTIN[spec]

    from . import _records  # here, because most programs get along without

    if isinstance(spec, type) and issubclass(spec, _CTYPES):
        return _records.from_ctypes(spec)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        if isinstance(spec, type) and issubclass(spec, numpy.generic):
            return _records.from_dtype(numpy.dtype(spec))
        if isinstance(spec, numpy.dtype):
            return _records.from_dtype(spec)
    raise WrongKind(
        "a type is written 'i64', or is a NumPy dtype, an array code or a ctypes class; "
        f"{spec!r} is none of these"
    )


def _from_text(text: str) -> Type:
    if text in SCALARS:
        return SCALARS[text]
    if text == "c":
        return Bytes(1)
    before, letter = text[:-1], text[-1:]
    if letter == "s" and before.isascii() and before.isdecimal() and before[0] != "0":
        return Bytes(int(before))
    if before in ("", "@", "=", "<") and letter.isascii() and (letter.isalpha() or letter == "?"):
        try:
            size = struct.calcsize(text)
        except struct.error:  # no letter of the struct module either
            size = 0
        scalar = scalar_of(letter, size)
        if scalar is not None:
            return scalar
    raise InvalidArgument(
        f"{text!r} is not a type: use one of {', '.join(SCALARS)}, '16s' for bytes, or a "
        "letter of the array module"
    )


def seen_as(element: Type | None, stored: _abi.atoll_type) -> Type:
    """The type by which to see an object: the user's, if it is that, else its own."""
    if element is None:
        return stored_type(stored)
    format = stored.format.decode(errors="replace")
    same = (element.code, element.size, element.align) == (stored.code, stored.size, stored.align)
    if not same or (element.format and format and element.format != format):
        raise WrongKind(f"the elements are {stored_type(stored)}, and not {element} as you say")
    return element


def stored_type(stored: _abi.atoll_type) -> Type:
    """The type that the segment has on record for an object."""
    if stored.code in _BY_CODE:
        return _BY_CODE[stored.code]
    if stored.code == _abi.BYTES:
        return Bytes(stored.size) if stored.size else MESSAGES
    return Opaque(stored.size, stored.align, stored.format.decode(errors="replace"))
