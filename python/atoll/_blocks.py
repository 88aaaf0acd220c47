"""Parts of an n-dimensional block of elements: where they lie, what bytes fill them."""

from __future__ import annotations

import operator

from ._errors import InvalidArgument, WrongKind
from ._types import Scalar, scalar_of
from ._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Tuple

    from ._types import Type

    Shape = Tuple[int, ...]


def locate(key: object, shape: Shape, size: int) -> tuple[int, Shape]:
    """Where in a block of `size` bytes the part `key` begins, and its own shape.

    The shape of one element is (). Only parts without gaps can be named.
    """
    keys = key if isinstance(key, tuple) else (key,)
    if len(keys) > len(shape):
        raise IndexError(f"{len(keys)} indices into {len(shape)} dimensions")
    begin = 0
    for axis, (index, count) in enumerate(zip(keys, shape)):
        size //= max(count, 1)
        if isinstance(index, slice):
            start, stop, step = index.indices(count)
            if step != 1 or axis + 1 < len(keys):
                raise WrongKind("this part of the array has gaps: use array.numpy()[...]")
            return begin + start * size, (max(0, stop - start), *shape[axis + 1 :])
        begin += _position(index, count) * size
    return begin, shape[len(keys) :]


def _position(index: object, count: int) -> int:
    try:
        position = operator.index(index)  # type: ignore[arg-type]
    except TypeError:
        kind = type(index).__name__
        raise WrongKind(f"array indices are ints and slices, not {kind}") from None
    if position < 0:
        position += count
    if not 0 <= position < count:
        raise IndexError(f"index {index} is out of bounds: the length is {count}")
    return position


def pack(element: Type, value: object, shape: Shape) -> bytes:
    """The bytes of such a block, all of them checked before any is written.

    `value` is one element for the shape (), else a buffer of the same type and shape,
    or a sequence with as many elements as needed, of sequences if there are more
    dimensions.
    """
    if not shape:
        return element.encode(value)
    if isinstance(value, (str, bytes)):
        raise WrongKind(f"{shape[0]} elements are wanted, not {type(value).__name__}")
    try:
        view = memoryview(value)  # type: ignore[arg-type]
    except TypeError:
        view = None
    if view is not None and _is_block(view, element, shape):
        return view.tobytes()
    try:
        items = list(value)  # type: ignore[call-overload]
    except TypeError:
        kind = type(value).__name__
        raise WrongKind(f"a sequence of {shape[0]} elements is wanted, not {kind}") from None
    if len(items) != shape[0]:
        raise InvalidArgument(f"{len(items)} elements do not fill a length of {shape[0]}")
    return b"".join(pack(element, item, shape[1:]) for item in items)


def _is_block(view: memoryview, element: Type, shape: Shape) -> bool:
    """Whether the buffer has these elements in this shape."""
    model = element.view(memoryview(bytearray(element.size)), (1,))
    inner = (model.shape or ())[1:]
    if view.shape != (*shape, *inner) or view.itemsize != model.itemsize:
        return False
    if isinstance(element, Scalar) and view.format[0] not in ">!":
        # The same number goes by several letters: "l", "q" and the "<l" of ctypes.
        return scalar_of(view.format[-1], view.itemsize) is element
    return view.format == model.format
