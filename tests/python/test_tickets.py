"""Objects without a name on their way: pickles, copies, arguments and results of processes."""

import concurrent.futures
import copy
import ctypes
import gc
import multiprocessing
import pickle
import threading

import atoll
import pytest
from kinds import is_same
from support import Child, run

METHODS = pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])


class Point(ctypes.Structure):
    _fields_ = [("x", ctypes.c_double), ("y", ctypes.c_double)]


class OtherPoint(ctypes.Structure):
    _fields_ = [("x", ctypes.c_float), ("y", ctypes.c_float)]


class Numbers(ctypes.Structure):
    """As large as a Point, and aligned as one."""

    _fields_ = [("x", ctypes.c_int64), ("y", ctypes.c_int64)]


def make_in(segment):
    """One of each kind, and something that shows that it is the same one."""
    return [
        atoll.Lock(segment),
        atoll.RLock(segment),
        atoll.Value(segment, type="i64", initial=5),
        atoll.Value(segment, type="40s", initial=b"text"),
        atoll.Value(segment, type=Point, initial=Point(1, 2)),
        atoll.Array(segment, type="f32", shape=(2, 3)),
        atoll.Array(segment, type=Point, shape=4),
        atoll.RWLock(segment),
        atoll.Semaphore(segment, value=3),
        atoll.Semaphore(segment, value=3, tracked=True),
        atoll.BoundedSemaphore(segment, value=3),
        atoll.Condition(segment, lock=atoll.RLock()),
        atoll.Event(segment),
        atoll.Barrier(segment, parties=2),
        atoll.Latch(segment, count=1000),
    ]


WHERE = pytest.mark.parametrize("where", ["home", "segment"])


@pytest.fixture
def make(segment):
    return lambda where: make_in(segment if where == "segment" else None)


@WHERE
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_another_handle_to_the_same_object(make, where, protocol):
    for thing in make(where):
        data = pickle.dumps(thing, protocol)
        once, twice = pickle.loads(data), pickle.loads(data)
        for other in (once, twice):
            assert type(other) is type(thing) and other.name is None and other is not thing
            assert is_same(thing, other) and is_same(other, thing)
            assert getattr(other, "type", None) == getattr(thing, "type", None)
        once.close()
        assert is_same(thing, twice)


@WHERE
@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy])
def test_a_copy_is_another_handle_to_the_same_object(make, where, how):
    for thing in make(where):
        other = how(thing)
        assert other is not thing and is_same(thing, other)
        thing.close()
        assert is_same(other, how(other))


def test_a_copy_of_a_named_object(segment):
    value = atoll.Value(segment, "v", "i64", 3)
    for other in (copy.copy(value), copy.deepcopy(value)):
        assert other.name == "v" and other.add(1) >= 3
    assert value.value == 5


def test_the_pickle_keeps_the_object_for_one_load(segment):
    things = make_in(segment)
    while things:
        thing = things.pop()
        objects = segment.stat().objects
        before = thing._type.encode(thing.value) if isinstance(thing, atoll.Value) else None
        data = pickle.dumps(thing)
        thing.close()
        del thing
        gc.collect()
        assert segment.stat().objects == objects
        loaded = pickle.loads(data)
        assert before is None or loaded._type.encode(loaded.value) == before
        again = pickle.loads(data)  # as long as somebody has it
        loaded.close()
        assert not again.closed
        again.close()
        with pytest.raises(atoll.NotFound, match="gone") as caught:
            pickle.loads(data)
        assert len(str(caught.value)) > 15
        assert segment.stat().objects == objects - 1
    segment.verify()


def test_what_is_gone_is_never_something_else(segment):
    thing = atoll.Value(segment, type="i64", initial=5)
    data = pickle.dumps(thing)
    pickle.loads(data).close()
    thing.close()
    successors = [atoll.Value(segment, type="i64", initial=number) for number in range(50)]
    with pytest.raises(atoll.NotFound):
        pickle.loads(data)
    assert [value.value for value in successors] == list(range(50))


def test_a_pickle_whose_process_is_gone():
    code = """
        import pickle
        things = atoll.Lock(), atoll.Value(type="i64"), atoll.Array(type="u8", shape=3)
        print(pickle.dumps(things).hex())
    """
    with pytest.raises(atoll.NotFound) as caught:
        pickle.loads(bytes.fromhex(run(code)))
    assert "has to take part" in str(caught.value)


def test_a_pickle_whose_process_was_killed(segment):
    code = """
        import pickle
        value = atoll.Value(segment, type="i64", initial=5)
        kept = atoll.Value(segment, type="i64", initial=6)
        say(pickle.dumps(value).hex())
        say(pickle.dumps(kept).hex())
        hang()
    """
    with Child(code, segment) as child:
        value, kept = (bytes.fromhex(child.process.stdout.readline()) for _ in range(2))
        mine = pickle.loads(kept)
        child.kill()
    assert segment.stat().objects == 1
    with pytest.raises(atoll.NotFound):
        pickle.loads(value)
    assert mine.value == 6
    segment.verify()


def test_several_in_one_pickle():
    lock, value = atoll.Lock(), atoll.Value(type="i64")
    a, b, c = pickle.loads(pickle.dumps((lock, value, lock)))
    assert a is c and is_same(lock, a) and is_same(value, b)


def test_the_view_goes_along_and_is_compared(segment):
    value, array = atoll.Value(segment, type=Point), atoll.Array(segment, type=Point, shape=2)
    load, (kind, ticket, spec) = value.__reduce__()
    assert spec is Point and isinstance(load(kind, ticket, spec).value, Point)
    assert load(kind, ticket).value == bytes(16)
    for wrong in (Numbers, OtherPoint, "i64", "16s", "u8"):
        with pytest.raises(atoll.WrongKind, match="as you say"):
            load(kind, ticket, wrong)
        with pytest.raises(atoll.WrongKind, match="as you say"):
            load(atoll.Array, array.__reduce__()[1][1], wrong)


def test_numpy_types_go_along(segment):
    numpy = pytest.importorskip("numpy")
    dtype = numpy.dtype([("a", "i4"), ("b", "f8")])
    array = pickle.loads(pickle.dumps(atoll.Array(segment, type=dtype, shape=3)))
    assert array.type == dtype and array.numpy().dtype == dtype


def test_what_is_no_ticket(segment):
    value = atoll.Value(segment, type="i64")
    load, (kind, ticket, spec) = value.__reduce__()
    for wrong in (b"", ticket[:-1], ticket + b"\0"):
        with pytest.raises(atoll.InvalidArgument, match="another version"):
            load(kind, wrong, spec)
    for noun in (atoll.Lock, atoll.Array):
        with pytest.raises(atoll.WrongKind):
            load(noun, ticket)
    for place in range(len(ticket)):
        damaged = bytearray(ticket)
        damaged[place] ^= 0x55
        try:
            load(kind, bytes(damaged), spec).close()
        except atoll.AtollError as error:
            assert len(str(error)) > 15
    segment.verify()
    assert value.value == 0


@pytest.mark.parametrize("make_lock", [threading.Lock, multiprocessing.Lock])
def test_what_cannot_be_pickled_leaves_no_ticket(segment, make_lock):
    condition = atoll.Condition(segment, lock=make_lock())
    for dumps in (pickle.dumps, copy.deepcopy):
        with pytest.raises((TypeError, RuntimeError)):
            dumps(condition)
    condition.close()
    assert segment.stat().objects == 0


def test_what_is_closed_makes_no_pickle():
    for thing in make_in(None):
        thing.close()
        with pytest.raises(atoll.Closed):
            pickle.dumps(thing)
        with pytest.raises(atoll.Closed):
            copy.copy(thing)


# --- on the ways of the standard library ---------------------------------------------------------


def work(lock, value, array, rounds):
    for _ in range(rounds):
        with lock:
            array[0] += 1
        value.add(1)


@METHODS
@pytest.mark.parametrize("kind", [atoll.Lock, atoll.RLock])
def test_arguments_of_processes(method, kind):
    context = multiprocessing.get_context(method)
    lock, value, array = kind(), atoll.Value(type="i64"), atoll.Array(type="i64", shape=2)
    processes = [context.Process(target=work, args=(lock, value, array, 100)) for _ in range(2)]
    for process in processes:
        process.start()
    work(lock, value, array, 100)
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert (array[0], value.value) == (300, 300)


def sent_only(value):
    assert value.add(1) == 5


@METHODS
def test_an_argument_that_only_the_process_keeps(method):
    context = multiprocessing.get_context(method)
    process = context.Process(target=sent_only, args=(atoll.Value(type="i64", initial=5),))
    process.start()
    process.join()
    assert process.exitcode == 0


def double(value):
    """From here and to there: what comes back is an object of the worker's home."""
    value.add(1)
    return atoll.Value(type="i64", initial=2 * value.value), value


@METHODS
def test_a_pool(method):
    value = atoll.Value(type="i64", initial=1)
    with multiprocessing.get_context(method).Pool(1) as pool:
        doubles = pool.map(double, [value] * 5)
        assert [made.value for made, _ in doubles] == [4, 6, 8, 10, 12]
    assert all(is_same(value, same) for _, same in doubles)
    # The worker is gone by now, and what it made is ours.
    assert [made.add(1) for made, _ in doubles[1:]] == [6, 8, 10, 12]


@METHODS
def test_an_executor(method):
    value = atoll.Value(type="i64", initial=1)
    context = multiprocessing.get_context(method)
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        doubles = list(pool.map(double, [value] * 5))
    assert [made.value for made, _ in doubles] == [4, 6, 8, 10, 12]


def test_a_queue_of_the_standard_library():
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    process = context.Process(target=lambda: sent_only(queue.get()))
    process.start()
    queue.put(atoll.Value(type="i64", initial=5))
    process.join()
    assert process.exitcode == 0


def test_through_many_hands(segment):
    """Each process loads, pickles and ends; the object is never without one that has it."""
    code = """
        import pickle
        value = pickle.loads(bytes.fromhex(input()))
        value.add(1)
        say(pickle.dumps(value).hex())
        input()
    """
    value = atoll.Value(type="i64")
    data = pickle.dumps(value).hex()
    last = None
    for _ in range(5):
        child = Child(code)
        child.process.stdin.write(data + "\n")
        child.process.stdin.flush()
        data = child.process.stdout.readline().strip()
        if last is not None:
            last.tell()
            last.finish()
            last.__exit__()
        last = child
    end = pickle.loads(bytes.fromhex(data))
    last.tell()
    last.finish()
    last.__exit__()
    assert end.value == 5 and is_same(value, end)
