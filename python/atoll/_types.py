"""What the elements of a value or an array are: one class per way to see them in Python."""

from __future__ import annotations

import struct
from ctypes import c_size_t

from . import _abi
from ._errors import InvalidArgument, WrongKind
from ._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    import numpy as np

    from ._errors import AtollError


class Type:
    """An element type.

    `spec` is how users write it. `format` is what C compares, a PEP 3118 text.
    `native` is the format of a memoryview that Python can index, and `inner` the shape
    that one element has there; "" if there is none. `size_argument` is the size as calls
    take it that are not declared.
    """

    __slots__ = ("align", "code", "format", "inner", "native", "size", "size_argument", "spec")

    def __init__(
        self,
        spec: Any,
        code: int,
        size: int,
        align: int,
        format: str,
        native: str = "",
        inner: tuple[int, ...] = (),
    ) -> None:
        self.spec = spec
        self.code = code
        self.size = size
        self.size_argument = c_size_t.from_param(size)
        self.align = align
        self.format = format
        self.native = native
        self.inner = inner

    def __str__(self) -> str:
        return str(self.spec)

    def abi(self) -> _abi.atoll_type:
        """The type as C takes it."""
        return _abi.atoll_type(
            code=self.code, size=self.size, align=self.align, format=self.format.encode()
        )

    def encode(self, value: object) -> bytes:
        """The bytes of one element; refuses what does not fit."""
        raise NotImplementedError

    def decode(self, data: memoryview) -> Any:
        """An element of its own, made from these bytes."""
        raise NotImplementedError

    def window(self, data: memoryview) -> Any:
        """An element of an array: if it has parts, then one that writes through."""
        return self.decode(data)

    def view(self, data: memoryview, shape: tuple[int, ...]) -> memoryview:
        """The same memory as a C-ordered block of elements."""
        whole = (*shape, *self.inner)
        # memoryview refuses dimensions of 0, though its own slices have them.
        if 0 in whole or len(whole) == 1:
            return data.cast(self.native)  # type: ignore[call-overload, no-any-return]
        return data.cast(self.native, whole)  # type: ignore[call-overload, no-any-return]

    def dtype(self) -> np.dtype[Any]:
        """The type as NumPy has it."""
        raise NotImplementedError

    def interface(self, shape: tuple[int, ...]) -> dict[str, Any]:
        """A block of it as `__array_interface__` has it, but for the address."""
        if not self.native:
            dtype = self.dtype()
            return {"shape": shape, "typestr": f"|V{self.size}", "descr": dtype.descr}
        size = struct.calcsize(self.native)
        kind = {"?": "b", "c": "S", "f": "f", "d": "f"}.get(self.native)
        kind = kind or ("i" if self.native.islower() else "u")
        order = "<" if size > 1 else "|"
        return {"shape": (*shape, *self.inner), "typestr": f"{order}{kind}{size}"}


class Scalar(Type):
    """A number or a bool."""

    __slots__ = ("_pack",)

    def __init__(self, name: str, code: int, native: str) -> None:
        size = struct.calcsize(native)
        little = "<" if size > 1 else ""
        # C-wide "<l" has 4 bytes; the 8 of a native "l" are called "q" there.
        portable = little + {"l": "q", "L": "Q"}.get(native, native)
        super().__init__(name, code, size, size, portable, native)
        self._pack = struct.Struct(native).pack

    def encode(self, value: object) -> bytes:
        try:
            return self._pack(value)
        except (struct.error, TypeError, OverflowError):
            return self._encode_or_refuse(value)

    def _encode_or_refuse(self, value: object) -> bytes:
        """As a memoryview does it, which says what it does not like, and is slow."""
        cell = bytearray(self.size)
        try:
            self.view(memoryview(cell), (1,))[0] = value  # type: ignore[call-overload]
        except (TypeError, ValueError, OverflowError) as error:
            raise self.refusal(value, error) from None
        return bytes(cell)

    def refusal(self, value: object, error: Exception) -> AtollError:
        """The exception for a value that a memoryview of this type did not take."""
        takes = "a float or int" if self.native in "fd" else "an int"
        if isinstance(error, TypeError):
            return WrongKind(f"{self} takes {takes}, not {type(value).__name__}")
        if self.native in "fd":
            return InvalidArgument(f"the value is too large for {self}")
        bits = 8 * self.size - self.native.islower()
        least = -(1 << bits) if self.native.islower() else 0
        return InvalidArgument(
            f"the value does not fit {self}, which has {least} to {(1 << bits) - 1}"
        )

    def decode(self, data: memoryview) -> Any:
        return self.view(data, (1,))[0]

    def dtype(self) -> np.dtype[Any]:
        import numpy

        return numpy.dtype(self.native)


class Bytes(Type):
    """A byte string of fixed length. Shorter ones are padded with NULs, which stay."""

    __slots__ = ()

    def __init__(self, size: int) -> None:
        super().__init__(f"{size}s", _abi.BYTES, size, 1, f"{size}s", "c", (size,))

    def encode(self, value: object) -> bytes:
        data = _bytes_of(value, self)
        if len(data) > self.size:
            raise InvalidArgument(f"{len(data)} bytes do not fit {self}")
        return data.ljust(self.size, b"\0")

    def decode(self, data: memoryview) -> bytes:
        return bytes(data)

    def dtype(self) -> np.dtype[Any]:
        import numpy

        return numpy.dtype((numpy.bytes_, self.size))


class Messages(Type):
    """Bytes of any number, the records of a ring of messages and nothing else."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__("bytes", _abi.BYTES, 0, 1, "")

    def encode(self, value: object) -> bytes:
        return _bytes_of(value, self)

    def decode(self, data: memoryview) -> bytes:
        return bytes(data)


MESSAGES = Messages()


class Opaque(Type):
    """A struct that was opened without saying how to see it: bytes, all of them."""

    __slots__ = ()

    def __init__(self, size: int, align: int, format: str) -> None:
        spec = format or f"struct of {size} bytes"
        super().__init__(spec, _abi.STRUCT, size, align, format, "B", (size,))

    def encode(self, value: object) -> bytes:
        data = _bytes_of(value, self)
        if len(data) != self.size:
            raise InvalidArgument(f"{len(data)} bytes are not the {self.size} of a {self}")
        return data

    def decode(self, data: memoryview) -> bytes:
        return bytes(data)

    def dtype(self) -> np.dtype[Any]:
        import numpy

        return numpy.dtype((numpy.void, self.size))


def _bytes_of(value: object, element: Type) -> bytes:
    try:
        return memoryview(value).tobytes()  # type: ignore[arg-type]
    except TypeError:
        takes = "a message is" if element.spec == "bytes" else f"{element} takes"
        raise WrongKind(f"{takes} bytes, not {type(value).__name__}") from None


SCALARS: dict[str, Scalar] = {
    name: Scalar(name, code, native)
    for name, code, native in (
        ("i8", _abi.I8, "b"),
        ("i16", _abi.I16, "h"),
        ("i32", _abi.I32, "i"),
        ("i64", _abi.I64, "l"),
        ("u8", _abi.U8, "B"),
        ("u16", _abi.U16, "H"),
        ("u32", _abi.U32, "I"),
        ("u64", _abi.U64, "L"),
        ("f32", _abi.F32, "f"),
        ("f64", _abi.F64, "d"),
        ("bool", _abi.BOOL, "?"),
    )
}
_LETTERS = {**dict.fromkeys("bhilqn", "i"), **dict.fromkeys("BHILQN", "u"), "f": "f", "d": "f"}


def scalar_of(letter: str, size: int) -> Scalar | None:
    """The scalar that `array`, `struct` and ctypes write as `letter`, of `size` bytes."""
    if letter == "?":
        return SCALARS["bool"]
    return SCALARS.get(f"{_LETTERS.get(letter)}{8 * size}")
