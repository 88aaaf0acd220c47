import array as stdlib_array
import ctypes
import pickle
import sys

import atoll
import pytest
from support import Child, run

SCALARS = ["i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f32", "f64", "bool"]


class Pixel(ctypes.Structure):
    _fields_ = [("x", ctypes.c_int32), ("weight", ctypes.c_double)]


@pytest.mark.parametrize("type", SCALARS)
def test_elements_of_every_type(segment, type):
    array = atoll.Array(segment, "a", type, 10)
    assert array.type == type and array.shape == (10,) and len(array) == 10
    assert list(array) == [0] * 10
    array[3] = 1
    array[-1] = 1
    assert (array[3], array[9], array[-7], sum(array)) == (1, 1, 1, 2)
    assert 1 in array and isinstance(array[3], {"f": float, "b": bool}.get(type[0], int))
    again = atoll.Array(segment, "a", type, (10,), create=False)
    again[0] = 1
    assert array[0] == 1


def test_slices_are_views(segment):
    array = atoll.Array(segment, "a", "i64", 10)
    part = array[2:5]
    assert isinstance(part, memoryview) and part.shape == (3,)
    part[0] = 7
    array[3] = 8
    assert (array[2], part[1]) == (7, 8)
    assert array[::2].tolist() == [0, 7, 0, 0, 0] and array[::-1][-3] == 7
    assert array[5:2].tolist() == [] and array[100:].tolist() == []


def test_slices_take_sequences_and_buffers(segment):
    array = atoll.Array(segment, "a", "i64", 6)
    array[:] = range(6)
    array[1:3] = [10, 20]
    array[::2] = (5, 6, 7)
    array[5:] = stdlib_array.array("q", [-1])
    array[3:4] = (ctypes.c_int64 * 1)(44)
    assert array.view().tolist() == [5, 10, 6, 44, 7, -1]
    array[1:4] = array[0:3]  # they overlap
    assert array.view().tolist() == [5, 5, 10, 6, 7, -1]
    array[0:2] = stdlib_array.array("h", [3, 4])
    assert array[0:2].tolist() == [3, 4]


@pytest.mark.parametrize(
    "key, value, error",
    [
        (slice(0, 2), [1], atoll.InvalidArgument),
        (slice(0, 2), [1, 2, 3], atoll.InvalidArgument),
        (slice(0, 2), 5, atoll.WrongKind),
        (slice(0, 2), "ab", atoll.WrongKind),
        (slice(0, 2), b"ab", atoll.WrongKind),
        (slice(0, 2), [1, 2.5], atoll.WrongKind),
        (slice(0, 2), [1, 1 << 63], atoll.InvalidArgument),
        (slice(0, 4, 2), [1, None], atoll.WrongKind),
        (0, 1.5, atoll.WrongKind),
        (0, "1", atoll.WrongKind),
        (0, 1 << 63, atoll.InvalidArgument),
        (0, [1], atoll.WrongKind),
        (4, 1, IndexError),
        (-5, 1, IndexError),
        ("x", 1, TypeError),
        (1.0, 1, TypeError),
        ((0, 0), 1, (IndexError, TypeError)),
    ],
)
def test_what_is_refused_changes_nothing(segment, key, value, error):
    array = atoll.Array(segment, "a", "i64", 4)
    array[:] = [9, 8, 7, 6]
    with pytest.raises(error):
        array[key] = value
    assert array.view().tolist() == [9, 8, 7, 6]


@pytest.mark.parametrize("key", [4, -5, 1 << 70])
def test_out_of_bounds(segment, key):
    with pytest.raises(IndexError):
        atoll.Array(segment, "a", "i64", 4)[key]
    with pytest.raises(IndexError):
        atoll.Array(segment, "b", "i64", (4, 2))[key]


def test_many_dimensions(segment):
    array = atoll.Array(segment, "a", "i32", (2, 3, 4))
    assert array.shape == (2, 3, 4) and len(array) == 2
    array[1, 2, 3] = 5
    assert array[1, 2, 3] == array[-1, -1, -1] == 5
    row = array[1, 2]
    assert isinstance(row, memoryview) and row.tolist() == [0, 0, 0, 5]
    plane = array[1]
    assert plane.shape == (3, 4) and plane[2, 3] == 5
    plane[0, 0] = 6
    assert array[1, 0, 0] == 6
    assert array[0:1].shape == (1, 3, 4) and array[1, 1:3].shape == (2, 4)
    assert [each.shape for each in array] == [(3, 4), (3, 4)]
    array[0] = [[row * 10 + column for column in range(4)] for row in range(3)]
    assert array[0].tolist()[2] == [20, 21, 22, 23]
    array[0, 1] = stdlib_array.array("i", [1, 2, 3, 4])
    assert array[0, 1, 2] == 3
    view = array.view()
    assert (view.shape, view.strides, view.itemsize, view.contiguous) == (
        (2, 3, 4),
        (48, 16, 4),
        4,
        True,
    )
    assert view[0, 2, 1] == 21
    for gaps in (slice(0, 2, 2), (slice(0, 2), 0), (0, slice(0, 3, 2))):
        with pytest.raises(atoll.WrongKind, match="numpy"):
            array[gaps]
    for wrong in ([[1, 2, 3, 4]], [[1] * 4, [1] * 4, [1] * 3]):
        with pytest.raises(atoll.InvalidArgument):
            array[0] = wrong
    with pytest.raises(IndexError):
        array[0, 0, 0, 0]
    with pytest.raises(TypeError):
        array[0, "x"]


def test_many_dimensions_from_a_list(segment):
    assert atoll.Array(segment, "a", "u8", [2, 2]).shape == (2, 2)


@pytest.mark.parametrize("type", ["i64", "4s", Pixel])
@pytest.mark.parametrize("shape", [0, (0, 3), (3, 0)])
def test_empty_arrays(segment, type, shape):
    array = atoll.Array(segment, "a", type, shape)
    assert array.shape == (shape if isinstance(shape, tuple) else (shape,))
    assert array.view().nbytes == 0
    assert [len(row) for row in array] == [0] * len(array)
    with pytest.raises(IndexError):
        array[3]
    assert array[0:0].nbytes == 0
    array[0:0] = []


def test_memory_is_aligned_and_shared_without_copies(segment):
    array = atoll.Array(segment, "a", "u8", 1000)
    address = ctypes.addressof(ctypes.c_char.from_buffer(array.view()))
    assert address % 64 == 0
    ctypes.memset(address + 10, 0x5A, 5)
    assert array[9:16].tolist() == [0, 0x5A, 0x5A, 0x5A, 0x5A, 0x5A, 0]


def test_structs_are_changed_in_place(segment):
    array = atoll.Array(segment, "a", Pixel, 5)
    assert array.type is Pixel
    array[1].x = 9
    pixel = array[1]
    pixel.weight = 0.5
    assert (array[1].x, array[1].weight) == (9, 0.5)
    array[2] = Pixel(3, 4)
    assert (array[2].x, array[2].weight, array[3].x) == (3, 4, 0)
    array[3:5] = [Pixel(1, 1), Pixel(2, 2)]
    assert [each.x for each in array] == [0, 9, 3, 1, 2]
    array[0:2] = (Pixel * 2)(Pixel(7, 7), Pixel(8, 8))
    assert array[1].x == 8
    view = array.view()
    assert view.itemsize == ctypes.sizeof(Pixel) and view.shape == (5,) and "x" in view.format
    part = array[1:3]
    assert (Pixel * 2).from_buffer(part)[0].x == 8
    for wrong in (5, (1, 2), b"x" * 16):
        with pytest.raises(atoll.WrongKind, match="Pixel"):
            array[0] = wrong


def test_bytes_elements(segment):
    array = atoll.Array(segment, "a", "4s", (3,))
    array[0] = b"ab"
    array[1:3] = [b"1234", b"x"]
    assert list(array) == [b"ab\0\0", b"1234", b"x\0\0\0"]
    view = array.view()
    assert (view.shape, view.format) == ((3, 4), "c") and view[1, 2] == b"3"
    with pytest.raises(atoll.InvalidArgument):
        array[0] = b"12345"
    with pytest.raises(atoll.WrongKind):
        array[0] = "ab"
    assert atoll.Array(segment, "grid", "4s", (2, 2))[1, 1] == bytes(4)


def test_type_and_shape_may_be_left_to_the_segment(segment):
    atoll.Array(segment, "a", "f32", (2, 3))[1, 1] = 2.5
    for opened in (
        atoll.Array(segment, "a"),
        atoll.Array(segment, "a", "f32"),
        atoll.Array(segment, "a", shape=(2, 3)),
        atoll.Array(segment, "a", "f", create=False),
    ):
        assert (opened.type, opened.shape, opened[1, 1]) == ("f32", (2, 3), 2.5)
    atoll.Array(segment, "p", Pixel, 2)[1].x = 5
    opaque = atoll.Array(segment, "p")
    assert opaque[1] == bytes(Pixel(5, 0)) and opaque.view().shape == (2, 16)
    opaque[0] = opaque[1]
    assert atoll.Array(segment, "p", Pixel)[0].x == 5
    with pytest.raises(atoll.NotFound):
        atoll.Array(segment, "nothing")
    for missing in (dict(type="i64"), dict(shape=3), {}):
        with pytest.raises(atoll.InvalidArgument):
            atoll.Array(segment, "new", create=True, **missing)


def test_another_type_or_shape_is_refused_and_both_are_named(segment):
    atoll.Array(segment, "a", "i64", (3, 4))
    for other, word in ((("f64", (3, 4)), "f64"), (("i64", (4, 3)), "4"), (("i64", 12), "12")):
        with pytest.raises(atoll.WrongKind) as caught:
            atoll.Array(segment, "a", *other)
        assert word in str(caught.value) and (
            "i64" in str(caught.value) or "3" in str(caught.value)
        )


def test_views_outlive_array_and_segment(segment):
    array = atoll.Array(segment, "a", "i64", 4)
    view, part, element = array.view(), array[1:3], atoll.Array(segment, "p", Pixel, 2)[1]
    array[1] = 11
    array.close()
    segment.close()
    del array
    assert (view[1], part[0], element.x) == (11, 11, 0)
    view[1] = 12
    assert part[0] == 12


def test_closed_arrays_say_so(segment):
    with atoll.Array(segment, "a", "i64", 4) as array:
        array[0] = 1
    array.close()
    grid = atoll.Array(segment, "g", "i64", (2, 2))
    grid.close()
    for closed in (array, grid):
        for use in (
            lambda: closed[0],
            lambda: closed.__setitem__(0, 1),
            lambda: list(closed),
            closed.view,
            lambda: closed.__array_interface__,
            closed.__enter__,
        ):
            with pytest.raises(atoll.Closed, match="open it again"):
                use()
    assert array.shape == (4,) and "closed" in repr(array)


def test_readonly_arrays_are_readonly_to_the_last_view(segment):
    atoll.Array(segment, "a", "i64", (2, 2))[1, 1] = 3
    atoll.Array(segment, "f", "i64", 4)[1] = 3
    atoll.Array(segment, "p", Pixel, 2)[1].x = 3
    with atoll.Segment(segment.name, readonly=True) as readonly:
        grid, flat, pixels = (atoll.Array(readonly, name) for name in "afp")
        pixels = atoll.Array(readonly, "p", Pixel)
        assert (grid[1, 1], flat[1], pixels[1].x) == (3, 3, 3)
        for view in (grid.view(), grid[0], flat.view(), flat[1:], pixels.view(), pixels[0:1]):
            assert view.readonly
        pixels[1].x = 4  # a copy
        assert pixels[1].x == 3
        for array, key, value in (
            (grid, (0, 0), 1),
            (flat, 0, 1),
            (flat, slice(0, 1), [1]),
            (pixels, 0, Pixel()),
        ):
            with pytest.raises(atoll.Permission, match="read-only"):
                array[key] = value
        assert readonly.list()


@pytest.mark.skipif(sys.version_info < (3, 12), reason="__buffer__ needs Python 3.12")
def test_the_buffer_protocol(segment):
    array = atoll.Array(segment, "a", "u16", (2, 3))
    view = memoryview(array)
    assert (view.format, view.shape, view.readonly) == ("H", (2, 3), False)
    view[1, 1] = 500
    assert array[1, 1] == 500
    array.close()
    assert view[1, 1] == 500
    with pytest.raises(atoll.Closed):
        memoryview(array)


def test_pickles_by_name(segment):
    array = atoll.Array(segment, "a", "i16", (2, 2))
    copy = pickle.loads(pickle.dumps(array))
    copy[0, 1] = 4
    assert array[0, 1] == 4 and copy.shape == (2, 2)
    assert pickle.loads(pickle.dumps(atoll.Array(segment, "p", Pixel, 3))).type is Pixel


def test_processes_see_the_same_memory(segment):
    array = atoll.Array(segment, "a", "i64", 1000)
    code = """
        array = atoll.Array(segment, "a")
        view = array.view()
        say("ready")
        input()
        assert view[999] == 5
        array[0:3] = [1, 2, 3]
    """
    with Child(code, segment) as child:
        child.expect("ready")
        array[999] = 5
        child.tell()
        child.finish()
    assert array[0:3].tolist() == [1, 2, 3]
    assert run("say(list(atoll.Array(segment, 'a')[:3]))", segment) == "[1, 2, 3]\n"
