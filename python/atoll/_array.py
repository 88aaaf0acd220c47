"""Arrays: plain shared memory with a type and a shape, seen without copying.

Every view holds the mapping, not the `Array`: it stays good when the array and the
segment are closed, and the mapping goes with the last view.
"""

from __future__ import annotations

import math
from ctypes import addressof, byref, c_char, c_uint64

from . import _abi
from . import _accelerated as accelerated
from ._arguments import integer, only_open
from ._blocks import locate, pack
from ._errors import InvalidArgument, Permission, WrongKind, check, failure
from ._handle import Handle, lend
from ._native import quick
from ._object import OBJECT_SLOTS, SharedObject
from ._owning import NO_SLOTS, Closing
from ._spec import seen_as, type_of
from ._types import Opaque
from ._typing import TYPE_CHECKING, Generic, TypeVar, overload

if TYPE_CHECKING:
    from typing import Any, Iterator, Tuple, Type, Union

    import numpy as np

    from ._arguments import Create
    from ._segment import Segment
    from ._spec import Boolean, CStructure, Float, Integer, Spec
    from ._types import Type as ElementType

    Shape = Union[int, Tuple[int, ...]]

T = TypeVar("T")

_MOST_LENGTH = (1 << 63) - 1


class _Array(SharedObject, Closing, Generic[T]):
    __slots__ = NO_SLOTS

    _noun = "array"

    def _see(self, spec: Any = None) -> None:
        self._fit(None if spec is None else type_of(spec))

    def _fit(self, element: ElementType | None) -> None:
        """See it as what it was opened as, or as what the array is."""
        layout = _abi.atoll_array_layout()
        check(quick.atoll_array_info(self._pointer(), byref(layout)))
        self._type = seen_as(element, layout.type)
        self._shape: tuple[int, ...] = tuple(layout.shape[: layout.ndim])
        self._map(layout.bytes)

    def _map(self, size: int) -> None:
        assert self._handle is not None
        address = quick.atoll_array_data(self._handle.pointer)
        if address is None:
            raise failure()
        #: All of it; where the segment is read-only, for reading all the same.
        self._bytes: memoryview | None = lend(self._handle, address, size)
        #: What Python can index as it is: one dimension of numbers.
        self._plain: Any = None
        if len(self._shape) == 1 and self._type.native and not self._type.inner:
            self._plain = self.view()
        #: What `__array_interface__` gave the address of; `close` leaves it alone.
        self._lent: memoryview | None = None
        facts = self._type.code, self._shape, self._plain, self._segment.readonly
        self._bind(self._handle, address, *facts)

    def _bind(
        self, handle: Handle, address: int, code: int, shape: Shape, plain: Any, readonly: bool
    ) -> None:
        """Have the accelerator know the array; there may be none."""

    def _unbind(self) -> None:
        """Have the accelerator forget it."""

    @property
    def type(self) -> Any:
        """The element type as one may write it: 'i64', '16s', a dtype, a ctypes class."""
        return self._type.spec

    @property
    def shape(self) -> tuple[int, ...]:
        """The length along each dimension. The last one varies fastest in memory."""
        return self._shape

    def __len__(self) -> int:
        return self._shape[0]

    @overload
    def __getitem__(self, key: int) -> T: ...
    @overload
    def __getitem__(self, key: slice) -> memoryview: ...
    @overload
    def __getitem__(self, key: tuple[int | slice, ...]) -> Any: ...

    def __getitem__(self, key: Any) -> Any:
        plain = self._plain
        if plain is not None:
            return plain[key]
        begin, shape = locate(key, self._shape, len(self._memory()))
        return self._block(begin, shape) if shape else self._element(begin)

    def __setitem__(self, key: int | slice | tuple[int | slice, ...], value: Any) -> None:
        plain = self._plain
        if plain is not None:
            try:
                plain[key] = value
                return
            except (TypeError, ValueError, OverflowError):
                pass  # a sequence, perhaps, or what deserves a better sentence
        self._assign(key, value)

    def __delitem__(self, key: object) -> None:
        raise WrongKind("elements of an array cannot be deleted: it keeps its length")

    def _assign(self, key: Any, value: object) -> None:
        memory = self._memory()
        if self._segment.readonly:
            raise Permission(f"{self._label()} is open read-only: nothing can be assigned")
        if self._plain is not None and isinstance(key, slice):
            part: Any = self._plain[key]
            data = memoryview(pack(self._type, value, part.shape))
            part[:] = self._type.view(data, part.shape)
            return
        begin, shape = locate(key, self._shape, len(memory))
        packed = pack(self._type, value, shape)
        memory[begin : begin + len(packed)] = packed

    def __iter__(self) -> Iterator[T]:
        if self._plain is not None:
            return iter(self._plain)
        return (self[index] for index in range(len(self)))

    def view(self) -> memoryview:
        """All of it as a memoryview, which has a further dimension for bytes."""
        return self._block(0, self._shape)

    def numpy(self) -> np.ndarray[Any, Any]:
        """All of it as a NumPy array, which outlives this object if need be."""
        import numpy

        memory = self._memory()
        # NumPy looks through a memoryview to what it is of, which is always writable, but
        # not through an array of its own.
        base = numpy.asarray(memory.toreadonly() if self._segment.readonly else memory)
        array: np.ndarray[Any, Any] = numpy.ndarray(self._shape, self._type.dtype(), base)
        return array

    def __buffer__(self, flags: int) -> memoryview:
        return self.view()

    @property
    def __array_interface__(self) -> dict[str, Any]:
        # Who reads this keeps the address and this object, but not the view.
        self._lent = memory = self._memory()
        address = addressof(c_char.from_buffer(memory)) if len(memory) else 0
        return {
            "version": 3,
            "data": (address, self._segment.readonly),
            **self._type.interface(self._shape),
        }

    def close(self) -> None:
        """Let go of it. The array stays in its segment, and views of it stay good."""
        super().close()
        self._unbind()
        self._bytes = self._plain = None

    def _memory(self) -> memoryview:
        if self._bytes is None:
            raise self._is_closed()
        return self._bytes

    def _block(self, begin: int, shape: tuple[int, ...]) -> memoryview:
        size = math.prod(shape) * self._type.size
        view = self._type.view(self._memory()[begin : begin + size], shape)
        return view.toreadonly() if self._segment.readonly else view

    def _range(self, start: int, stop: int | None) -> tuple[int, int, memoryview]:
        """The part `[start:stop]`: its first element in memory, how many it has, its view."""
        part = slice(start, stop)
        if self._plain is not None:
            first, last, _ = part.indices(self._shape[0])
            return first, max(0, last - first), self._plain[part]
        begin, shape = locate(part, self._shape, len(self._memory()))
        return begin // self._type.size, math.prod(shape), self._block(begin, shape)

    def _element(self, begin: int) -> T:
        data = self._memory()[begin : begin + self._type.size]
        see = self._type.decode if self._segment.readonly else self._type.window
        return see(data)  # type: ignore[no-any-return]

    def _describe(self) -> str:
        return f"{self._type} {'x'.join(map(str, self._shape))}"

    def _view_to_pickle(self) -> tuple[Any, ...]:
        return () if isinstance(self._type, Opaque) else (self._type.spec,)


@accelerated.outright
class Array(accelerated.Array, _Array[T], Generic[T]):
    """An n-dimensional array.

    `Array(segment, "name", "f64", (480, 640))` opens it, or makes it, all bytes zero;
    without type or shape it only opens it, whatever that is. For types see `Value`.
    `Array(type="f64", shape=(480, 640))` is an anonymous one in the home segment of this
    process; others get it by a pickle or a fork.

    `array[i]` and `array[i, j]` are elements, `array[i:j]` and rows of an array with
    more dimensions are memoryviews; `numpy()` and `view()` see all of it. None of these
    copies or locks: use a `Lock` where others write at the same time. Structs can be
    changed in place (`array[i].x = 9`).
    """

    __slots__ = (*OBJECT_SLOTS, "_bytes", "_lent", "_plain", "_shape", "_type")

    # fmt: off
    @overload
    def __init__(self: Array[Any], segment: Segment | None = None, name: str | None = None,
                 type: None = None, shape: Shape | None = None, *,
                 create: Create = "open") -> None: ...
    @overload
    def __init__(self: Array[bool], segment: Segment | None = None, name: str | None = None,
                 type: Boolean = ..., shape: Shape | None = None, *,
                 create: Create = "open") -> None: ...
    @overload
    def __init__(self: Array[int], segment: Segment | None = None, name: str | None = None,
                 type: Integer = ..., shape: Shape | None = None, *,
                 create: Create = "open") -> None: ...
    @overload
    def __init__(self: Array[float], segment: Segment | None = None, name: str | None = None,
                 type: Float = ..., shape: Shape | None = None, *,
                 create: Create = "open") -> None: ...
    @overload
    def __init__(self: Array[CStructure], segment: Segment | None = None,
                 name: str | None = None, type: Type[CStructure] = ...,
                 shape: Shape | None = None, *, create: Create = "open") -> None: ...
    @overload
    def __init__(self: Array[Any], segment: Segment | None = None, name: str | None = None,
                 type: Spec | None = None, shape: Shape | None = None, *,
                 create: Create = "open") -> None: ...
    # fmt: on

    def __init__(
        self,
        segment: Segment | None = None,
        name: str | None = None,
        type: Any = None,
        shape: Shape | None = None,
        *,
        create: Create = "open",
    ) -> None:
        element = None if type is None else type_of(type)
        lengths = () if shape is None else _lengths(shape)
        if not (element and lengths):
            create = only_open(create, name, "an Array", "its type and shape")
        self._obtain(
            segment,
            name,
            create,
            None if element is None else byref(element.abi()),
            len(lengths),
            (c_uint64 * len(lengths))(*lengths),
        )
        self._fit(element)


def _lengths(shape: object) -> tuple[int, ...]:
    lengths = shape if isinstance(shape, (tuple, list)) else (shape,)
    if not lengths:
        raise InvalidArgument("an array has at least one dimension: give it a length")
    return tuple(integer(length, "a length", 0, _MOST_LENGTH) for length in lengths)
