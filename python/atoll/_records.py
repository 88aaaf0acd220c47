"""Elements with parts: C structs as ctypes classes or as NumPy dtypes.

The same struct gets the same format text whichever way it was described, so that a
ctypes class opens what a dtype made: fields in order, `<` before each number, every
gap written out as pad bytes. A struct that the format cannot tell exactly (a union, bit
fields, a text over 63 bytes) gets none: then only size and alignment are compared.
"""

from __future__ import annotations

import ctypes

from . import _abi
from ._errors import InvalidArgument, WrongKind
from ._types import SCALARS, Bytes, Opaque, Type, scalar_of
from ._typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any, Iterable

    import numpy as np

_MOST_FORMAT = _abi.atoll_type.format.size - 1


class CStruct(Type):
    """A ctypes structure, union or array."""

    __slots__ = ()

    def __str__(self) -> str:
        return str(self.spec.__name__)

    def encode(self, value: object) -> bytes:
        if not isinstance(value, self.spec):
            kind = type(value).__name__
            raise WrongKind(f"{self} takes its own instances, not {kind}")
        return bytes(value)

    def decode(self, data: memoryview) -> Any:
        return self.spec.from_buffer_copy(data)

    def window(self, data: memoryview) -> Any:
        return self.spec.from_buffer(data)

    def view(self, data: memoryview, shape: tuple[int, ...]) -> memoryview:
        block = self.spec
        for count in reversed(shape):
            block = block * count
        return memoryview(block.from_buffer(data))

    def dtype(self) -> np.dtype[Any]:
        import numpy

        dtype: np.dtype[Any] = numpy.dtype(self.spec)
        return dtype


class Record(Type):
    """A structured NumPy dtype, or one of fixed-size subarrays."""

    __slots__ = ()

    def encode(self, value: object) -> bytes:
        cell = _block(self.spec, ())
        try:
            cell[...] = value
        except TypeError as error:
            raise WrongKind(f"{self} does not take this: {error}") from None
        except (ValueError, OverflowError) as error:
            raise InvalidArgument(f"{self} does not take this: {error}") from None
        return cell.tobytes()

    def decode(self, data: memoryview) -> Any:
        return self.window(memoryview(bytearray(data)))

    def window(self, data: memoryview) -> Any:
        return _block(self.spec, (1,), data)[0]

    def view(self, data: memoryview, shape: tuple[int, ...]) -> memoryview:
        # That an ndarray is a buffer is known to type checkers from Python 3.12 on only.
        block: Any = _block(self.spec, shape, data)
        return memoryview(block)

    def dtype(self) -> np.dtype[Any]:
        return self.spec  # type: ignore[no-any-return]


def _block(
    dtype: np.dtype[Any], shape: tuple[int, ...], data: memoryview | None = None
) -> np.ndarray[Any, Any]:
    """These bytes as an array, or a new one of zeros."""
    import numpy

    return numpy.zeros(shape, dtype) if data is None else numpy.ndarray(shape, dtype, data)


def from_ctypes(kind: Any) -> Type:
    """The type that a ctypes class stands for."""
    size = ctypes.sizeof(kind)
    format = _ctypes_format(kind)
    if issubclass(kind, ctypes._SimpleCData):
        scalar = scalar_of(kind._type_, size)
        return scalar if scalar is not None else Bytes(size)
    if issubclass(kind, ctypes.Array) and kind._type_ is ctypes.c_char and size:
        return Bytes(size)
    if not size:
        raise InvalidArgument(f"{kind.__name__} has no bytes: an element needs some")
    return CStruct(kind, _abi.STRUCT, size, ctypes.alignment(kind), _short(format))


def _ctypes_format(kind: Any) -> str:
    """The format of a ctypes class, "" for one that has none; refuses pointers."""
    if issubclass(kind, ctypes._SimpleCData):
        scalar = scalar_of(kind._type_, ctypes.sizeof(kind))
        if scalar is not None and memoryview(kind()).format[:1] != ">":
            return scalar.format
        if kind._type_ == "c":
            return "1s"
    elif issubclass(kind, ctypes.Array):
        return _ctypes_array_format(kind)
    elif issubclass(kind, ctypes.Structure):
        fields = list(_ctypes_fields(kind))
        return compose(fields, ctypes.sizeof(kind))
    elif issubclass(kind, ctypes.Union):
        for _ in _ctypes_fields(kind):
            pass  # for what it refuses
        return ""
    raise InvalidArgument(
        f"{kind.__name__} cannot be shared: it must be a little-endian number, a bool, "
        "c_char, or an array or struct of these (a pointer means nothing elsewhere)"
    )


def _ctypes_array_format(kind: Any) -> str:
    shape: list[int] = []
    item = kind
    while issubclass(item, ctypes.Array):
        shape.append(item._length_)
        item = item._type_
    if item is ctypes.c_char:
        return _repeat(f"{shape[-1]}s", shape[:-1])
    return _repeat(_ctypes_format(item), shape)


def _ctypes_fields(kind: Any) -> Iterable[Field]:
    for ancestor in reversed(kind.__mro__):
        for name, item, *bits in vars(ancestor).get("_fields_", ()):
            format = "" if bits else _ctypes_format(item)
            yield Field(name, getattr(kind, name).offset, ctypes.sizeof(item), format)


def from_dtype(dtype: np.dtype[Any]) -> Type:
    """The type that a NumPy dtype stands for."""
    if dtype.hasobject or not dtype.isnative or not dtype.itemsize:
        raise InvalidArgument(
            f"dtype {dtype} cannot be shared: elements are of fixed size, in this machine's "
            "byte order, and hold no Python objects"
        )
    if dtype.names is not None or dtype.subdtype is not None:
        format, align = _dtype_format(dtype)
        return Record(dtype, _abi.STRUCT, dtype.itemsize, align, _short(format))
    if dtype.kind == "S":
        return Bytes(dtype.itemsize)
    if dtype.kind == "V":
        return Opaque(dtype.itemsize, 1, "")
    scalar = _dtype_scalar(dtype)
    if scalar is None:
        raise InvalidArgument(
            f"dtype {dtype} is not an element type: use one of {', '.join(SCALARS)}, bytes "
            "('S16') or a struct of these"
        )
    return scalar


def _dtype_scalar(dtype: np.dtype[Any]) -> Type | None:
    return SCALARS.get("bool" if dtype.kind == "b" else f"{dtype.kind}{8 * dtype.itemsize}")


def _dtype_format(dtype: np.dtype[Any]) -> tuple[str, int]:
    """The format, "" if there is none, and the alignment that C would give it."""
    if dtype.subdtype is not None:
        item, shape = dtype.subdtype
        format, align = _dtype_format(item)
        return _repeat(format, shape), align
    if dtype.names is None:
        if dtype.kind == "S":
            return f"{dtype.itemsize}s", 1
        scalar = _dtype_scalar(dtype)
        return (scalar.format, scalar.align) if scalar else ("", dtype.alignment)
    fields, aligns, aligned = [], [1], True
    for name in dtype.names:
        item, offset = dtype.fields[name][:2]  # type: ignore[index]
        format, align = _dtype_format(item)
        fields.append(Field(name, offset, item.itemsize, format))
        aligns.append(align)
        aligned = aligned and offset % align == 0
    # NumPy packs unless asked; a layout that C would also choose is aligned as in C.
    align = max(aligns)
    aligned = aligned and dtype.itemsize % align == 0
    return compose(fields, dtype.itemsize), align if aligned else 1


class Field(NamedTuple):
    """A part of a struct; `format` is "" if it has none."""

    name: str
    offset: int
    size: int
    format: str


def compose(fields: Iterable[Field], size: int) -> str:
    """The format of a struct of these fields, or "" if it cannot be told."""
    parts, end = [], 0
    for field in sorted(fields, key=lambda field: field.offset):
        if not field.format or field.offset < end or ":" in field.name:
            return ""
        parts += [_gap(field.offset - end), field.format, f":{field.name}:"]
        end = field.offset + field.size
    return f"T{{{''.join(parts)}{_gap(size - end)}}}"


def _gap(size: int) -> str:
    return f"{size}x" if size else ""


def _repeat(format: str, shape: Iterable[int]) -> str:
    counts = ",".join(map(str, shape))
    return f"({counts}){format}" if format and counts else format


def _short(format: str) -> str:
    return format if len(format.encode()) <= _MOST_FORMAT else ""
