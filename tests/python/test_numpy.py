import ctypes
import gc
import os

import atoll
import pytest
from support import is_mapped, path, run

np = pytest.importorskip("numpy", reason="NumPy is not installed")

DTYPES = ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8", "?"]
POINT = np.dtype([("x", np.int32), ("y", np.float64)], align=True)


class Point(ctypes.Structure):
    _fields_ = [("x", ctypes.c_int32), ("y", ctypes.c_double)]


@pytest.mark.parametrize("code", DTYPES)
def test_a_view_of_every_type(segment, code):
    dtype = np.dtype(code)
    array = atoll.Array(segment, "a", dtype, (3, 4))
    view = array.numpy()
    assert view.dtype == dtype and view.shape == (3, 4) and view.flags.c_contiguous
    assert view.ctypes.data % 64 == 0 and not view.any()
    view[1, 2] = 1
    assert array[1, 2] == 1
    assert array.type == atoll.Array(segment, "a").type
    for other in (np.asarray(array), np.asarray(array.view()), np.array(array, copy=False)):
        assert other.dtype == dtype and other[1, 2] == 1
        assert np.shares_memory(other, view)
    assert atoll.Array(segment, "b", dtype.type, 2).type == array.type


def test_arithmetic_in_place(segment):
    array = atoll.Array(segment, "a", "f64", 1000)
    view = array.numpy()
    view[:] = np.arange(1000)
    view *= 2
    assert array[999] == 1998 and array.numpy().sum() == 999_000


class Interface:
    """An array as NumPy sees it before Python 3.12, which has no `__buffer__`."""

    def __init__(self, array):
        self.array = array
        self.__array_interface__ = array.__array_interface__


@pytest.mark.parametrize("how", ["numpy", "asarray", "interface"])
def test_a_view_owns_the_mapping(segment, how):
    inode = os.stat(path(segment)).st_ino
    array = atoll.Array(segment, "a", "i64", 1000)
    view = {
        "numpy": array.numpy,
        "asarray": lambda: np.asarray(array),
        "interface": lambda: np.asarray(Interface(array)),
    }[how]()
    part = view[10:20]
    array.close()
    segment.close()
    del array, view
    gc.collect()
    part[:] = 7
    assert part.sum() == 70 and is_mapped(inode)
    del part
    gc.collect()
    assert not is_mapped(inode)


def test_a_view_outlives_the_name(segment):
    view = atoll.Array(segment, "a", "i64", 10).numpy()
    segment.unlink()
    segment.close()
    view += 1
    assert view.sum() == 10


def test_readonly(segment):
    atoll.Array(segment, "a", "i64", (2, 2))[0, 1] = 4
    atoll.Array(segment, "p", POINT, 2)
    with atoll.Segment(segment.name, readonly=True) as readonly:
        array = atoll.Array(readonly, "a")
        points = atoll.Array(readonly, "p", POINT)
        for view in (
            array.numpy(), np.asarray(array), np.asarray(array.view()), np.asarray(array[0]),
            points.numpy(), np.asarray(points), np.asarray(points[0:1]),
            np.asarray(Interface(array)),
        ):  # fmt: skip
            assert not view.flags.writeable
            with pytest.raises(ValueError):
                view.flags.writeable = True
        assert array.numpy()[0, 1] == 4


def test_structured_dtypes_and_ctypes_structs_are_the_same(segment):
    by_dtype = atoll.Array(segment, "a", POINT, 3)
    by_class = atoll.Array(segment, "a", Point, 3)
    assert by_dtype.type == POINT and by_class.type is Point
    by_class[1].x = 5
    by_dtype[1]["y"] = 2.5
    assert (by_dtype[1]["x"], by_class[1].y) == (5, 2.5)
    by_dtype[2] = (7, 8.5)
    assert (by_class[2].x, by_class[2].y) == (7, 8.5)
    assert by_class.numpy()["x"].tolist() == by_dtype.numpy()["x"].tolist() == [0, 5, 7]
    by_dtype[0:2] = np.array([(1, 1.0), (2, 2.0)], POINT)
    assert [each.x for each in by_class] == [1, 2, 7]
    assert np.asarray(by_dtype)["y"].tolist() == np.asarray(by_class)["y"].tolist() == [1, 2, 8.5]
    with pytest.raises(atoll.WrongKind):
        atoll.Array(segment, "a", np.dtype([("x", np.int32), ("z", np.float64)], align=True))
    value = atoll.Value(segment, "v", POINT, (1, 2.5))
    assert value.value["y"] == 2.5 and value.swap((3, 4))["x"] == 1
    assert atoll.Value(segment, "v", Point).value.x == 3
    for wrong in ((1, 2, 3), "nonsense", (1 << 40, 1.0)):
        with pytest.raises((atoll.InvalidArgument, atoll.WrongKind)):
            value.value = wrong


def test_packed_dtypes_are_packed_structs(segment):
    class Packed(ctypes.Structure):
        _pack_ = 1
        _layout_ = "ms"
        _fields_ = [("a", ctypes.c_int8), ("b", ctypes.c_int64)]

    atoll.Value(segment, "v", np.dtype([("a", "i1"), ("b", "i8")]), (1, 2))
    assert atoll.Value(segment, "v", Packed).value.b == 2


def test_a_packed_dtype_that_is_aligned_anyway_is_the_c_struct(segment):
    class Plain(ctypes.Structure):
        _fields_ = [("a", ctypes.c_int64), ("b", ctypes.c_int64)]

    atoll.Value(segment, "v", np.dtype([("a", "i8"), ("b", "i8")]), (1, 2))
    assert atoll.Value(segment, "v", Plain).value.b == 2


def test_subarrays_and_nested_records(segment):
    inner = np.dtype([("v", "f4", (2, 3)), ("tag", "S5")])
    outer = np.dtype([("head", "u1"), ("rows", inner, (2,))])
    array = atoll.Array(segment, "a", outer, 2)
    view = array.numpy()
    view[1]["rows"][0]["v"][1, 2] = 1.5
    view["rows"]["tag"][0, 1] = b"ab"
    again = atoll.Array(segment, "a", outer).numpy()
    assert again[1]["rows"][0]["v"][1, 2] == 1.5 and again["rows"]["tag"][0, 1] == b"ab"
    value = atoll.Value(segment, "v", np.dtype(("i4", (3,))), [1, 2, 3])
    assert value.value.tolist() == [1, 2, 3]
    with pytest.raises(atoll.WrongKind):
        atoll.Value(segment, "v", np.dtype(("i4", (4,))))


def test_bytes_and_opaque_elements(segment):
    array = atoll.Array(segment, "a", np.dtype("S4"), 3)
    assert array.type == "4s"
    array[1] = b"ab"
    assert array.numpy().dtype == "S4" and array.numpy().tolist() == [b"", b"ab", b""]
    assert np.asarray(array).shape == (3, 4)  # as view() has it, on every version
    atoll.Array(segment, "p", Point, 2)[1].x = 5
    opaque = atoll.Array(segment, "p")
    assert opaque.numpy().dtype == "V16" and opaque.numpy().view(POINT)["x"].tolist() == [0, 5]
    assert np.asarray(opaque).shape == (2, 16)


@pytest.mark.parametrize("dtype", ["O", ">i4", "U3", "M8[s]", "c16", "f2", "S0", "g"])
def test_dtypes_that_cannot_be_shared(segment, dtype):
    with pytest.raises(atoll.InvalidArgument, match="dtype"):
        atoll.Array(segment, "a", np.dtype(dtype), 3)


def test_slices_take_numpy_arrays(segment):
    array = atoll.Array(segment, "a", "i64", 6)
    array[0:3] = np.array([1, 2, 3])
    array[3:6] = np.array([4, 5, 6], dtype="i2")
    assert list(array) == [1, 2, 3, 4, 5, 6]
    array[0:3] = np.arange(6)[::2]
    assert list(array[:3]) == [0, 2, 4]
    array[0:1] = np.array([7], dtype=">i8")
    assert array[0] == 7
    with pytest.raises(atoll.WrongKind):
        array[0:2] = np.array([1.5, 2.5])
    with pytest.raises(atoll.InvalidArgument):
        atoll.Array(segment, "b", "u8", 2)[:] = np.array([1, 300])
    grid = atoll.Array(segment, "g", "f32", (2, 2))
    grid[:] = np.ones((2, 2), "f4")
    grid[1] = np.array([2.5, 3.5])
    assert grid.numpy().tolist() == [[1, 1], [2.5, 3.5]]


def test_numpy_numbers_are_numbers(segment):
    value = atoll.Value(segment, "v", "i64", np.int32(5))
    assert value.add(np.int64(2)) == 5 and value.value == 7
    array = atoll.Array(segment, "a", np.float32, np.int64(3))
    array[np.int8(1)] = np.float64(2.5)
    assert array[np.uint8(1)] == 2.5
    lock = atoll.Lock(segment, "l")
    assert lock.acquire(timeout=np.float32(0.5))
    lock.release()


def test_forked_children_write_through_views(segment):
    code = """
        import warnings
        warnings.simplefilter("ignore", DeprecationWarning)  # NumPy may have threads
        view = atoll.Array(segment, "a", "i64", 10).numpy()
        pid = os.fork()
        view[3 if pid == 0 else 4] = 5
        if pid: os.waitpid(pid, 0)
    """
    run(code, segment)
    assert list(atoll.Array(segment, "a")) == [0, 0, 0, 5, 5, 0, 0, 0, 0, 0]


def test_import_does_not_need_numpy(segment):
    code = """
        sys.modules["numpy"] = None  # an import of it now fails
        array = atoll.Array(segment, "a", "f64", (2, 2))
        array[0] = [1, 2]
        say(array.view().tolist())
        try: array.numpy()
        except ImportError as error: say("no numpy")
    """
    assert run(code, segment) == "[[1.0, 2.0], [0.0, 0.0]]\nno numpy\n"
