"""Records of rings, from and to what Python has: one of them, or several side by side."""

from __future__ import annotations

from . import _abi
from ._blocks import pack
from ._errors import InvalidArgument, WrongKind
from ._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from ._types import Type

#: What holds bytes without saying what they mean.
_BYTES = (bytes, bytearray, memoryview)


def pack_one(element: Type, record: object) -> bytes:
    """The bytes of one record; those of a struct may come as bytes, or in any such struct."""
    if element.code == _abi.STRUCT:
        if isinstance(record, _BYTES):
            return _whole(element, record, 1)
        try:
            view = memoryview(record)  # type: ignore[arg-type]
        except TypeError:
            view = None
        if view is not None and not view.ndim and view.format == format_of(element):
            return view.tobytes()
    return element.encode(record)


def pack_some(element: Type, records: Any) -> bytes:
    """The bytes of some records: of a sequence or a buffer of them, or of bytes that are
    whole ones."""
    try:
        view = memoryview(records)
    except TypeError:
        return b"".join(pack_one(element, record) for record in _several(records))
    if isinstance(records, _BYTES) and view.format in ("B", "c"):
        return _whole(element, records)
    return pack(element, records, (len(_several(records)),))


def _several(records: Any) -> Any:
    """The same, if there is a number of them."""
    if hasattr(records, "__len__") and not isinstance(records, str):
        return records
    kind = type(records).__name__
    raise WrongKind(f"several records are wanted, in a sequence or a buffer, not {kind}")


def _whole(element: Type, records: Any, count: int | None = None) -> bytes:
    data = memoryview(records).tobytes()
    if len(data) % element.size or count not in (None, len(data) // element.size):
        raise InvalidArgument(
            f"{len(data)} bytes are not {'one' if count else 'whole'} of the records, which have "
            f"{element.size} each"
        )
    return data


def format_of(element: Type) -> str:
    """The format of buffers that have such records, of a struct or of bytes."""
    if element.native:
        return element.format
    return element.view(memoryview(bytearray(element.size)), (1,)).format if element.size else ""


def in_place(element: Type, data: memoryview, readonly: bool = False) -> Any:
    """Records side by side, where they lie: a memoryview of numbers, an ndarray of NumPy
    records, an array of ctypes, which is never read-only; and of bytes all of them, flat."""
    if element.inner:
        return data.toreadonly() if readonly else data
    view = element.view(data, (len(data) // element.size,))
    if element.native:
        return view.toreadonly() if readonly else view
    array: Any = view.obj
    if readonly and hasattr(array, "flags"):
        array.flags.writeable = False
    return array


def unpack_some(element: Type, data: memoryview) -> Any:
    """The same of a copy that nobody else has; and of bytes a list."""
    if element.inner:
        size = element.size
        return [element.decode(data[at : at + size]) for at in range(0, len(data), size)]
    return in_place(element, data)
