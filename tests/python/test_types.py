import array as stdlib_array
import ctypes
import decimal
import math
import struct

import atoll
import pytest
from atoll import _types

SPECS = {
    "i8": ["b", ctypes.c_int8, "<b"],
    "i16": ["h", ctypes.c_int16, "<h", "=h"],
    "i32": ["i", ctypes.c_int32, "<i", "<l", "=l"],
    "i64": ["q", "l", "@l", "n", int, ctypes.c_int64, ctypes.c_long, ctypes.c_ssize_t, "<q"],
    "u8": ["B", ctypes.c_uint8, ctypes.c_ubyte],
    "u16": ["H", ctypes.c_uint16],
    "u32": ["I", ctypes.c_uint32, "<L"],
    "u64": ["Q", "L", ctypes.c_uint64, ctypes.c_size_t, "N"],
    "f32": ["f", ctypes.c_float, "<f"],
    "f64": ["d", ctypes.c_double, float],
    "bool": ["?", bool, ctypes.c_bool],
    "16s": [ctypes.c_char * 16],
    "1s": ["c", ctypes.c_char],
}


@pytest.mark.parametrize("canonical", SPECS)
def test_ways_to_write_a_type(segment, canonical):
    atoll.Value(segment, "v", canonical)
    for spec in SPECS[canonical]:
        assert atoll.Value(segment, "v", spec).type == canonical, spec


@pytest.mark.parametrize("letter", stdlib_array.typecodes.replace("u", "").replace("w", ""))
def test_every_numeric_code_of_the_array_module(segment, letter):
    items = stdlib_array.array(letter, [1, 2, 3])
    array = atoll.Array(segment, "a", letter, 3)
    array[:] = items
    assert array.view().itemsize == items.itemsize and list(array) == list(items)


class Text(ctypes.Structure):
    _fields_ = [("pointer", ctypes.c_char_p)]


class Big(ctypes.BigEndianStructure):
    _fields_ = [("x", ctypes.c_int32)]


class Empty(ctypes.Structure):
    _fields_ = []


class Chosen(ctypes.Union):
    _fields_ = [("pointer", ctypes.c_void_p), ("x", ctypes.c_int32)]


@pytest.mark.parametrize(
    "spec, error",
    [
        ("i128", atoll.InvalidArgument),
        ("", atoll.InvalidArgument),
        ("I64", atoll.InvalidArgument),
        (">i", atoll.InvalidArgument),
        ("0s", atoll.InvalidArgument),
        ("s", atoll.InvalidArgument),
        ("2i", atoll.InvalidArgument),
        ("u", atoll.InvalidArgument),
        ("P", atoll.InvalidArgument),
        ("e", atoll.InvalidArgument),
        ("<n", atoll.InvalidArgument),
        ("99999999999999999999s", (atoll.InvalidArgument, atoll.NoSpace)),
        (5, atoll.WrongKind),
        (b"i64", atoll.WrongKind),
        (str, atoll.WrongKind),
        (object(), atoll.WrongKind),
        (ctypes.c_int32(5), atoll.WrongKind),
        (ctypes.c_void_p, atoll.InvalidArgument),
        (ctypes.c_char_p, atoll.InvalidArgument),
        (ctypes.py_object, atoll.InvalidArgument),
        (ctypes.c_wchar, atoll.InvalidArgument),
        (ctypes.c_longdouble, atoll.InvalidArgument),
        (ctypes.c_int32.__ctype_be__, atoll.InvalidArgument),
        (ctypes.POINTER(ctypes.c_int32), (atoll.InvalidArgument, atoll.WrongKind)),
        (ctypes.c_char * 0, atoll.InvalidArgument),
        (Text, atoll.InvalidArgument),
        (Text * 3, atoll.InvalidArgument),
        (Big, atoll.InvalidArgument),
        (Empty, atoll.InvalidArgument),
        (Chosen, atoll.InvalidArgument),
    ],
)
def test_what_is_no_type(segment, spec, error):
    for make in (
        lambda: atoll.Value(segment, "v", spec),
        lambda: atoll.Array(segment, "v", spec, 3),
    ):
        with pytest.raises(error) as caught:
            make()
        assert str(caught.value)
    assert segment.list() == []


def format_of(segment, kind):
    """The format text that goes to C."""
    name = f"v{len(segment.list())}"
    atoll.Value(segment, name, kind)
    return atoll.Value(segment, name).type


class Inner(ctypes.Structure):
    _fields_ = [("a", ctypes.c_int8), ("b", ctypes.c_int16)]


class Outer(ctypes.Structure):
    _fields_ = [
        ("flag", ctypes.c_bool),
        ("inner", Inner * 2),
        ("name", ctypes.c_char * 3),
        ("grid", ctypes.c_float * 2 * 3),
    ]


class Child(Inner):
    _fields_ = [("c", ctypes.c_double)]


class Packed(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = [("a", ctypes.c_int8), ("b", ctypes.c_int64)]


class Bits(ctypes.Structure):
    _fields_ = [("a", ctypes.c_int32, 3), ("b", ctypes.c_int32, 5)]


class Either(ctypes.Union):
    _fields_ = [("a", ctypes.c_int32), ("b", ctypes.c_float)]


class Long(ctypes.Structure):
    _fields_ = [(f"a_rather_long_name_{n}", ctypes.c_int32) for n in range(5)]


def test_formats_of_ctypes_structs(segment):
    assert format_of(segment, Inner) == "T{b:a:1x<h:b:}"
    assert format_of(segment, Outer) == (
        "T{?:flag:1x(2)T{b:a:1x<h:b:}:inner:3s:name:3x(3,2)<f:grid:}"
    )
    assert format_of(segment, Child) == "T{b:a:1x<h:b:4x<d:c:}"
    assert format_of(segment, Packed) == "T{b:a:<q:b:}"
    assert format_of(segment, ctypes.c_int32 * 4) == "(4)<i"
    for untold in (Bits, Either, Long):
        assert format_of(segment, untold) == f"struct of {ctypes.sizeof(untold)} bytes"


def test_a_struct_without_format_is_known_by_its_size(segment):
    atoll.Value(segment, "bits", Bits, Bits(1, 2))
    assert atoll.Value(segment, "bits", Bits).value.b == 2
    assert atoll.Value(segment, "bits", Either).value is not None  # as large, as aligned
    with pytest.raises(atoll.WrongKind):
        atoll.Value(segment, "bits", Long)


def test_structs_with_other_fields_do_not_open_each_other(segment):
    class Renamed(ctypes.Structure):
        _fields_ = [("a", ctypes.c_int8), ("c", ctypes.c_int16)]

    atoll.Value(segment, "v", Inner)
    for other in (Renamed, Child, "4s", "i32"):
        with pytest.raises(atoll.WrongKind):
            atoll.Value(segment, "v", other)


def test_ctypes_arrays_as_elements(segment):
    value = atoll.Value(segment, "v", ctypes.c_int32 * 3)
    value.value = (ctypes.c_int32 * 3)(1, 2, 3)
    assert list(value.value) == [1, 2, 3]
    array = atoll.Array(segment, "a", ctypes.c_int16 * 2, 4)
    array[2][1] = 7
    assert list(array[2]) == [0, 7] and array.view().shape == (4, 2)
    array[0:2] = (ctypes.c_int16 * 2 * 2)((1, 2), (3, 4))
    assert list(array[1]) == [3, 4]


def test_the_memory_is_little_endian_and_unpadded(segment):
    array = atoll.Array(segment, "a", Inner, 2)
    array[1] = Inner(-1, 0x1234)
    assert bytes(array.view().cast("B")) == bytes(4) + struct.pack("<bxh", -1, 0x1234)


class Indexed:
    """A number by its `__index__` alone, as NumPy's are."""

    def __index__(self):
        return 5


ODD = [True, 0, 5, -1, 127, 128, 2**31, 2**63, 2**64, -(2**63) - 1, 10**400, 0.5, 1e300, math.inf]
ODD += [math.nan, Indexed(), None, "5", b"5", [], 1j, decimal.Decimal(5)]


@pytest.mark.parametrize("scalar", _types.SCALARS.values(), ids=str)
@pytest.mark.parametrize("value", ODD, ids=lambda value: type(value).__name__)
def test_a_number_is_packed_as_a_memoryview_would(scalar, value):
    """They are two, because one is fast and the other says what is wrong."""
    cell = bytearray(scalar.size)
    try:
        memoryview(cell).cast(scalar.native)[0] = value
    except (TypeError, ValueError, OverflowError):
        with pytest.raises((atoll.WrongKind, atoll.InvalidArgument)):
            scalar.encode(value)
    else:
        assert scalar.encode(value) == cell
