import ctypes
import math
import pickle
import sys
import threading

import atoll
import pytest
from support import Child, run

BOUNDS = {
    **{f"i{8 * n}": (-(1 << 8 * n - 1), (1 << 8 * n - 1) - 1) for n in (1, 2, 4, 8)},
    **{f"u{8 * n}": (0, (1 << 8 * n) - 1) for n in (1, 2, 4, 8)},
}
INTEGERS = pytest.mark.parametrize("type", BOUNDS)
FLOATS = pytest.mark.parametrize("type", ["f32", "f64"])


class Point(ctypes.Structure):
    _fields_ = [("x", ctypes.c_int32), ("y", ctypes.c_double)]


class Small(ctypes.Structure):
    _fields_ = [("a", ctypes.c_int16), ("b", ctypes.c_int16)]


@INTEGERS
def test_integers_keep_their_bounds(segment, type):
    least, most = BOUNDS[type]
    value = atoll.Value(segment, "v", type, most)
    assert value.value == most and value.type == type
    value.value = least
    assert value.value == least
    for far in (least - 1, most + 1, 1 << 64, -(1 << 64), 10**5000):
        for refused in (
            lambda: setattr(value, "value", far),
            lambda: value.add(far),
            lambda: value.swap(far),
            lambda: value.compare_exchange(far, 1),
            lambda: value.compare_exchange(1, far),
            lambda: atoll.Value(segment, "other", type, far),
        ):
            with pytest.raises(atoll.InvalidArgument, match=f"does not fit {type}"):
                refused()
    assert value.value == least
    assert [entry.name for entry in segment.list()] == ["v"]


@INTEGERS
def test_integer_operations_return_the_old_value(segment, type):
    least, most = BOUNDS[type]
    value = atoll.Value(segment, "v", type, 12)
    steps = [
        (value.add(5), 12), (value.sub(7), 17), (value.max(3), 10), (value.max(20), 10),
        (value.min(30), 20), (value.min(13), 20), (value.and_(6), 13), (value.or_(9), 4),
        (value.xor(15), 13), (value.swap(100), 2), (value.compare_exchange(1, 2), 100),
        (value.compare_exchange(100, 7), 100),
    ]  # fmt: skip
    assert [got for got, _ in steps] == [expected for _, expected in steps]
    assert value.value == 7
    value.value = most
    assert value.add(1) == most and value.value == least  # the sum wraps, as in C
    assert value.sub(1) == least and value.value == most


@FLOATS
def test_float_operations(segment, type):
    value = atoll.Value(segment, "v", type, 1.5)
    assert (value.add(2), value.sub(0.25), value.max(10), value.min(-1.0)) == (1.5, 3.5, 3.25, 10)
    assert value.swap(4) == -1 and value.compare_exchange(4.0, 8.5) == 4 and value.value == 8.5
    for bits in (value.and_, value.or_, value.xor):
        with pytest.raises(atoll.WrongKind):
            bits(1.0)
    value.value = math.nan
    assert math.isnan(value.compare_exchange(math.nan, 1.0)) and value.value == 1.0
    value.value = -0.0
    assert value.compare_exchange(0.0, 5.0) == 0 and math.copysign(1, value.value) == -1
    value.value = math.inf
    assert value.value == math.inf


def test_bools(segment):
    value = atoll.Value(segment, "v", "bool", True)
    assert value.value is True
    assert value.swap(False) is True and value.value is False
    assert value.compare_exchange(False, True) is False and value.value is True


@pytest.mark.parametrize("size", [1, 5, 8, 9, 100, 5000])
def test_bytes_are_padded_and_never_stripped(segment, size):
    value = atoll.Value(segment, "v", f"{size}s")
    assert value.value == bytes(size)
    value.value = b"x"
    assert value.value == b"x".ljust(size, b"\0")
    full = bytes(255 - n % 256 for n in range(size))
    assert value.swap(bytearray(full)) == b"x".ljust(size, b"\0")
    assert value.compare_exchange(b"n", b"m") == full == value.value
    assert value.compare_exchange(memoryview(full), b"") == full and value.value == bytes(size)
    for wrong in (bytes(size + 1), b"a" * (size + 1)):
        with pytest.raises(atoll.InvalidArgument, match="do not fit"):
            value.value = wrong
    with pytest.raises(atoll.WrongKind, match="takes bytes, not str"):
        value.value = "x"
    with pytest.raises(atoll.WrongKind, match="no number"):
        value.add(b"x")


@pytest.mark.parametrize("kind", [Point, Small])
def test_structs(segment, kind):
    first, second = (name for name, _ in kind._fields_)
    value = atoll.Value(segment, "v", kind, kind(1, 2))
    copy = value.value
    assert type(copy) is kind and (getattr(copy, first), getattr(copy, second)) == (1, 2)
    setattr(copy, first, 9)
    assert getattr(value.value, first) == 1, "what was loaded is a copy"
    old = value.swap(copy)
    assert getattr(old, first) == 1 and getattr(value.value, first) == 9
    assert getattr(value.compare_exchange(old, kind(5, 5)), first) == 9
    assert getattr(value.compare_exchange(copy, kind(5, 5)), first) == 9
    assert getattr(value.value, first) == 5
    for wrong in (5, b"x" * ctypes.sizeof(kind), (1, 2)):
        with pytest.raises(atoll.WrongKind, match=kind.__name__):
            value.value = wrong
    assert kind.__name__ in repr(value)


def test_initial_counts_for_the_maker_only(segment):
    assert atoll.Value(segment, "v", "i64", 5).value == 5
    assert atoll.Value(segment, "v", "i64", 6).value == 5
    assert atoll.Value(segment, "v", "i64", 7, create=False).value == 5
    atoll.Value(segment, "v").value = 0
    assert atoll.Value(segment, "v", "i64", 8).value == 0
    with pytest.raises(atoll.AlreadyExists):
        atoll.Value(segment, "v", "i64", 8, create=True)
    assert atoll.Value(segment, "t", "16s", b"hello", create=True).value[:5] == b"hello"
    assert atoll.Value(segment, None, "f64", 2.5).value == 2.5
    assert atoll.Value(segment, name="k", type="i8", initial=3, create="open").value == 3


def test_the_type_may_be_left_to_the_segment(segment):
    for name, type, initial in (("i", "u16", 9), ("b", "12s", b"abc"), ("f", "f32", 1.5)):
        atoll.Value(segment, name, type, initial)
        opened = atoll.Value(segment, name)
        assert opened.type == type and opened.value == atoll.Value(segment, name, type).value
    atoll.Value(segment, "p", Point, Point(3, 4))
    opaque = atoll.Value(segment, "p")
    assert opaque.value == bytes(Point(3, 4)) and "T{" in opaque.type
    with pytest.raises(atoll.NotFound):
        atoll.Value(segment, "nothing")


def test_another_type_is_refused_and_both_are_named(segment):
    atoll.Value(segment, "v", "i64")
    with pytest.raises(atoll.WrongKind) as caught:
        atoll.Value(segment, "v", "f64")
    assert "i64" in str(caught.value) and "f64" in str(caught.value)
    with pytest.raises(TypeError):
        atoll.Array(segment, "v", "i64", 1)
    with pytest.raises(atoll.WrongKind):
        atoll.Lock(segment, "v")


def test_adds_from_everywhere_count(segment):
    value = atoll.Value(segment, "v", "i64")
    code = """
        value = atoll.Value(segment, "v", "i64")
        for _ in range(2000): value.add(1)
    """

    seen = []

    def work(operand):
        for _ in range(2000):
            seen.append(value.add(operand))

    threads = [threading.Thread(target=work, args=(10**n,)) for n in (5, 10, 15)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    with Child(code, segment) as one, Child(code, segment) as two:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        one.finish()
        two.finish()
    sys.setswitchinterval(interval)
    assert value.value == 2000 * (2 + 10**5 + 10**10 + 10**15)
    assert len(set(seen)) == 3 * 2000, "each add saw a sum of its own"


def test_a_large_value_is_never_seen_half_written(segment):
    size = 4096
    value = atoll.Value(segment, "v", f"{size}s")
    code = f"""
        value = atoll.Value(segment, "v")
        say("writing")
        fill = int(input() or 1)
        while True: value.value = bytes([fill]) * {size}; fill = fill % 250 + 1
    """
    with Child(code, segment) as one, Child(code, segment) as two:
        for child in (one, two):
            child.expect("writing")
            child.tell()
        seen = set()
        while len(seen) < 50:
            data = value.value
            assert data == data[:1] * size
            seen.add(data[:1])
        one.kill()  # perhaps in the middle of a store, which others then see or do not
        for _ in range(1000):
            data = value.value
            assert data == data[:1] * size
    value.value = b"mine" * (size // 4)
    assert value.value == b"mine" * (size // 4)
    segment.verify()


def test_readonly_values_can_be_looked_at(segment):
    atoll.Value(segment, "i", "i64", 5)
    atoll.Value(segment, "t", "100s", b"text")
    with atoll.Segment(segment.name, readonly=True) as readonly:
        number, text = atoll.Value(readonly, "i", "i64"), atoll.Value(readonly, "t")
        assert number.value == 5 and text.value[:4] == b"text"
        for change in (
            lambda: setattr(number, "value", 6),
            lambda: number.add(1),
            lambda: number.swap(1),
            lambda: number.compare_exchange(5, 6),
            lambda: setattr(text, "value", b"x"),
            lambda: text.swap(b"x"),
        ):
            with pytest.raises(atoll.Permission):
                change()
        atoll.Value(segment, "i", "i64").value = 7
        assert number.value == 7


@pytest.mark.parametrize("type", ["i64", "100s"])
def test_closed_values_say_so(segment, type):
    with atoll.Value(segment, "v", type) as value:
        initial = value.value
    value.close()
    for use in (
        lambda: value.value,
        lambda: setattr(value, "value", initial),
        lambda: value.swap(initial),
        lambda: value.compare_exchange(initial, initial),
        lambda: value.add(initial),
        value.__enter__,
    ):
        with pytest.raises(atoll.Closed, match="open it again"):
            use()
    assert "closed" in repr(value)


@pytest.mark.parametrize("wrong", [1.5, "1", None, b"1", [1]])
def test_wrong_python_types(segment, wrong):
    value = atoll.Value(segment, "v", "i64", 3)
    uses = [
        lambda: setattr(value, "value", wrong), lambda: value.add(wrong),
        lambda: value.swap(wrong), lambda: value.compare_exchange(3, wrong),
        lambda: atoll.Value(segment, "w", "i64", wrong),
    ]  # fmt: skip
    for use in uses:
        with pytest.raises(atoll.WrongKind, match="i64 takes an int, not"):
            use()
    assert value.value == 3


def test_an_operand_that_fails_spoils_nothing(segment):
    value = atoll.Value(segment, "v", "u8", 250)
    for _ in range(3):
        with pytest.raises(atoll.InvalidArgument):
            value.add(256)
        assert value.add(1) is not None
    assert value.value == 253


def test_pickles_by_name(segment):
    for value in (atoll.Value(segment, "i", "i64", 4), atoll.Value(segment, "p", Small)):
        copy = pickle.loads(pickle.dumps(value))
        assert copy.type == value.type and copy.name == value.name
    assert pickle.loads(pickle.dumps(atoll.Value(segment, "i"))).add(1) == 4
    assert atoll.Value(segment, "i").value == 5
    atoll.Value(segment, "o", Point)
    assert pickle.loads(pickle.dumps(atoll.Value(segment, "o"))).value == bytes(16)


def test_classes_are_generic(segment):
    assert atoll.Value[int] is not None and atoll.Array[float] is not None
    assert isinstance(atoll.Value(segment, "v", int), atoll.Value)


def test_values_pass_between_processes(segment):
    atoll.Value(segment, "v", "f64", 0.1)
    code = """
        value = atoll.Value(segment, "v", "f64")
        say(value.value)
        value.value = 1e300
    """
    assert run(code, segment) == "0.1\n"
    assert atoll.Value(segment, "v", "f64").value == 1e300
