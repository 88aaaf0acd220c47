"""What the accelerator answers is what ctypes does, whatever it is asked."""

import array
import ctypes
import decimal
import fractions
import functools
import math

import atoll
import pytest
from accelerated import needed, outcome
from atoll import _array, _mpmc, _ring, _value

# Behind the accelerator's methods stand those in Python, so that both can be asked here.

NUMBERS = [f"{kind}{size}" for kind in "iu" for size in (8, 16, 32, 64)] + ["f32", "f64", "bool"]
EDGES = [sign * (1 << bits) + more for bits in (7, 8, 15, 16, 31, 32, 63, 64, 70) for sign in (1, -1)
         for more in (-1, 0, 1)]  # fmt: skip
FLOATS = [0.0, -0.0, 0.1, 1e10, 1e39, 1e300, -1e300, math.inf, -math.inf, math.nan]


class Index:
    """Stands for a number, or fails in the attempt."""

    def __init__(self, outcome):
        self.outcome = outcome

    def __index__(self):
        if isinstance(self.outcome, int):
            return self.outcome
        raise self.outcome

    __float__ = __bool__ = __index__


OTHERS = [
    0, 1, 2, 5, -3, True, None, "1", b"1", [1], 10**400, Index(3), Index(1 << 80),
    Index(KeyError("k")), Index(TypeError("t")), Index(KeyboardInterrupt()), fractions.Fraction(1, 2), decimal.Decimal("2"),
]  # fmt: skip
OPERANDS = OTHERS + EDGES + FLOATS


def same(ours, theirs, state, call, *arguments):
    """Do the same to two objects in two ways: the same comes of it, and both are alike after."""
    one, other = outcome(call(ours), *arguments), outcome(call(theirs), *arguments)
    assert one == other, (call, arguments)
    assert state(ours) == state(theirs), (call, arguments)


@needed
@pytest.mark.parametrize("type", NUMBERS)
@pytest.mark.parametrize("readonly", [False, True])
def test_values_do_the_same(segment, type, readonly):
    atoll.Value(segment, "ours", type), atoll.Value(segment, "theirs", type)
    with atoll.Segment(segment.name, readonly=readonly) as where:
        ours, theirs = atoll.Value(where, "ours"), atoll.Value(where, "theirs")
        theirs._name = "ours"  # for the sentences

        def state(value):
            return bytes(value._word)

        def by(name):
            # In Python for theirs, whatever stands before.
            return lambda value: (
                getattr(value, name)
                if value is ours
                else functools.partial(getattr(_value._Value, name), value)
            )

        def read(value):
            return functools.partial(
                (atoll.Value if value is ours else _value._Value).value.__get__, value
            )

        def assign(value):
            return functools.partial(
                (atoll.Value if value is ours else _value._Value).value.__set__, value
            )

        for operand in OPERANDS:
            for name in ("add", "sub", "min", "max", "and_", "or_", "xor", "swap"):
                same(ours, theirs, state, by(name), operand)
            same(ours, theirs, state, by("compare_exchange"), operand, 1)
            same(ours, theirs, state, by("compare_exchange"), theirs.value, operand)
            same(ours, theirs, state, read)
            same(ours, theirs, state, assign, operand)
        for count in (0, 1, 3):
            same(ours, theirs, state, by("compare_exchange"), *[1] * count)


@needed
@pytest.mark.parametrize("type", [*NUMBERS, "3s"])
@pytest.mark.parametrize("shape", [(5,), (2, 3), (0,), (2, 1, 3)])
@pytest.mark.parametrize("readonly", [False, True])
def test_arrays_do_the_same(segment, type, shape, readonly):
    for name in ("ours", "theirs"):
        atoll.Array(segment, name, type, shape)
    with atoll.Segment(segment.name, readonly=readonly) as where:
        ours, theirs = atoll.Array(where, "ours"), atoll.Array(where, "theirs")
        theirs._name = "ours"

        def by(name):
            return lambda array: functools.partial(
                getattr(atoll.Array if array is ours else _array._Array, name), array
            )

        def state(array):
            return bytes(array._bytes)

        indices = [0, 1, -1, 4, 5, -5, -6, 1 << 70, True, Index(1), Index(KeyError("k")), 1.0, None]
        keys = [
            *indices, slice(1, 3), slice(None, None, 2), "x", (), (0,), (1, 2), (-1, -1), (0, 0, 0, 0),
            (1, 3), (-3, 0), (1, -1, 2), (1, 0, 3), (0, 1, 0), (1, Index(1)), (1, slice(2)), (1.0, 0),
        ]  # fmt: skip
        same(ours, theirs, state, by("__len__"))
        for key in keys:
            for value in (1, 0.5, 1 << 40, -1, None, [1, 2], b"ab", Index(2), Index(KeyError("v"))):
                same(ours, theirs, state, by("__setitem__"), key, value)
                same(ours, theirs, state, by("__getitem__"), key)
                same(ours, theirs, state, by("__delitem__"), key)


class Buffer:
    """No buffer, though it says how long it is."""

    def __len__(self):
        return 3


RECORDS = [
    b"", b"abc", b"ab", b"abcd", bytearray(b"abc"), memoryview(b"abcdef")[::2], memoryview(b"abc"), "abc", Buffer(),
]  # fmt: skip


BATCHES = [
    [], [1, 2, 3], (b"abc", b"ab"), [1, "x"], b"", b"abc", b"abcdef", bytes(24), bytearray(48), memoryview(bytes(24)), 5, "abc",
    memoryview(bytes(48)).cast("d"), *(array.array(letter, [1, 2, 3]) for letter in "bBhHiIlLqQfd"), array.array("q", []),
    memoryview(array.array("q", [1, 2, 3, 4]))[::2], memoryview(bytes(16)).cast("q", (2, 1)), memoryview(bytes(3)).cast("?"),
    (ctypes.c_int64 * 2)(5, 6), (ctypes.c_double.__ctype_be__ * 2)(5, 6), range(6), Buffer(), None,
]  # fmt: skip
KINDS = [(kind, type) for kind in (atoll.Spsc, atoll.Fanin, atoll.Mpmc) for type in (*NUMBERS, "3s")]


@needed
@pytest.mark.parametrize("kind, type", [*KINDS, (atoll.Mpmc, "bytes")])
@pytest.mark.parametrize("readonly", [False, True])
def test_rings_do_the_same(segment, kind, type, readonly):
    behind = _mpmc._Mpmc if kind is atoll.Mpmc else _ring._Ring
    kind(segment, "ours", type, 4), kind(segment, "theirs", type, 4)
    with atoll.Segment(segment.name, readonly=readonly) as where:
        ours, theirs = kind(where, "ours"), kind(where, "theirs")
        theirs._name = "ours"  # for the sentences

        def by(name):
            return lambda ring: functools.partial(
                getattr(kind if ring is ours else behind, name), ring
            )

        def state(ring):
            info = ring.info()
            if kind is atoll.Mpmc and info.ended:  # each attempt may have left a gap
                return info.ended, info.pushed
            return info

        waits = [(), (True, 0), (False,), (True, -1.5), (False, "1"), (True, math.nan), (True, "1"), (1, 0.001)]
        for record in OPERANDS + RECORDS:
            for name, more in [("push", ()), *(("put", wait) for wait in waits[1:])]:
                same(ours, theirs, state, by(name), record, *more)
            # So many are there by now that one more can be known to have room.
            while len(theirs) > 2:
                same(ours, theirs, state, by("pop"))
            same(ours, theirs, state, by("put"), record)
            for wait in waits if len(theirs) == 4 else waits[1:]:
                same(ours, theirs, state, by("get"), *wait)
            same(ours, theirs, state, by("pop"))
        for records in BATCHES:
            same(ours, theirs, state, by("push_n"), records)
            for number in (-1, 0, 1.5, True, None, Index(1), 1 << 70, 1 << 62):
                same(ours, theirs, state, by("pop_n"), number)
            same(ours, theirs, state, by("push_n"), records)
            for number in (1, 2, 100):
                same(ours, theirs, state, by("pop_n"), number)
        for name, wrong in (("push", ()), ("push", (1, 2)), ("pop", (1,)), ("get", (1, 2, 3)), ("put", ())):
            for ring in (ours, theirs):
                with pytest.raises(TypeError):
                    by(name)(ring)(*wrong)
        if not readonly:
            ours.shutdown(), theirs.shutdown()
        for name, arguments in (("put", (1,)), ("push", (1,)), ("get", ()), ("pop", ()), ("get", (True, 1))):
            while len(theirs):
                same(ours, theirs, state, by("pop"))
            same(ours, theirs, state, by(name), *arguments)


class Point(ctypes.Structure):
    _fields_ = [("x", ctypes.c_int32), ("weight", ctypes.c_double)]


class Same(ctypes.Structure):
    _fields_ = Point._fields_


class Other(ctypes.Structure):
    _fields_ = [("x", ctypes.c_int32), ("height", ctypes.c_double)]


def plain(value):
    """Something that can be compared."""
    return type(value), value if isinstance(value, (int, list, type(None))) else bytes(value)


@needed
@pytest.mark.filterwarnings("ignore:A builtin ctypes object:RuntimeWarning")  # from NumPy
@pytest.mark.parametrize("type", ["ctypes", "numpy", "opaque"])
def test_rings_of_structs_do_the_same(segment, type):
    np = pytest.importorskip("numpy", reason="NumPy is not installed")
    dtype = np.dtype([("x", np.int32), ("weight", np.float64)], align=True)
    ours, theirs = (atoll.Spsc(segment, name, Point, 4) for name in ("ours", "theirs"))
    if type != "ctypes":
        how = {"numpy": dtype, "opaque": None}[type]
        ours, theirs = (atoll.Spsc(segment, name, how) for name in ("ours", "theirs"))
    theirs._name = "ours"

    def done(call, *arguments):
        kind, value = outcome(call, *arguments)
        return (kind, value) if isinstance(value, str) else plain(value)

    one, array_of_one = np.array((7, 0.5), dtype)[()], np.array([(7, 0.5)], dtype)
    records = [
        Point(1, 2), Same(3, 4), Other(5, 6), one, array_of_one, bytes(Point(1, 2)), bytearray(16), memoryview(one),
        memoryview(bytes(Point(9, 9))), (1, 2.5), (Point * 1)(Point(1, 2)), (Point * 2)(), bytes(15), b"", 5, "x", None,
    ]  # fmt: skip
    batches = [*records, [Point(1, 2), Point(3, 4)], np.zeros(3, dtype), np.zeros((2, 1), dtype), bytes(32)]
    for record in records:
        assert done(ours.push, record) == done(functools.partial(_ring._Ring.push, theirs), record)
        assert done(ours.pop) == done(functools.partial(_ring._Ring.pop, theirs))
    for batch in batches:
        ways = ours.push_n, functools.partial(_ring._Ring.push_n, theirs)
        assert done(ways[0], batch) == done(ways[1], batch)
        for number in (1, 9):
            ways = ours.pop_n, functools.partial(_ring._Ring.pop_n, theirs)
            assert done(ways[0], number) == done(ways[1], number)
    assert ours.info()[1:] == theirs.info()[1:]


@needed
def test_a_record_that_closes_the_ring_finds_it_closed(segment):
    ring = atoll.Spsc(segment, "r", "i64", 4)

    class Closing:
        def __index__(self):
            ring.close()
            return 5

    assert outcome(ring.put, Closing())[0] is atoll.Closed
    assert len(atoll.Spsc(segment, "r")) == 0
    ring.__init__(segment, "r")
    ring.put(6)
    ring.__init__(segment, "other", "u8", 2)
    ring.put(200)
    assert (ring.get(), ring.capacity, atoll.Spsc(segment, "r").get()) == (200, 2, 6)
    ring.close()
    assert outcome(ring.get)[0] is atoll.Closed


def test_a_buffer_is_let_go_of(segment):
    ring, record = atoll.Spsc(segment, "r", "3s", 4), bytearray(b"abc")
    ring.put(record)
    record += b"d"
    for put in (ring.put, ring.push):
        with pytest.raises(atoll.InvalidArgument):
            put(record)
    record += b"e"
    assert (ring.get(), len(ring), record) == (b"abc", 0, b"abcde")


@needed
def test_objects_that_are_made_anew_forget_what_they_were(segment):
    value, array = atoll.Value(segment, "v", "i64"), atoll.Array(segment, "a", "i64", 4)
    atoll.Value(segment, "other v", "u8", 200)
    atoll.Array(segment, "other a", "u8", (2, 2))[1, 1] = 9
    value.__init__(segment, "other v")
    array.__init__(segment, "other a")
    assert (value.value, value.add(60), value.value) == (200, 200, 4)
    assert array[1, 1] == 9 and len(array) == 2 and outcome(array.__getitem__, 3)[0] is IndexError
    assert atoll.Value(segment, "v").value == 0
    for old, use in ((value, lambda: value.value), (array, lambda: array[1, 1])):
        old.close()
        assert outcome(use)[0] is atoll.Closed


@needed
def test_an_operand_that_closes_the_object_finds_it_closed(segment):
    value, array = atoll.Value(segment, "v", "i64"), atoll.Array(segment, "a", "i64", 3)

    class Closing:
        def __init__(self, what):
            self.what = what

        def __index__(self):
            self.what.close()
            return 5

    assert outcome(value.add, Closing(value))[0] is atoll.Closed
    assert outcome(array.__setitem__, 1, Closing(array))[0] is atoll.Closed
    assert atoll.Value(segment, "v").value == 0 and atoll.Array(segment, "a")[1] == 0
