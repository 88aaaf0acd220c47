"""Single values that several processes change at once.

A number is read and written without a call: on x86-64 an aligned load or store of up
to 8 bytes is atomic and ordered as the library's own, and a memoryview makes exactly
one. Everything else asks the library.
"""

from __future__ import annotations

import os
import reprlib
from ctypes import Array, byref, c_bool, c_char

from . import _abi
from . import _accelerated as accelerated
from ._arguments import only_open
from ._errors import AtollError, Permission, WrongKind, check, failure
from ._handle import Handle, lend
from ._native import bare, patient, quick
from ._object import OBJECT_SLOTS, SharedObject
from ._owning import NO_SLOTS, Closing
from ._spec import seen_as, type_of
from ._types import Opaque, Scalar
from ._typing import TYPE_CHECKING, Generic, TypeVar, overload
from ._wait import wait

if TYPE_CHECKING:
    from typing import Any, Type

    from ._arguments import Create
    from ._segment import Segment
    from ._spec import Boolean, CStructure, Float, Integer, Spec
    from ._types import Type as ElementType

T = TypeVar("T")

_PLAIN_ACCESS_IS_ATOMIC = os.uname().machine == "x86_64"

_ADD = bare("atoll_value_fetch_add")
_SUB = bare("atoll_value_fetch_sub")
_MIN = bare("atoll_value_fetch_min")
_MAX = bare("atoll_value_fetch_max")
_AND = bare("atoll_value_fetch_and")
_OR = bare("atoll_value_fetch_or")
_XOR = bare("atoll_value_fetch_xor")


class _Value(SharedObject, Closing, Generic[T]):
    __slots__ = NO_SLOTS

    _noun = "value"

    def _see(self, spec: Any = None) -> None:
        self._fit(None if spec is None else type_of(spec))

    def _fit(self, element: ElementType | None) -> None:
        """See it as what it was opened as, or as what the value is."""
        pointer = self._pointer()
        stored = _abi.atoll_type()
        check(quick.atoll_value_type(pointer, byref(stored)))
        self._type = element = seen_as(element, stored)
        self._cells: list[_Cell] = []
        #: The value in place, if that is how to read and write it.
        self._word: memoryview | None = None
        if isinstance(element, Scalar) and _PLAIN_ACCESS_IS_ATOMIC:
            address = quick.atoll_value_data(pointer)
            if address is None:
                raise failure()
            assert self._handle is not None
            word = element.view(lend(self._handle, address, element.size), (1,))
            self._word = word.toreadonly() if self._segment.readonly else word
        assert self._handle is not None
        self._bind(self._handle, self._handle.address, element.code)

    def _bind(self, handle: Handle, pointer: int | None, code: int) -> None:
        """Have the accelerator know the value; there may be none."""

    def _unbind(self) -> None:
        """Have the accelerator forget it."""

    @property
    def type(self) -> Any:
        """The type as one may write it: 'i64', '16s', a dtype, a ctypes class."""
        return self._type.spec

    @property
    def value(self) -> T:
        """The value as it is now; of a struct, a copy. Assign to change it."""
        word = self._word
        return word[0] if word is not None else self._load()  # type: ignore[return-value]

    @value.setter
    def value(self, new: T) -> None:
        word = self._word
        if word is None:
            self._write("store", [self._type.encode(new)])
            return
        try:
            word[0] = new  # type: ignore[call-overload]
        except (TypeError, ValueError, OverflowError) as error:
            raise self._refusal(new, error) from None

    #: For the accelerator, whose property of this name stands before.
    _assign = value.fset  # type: ignore[attr-defined]

    def add(self, operand: T, /) -> T:
        """Add to it in one step. Returns the old value, as all of these do."""
        return self._fetch(_ADD, operand)

    def sub(self, operand: T, /) -> T:
        """Subtract from it."""
        return self._fetch(_SUB, operand)

    def min(self, operand: T, /) -> T:
        """Replace it by `operand` if that is less."""
        return self._fetch(_MIN, operand)

    def max(self, operand: T, /) -> T:
        """Replace it by `operand` if that is greater."""
        return self._fetch(_MAX, operand)

    def and_(self, operand: T, /) -> T:
        """Keep the bits that are also set in `operand`."""
        return self._fetch(_AND, operand)

    def or_(self, operand: T, /) -> T:
        """Set the bits that are set in `operand`."""
        return self._fetch(_OR, operand)

    def xor(self, operand: T, /) -> T:
        """Flip the bits that are set in `operand`."""
        return self._fetch(_XOR, operand)

    def swap(self, new: T, /) -> T:
        """Replace it."""
        old = (c_char * self._type.size)()
        self._write("swap", [self._type.encode(new)], old, len(old), None)
        return self._decoded(old)

    def compare_exchange(self, expected: T, desired: T, /) -> T:
        """Replace it by `desired` if it is `expected`, bit for bit."""
        return self._exchange(self._type.encode(expected), self._type.encode(desired))

    def _exchange(self, expected: bytes, desired: bytes) -> T:
        old = (c_char * self._type.size)()
        outputs = (old, len(old), None, byref(c_bool()))
        self._write("compare_exchange", [expected, desired], *outputs)
        return self._decoded(old)

    def _write(self, verb: str, operands: list[bytes], *outputs: Any) -> None:
        """A call that waits for other writers of a value larger than 8 bytes."""
        name = f"atoll_value_{verb}"
        inputs = (self._pointer(), *operands, self._type.size)
        status = getattr(quick, name)(*inputs, 0, *outputs)
        if status == _abi.TIMED_OUT:
            call = getattr(patient, name)
            status = wait(lambda timeout_ns: call(*inputs, timeout_ns, *outputs), None)
        if status != _abi.OK:
            raise self._failure(status)

    def _load(self) -> T:
        room = (c_char * self._type.size)()
        status = quick.atoll_value_load(self._pointer(), room, len(room), None)
        if status != _abi.OK:
            raise self._failure(status)
        return self._decoded(room)

    def _decoded(self, room: Array[c_char]) -> T:
        return self._type.decode(memoryview(room).cast("B"))  # type: ignore[no-any-return]

    def _fetch(self, call: Any, operand: T) -> T:
        try:
            cell = self._cells.pop()  # one at a time has it, whatever thread that is
        except IndexError:
            cell = self._new_cell()
        try:
            cell.operand[0] = operand  # type: ignore[call-overload]
        except (TypeError, ValueError, OverflowError) as error:
            raise self._refusal(operand, error) from None
        status = call(*cell.arguments)
        if status != _abi.OK:
            raise self._failure(status)
        old = cell.old[0]
        self._cells.append(cell)
        return old  # type: ignore[return-value]

    def _new_cell(self) -> _Cell:
        pointer = self._pointer()
        if not isinstance(self._type, Scalar):
            raise WrongKind(f"{self._label()} is no number but {self._type}: store or swap it")
        return _Cell(pointer, self._type)

    def _refusal(self, value: object, error: Exception) -> AtollError:
        """Why a memoryview of the value, or of an operand, did not take this."""
        if self._segment.readonly:
            return Permission(f"{self._label()} is open read-only: it cannot be changed")
        assert isinstance(self._type, Scalar)
        return self._type.refusal(value, error)

    def close(self) -> None:
        """Let go of it. The value stays in its segment."""
        super().close()
        self._unbind()
        self._word = None
        self._cells = []

    def _describe(self) -> str:
        return f"{self._type}, {reprlib.repr(self.value)}"

    def _view_to_pickle(self) -> tuple[Any, ...]:
        return () if isinstance(self._type, Opaque) else (self._type.spec,)


@accelerated.outright
class Value(accelerated.Value, _Value[T], Generic[T]):
    """One value: a number, a bool, bytes of a fixed length or a struct.

    `Value(segment, "name", "i64", 5)` opens it, or makes it with 5 in it. A type is
    'i64' and the like, '16s' for bytes, a NumPy dtype, an array code or a ctypes class;
    without one it only opens it, whatever type it has. `Value(type="i64", initial=5)` is
    an anonymous one in the home segment of this process; others get it by a pickle or a
    fork.

    Whatever its size, nobody sees it half written. `value.value += 1` reads and then
    writes, and another may come between; `value.add(1)` is one step. Each operation
    returns the value from before it. What does not fit is refused, never cut; the sum
    of an operation wraps around, as in C.
    """

    __slots__ = (*OBJECT_SLOTS, "_cells", "_type", "_word")

    # fmt: off
    @overload
    def __init__(self: Value[Any], segment: Segment | None = None, name: str | None = None,
                 type: None = None, initial: Any = 0, *, create: Create = "open") -> None: ...
    @overload
    def __init__(self: Value[bool], segment: Segment | None = None, name: str | None = None,
                 type: Boolean = ..., initial: bool = False, *,
                 create: Create = "open") -> None: ...
    @overload
    def __init__(self: Value[int], segment: Segment | None = None, name: str | None = None,
                 type: Integer = ..., initial: int = 0, *, create: Create = "open") -> None: ...
    @overload
    def __init__(self: Value[float], segment: Segment | None = None, name: str | None = None,
                 type: Float = ..., initial: float = 0, *, create: Create = "open") -> None: ...
    @overload
    def __init__(self: Value[CStructure], segment: Segment | None = None,
                 name: str | None = None, type: Type[CStructure] = ...,
                 initial: CStructure | int = 0, *, create: Create = "open") -> None: ...
    @overload
    def __init__(self: Value[Any], segment: Segment | None = None, name: str | None = None,
                 type: Spec | None = None, initial: Any = 0, *,
                 create: Create = "open") -> None: ...
    # fmt: on

    def __init__(
        self,
        segment: Segment | None = None,
        name: str | None = None,
        type: Any = None,
        initial: Any = 0,
        *,
        create: Create = "open",
    ) -> None:
        element = None if type is None else type_of(type)
        if element is None:
            create = only_open(create, name, "a Value", "its type")
            self._obtain(segment, name, create, None)
        else:
            described = byref(element.abi())
            self._obtain(segment, name, create, described, initial=_encoded(element, initial))
        self._fit(element)


class _Cell:
    """Room for the operand and the result of one call, and its arguments, ready made."""

    __slots__ = ("arguments", "old", "operand")

    def __init__(self, pointer: Any, number: Scalar) -> None:
        operand, old = (c_char * number.size)(), (c_char * number.size)()
        size = number.size_argument
        self.arguments = (pointer, byref(operand), size, byref(old), size, None)
        self.operand = number.view(memoryview(operand).cast("B"), (1,))
        self.old = number.view(memoryview(old).cast("B"), (1,))


def _encoded(element: ElementType, initial: object) -> bytes | None:
    """The bytes of the first value; None for 0, which is all zeros in any type."""
    return None if isinstance(initial, int) and initial == 0 else element.encode(initial)
