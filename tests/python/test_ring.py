"""Rings: records in at one end and out at the other, one and several at a time."""

import array as stdlib_array
import asyncio
import ctypes
import pickle
import queue
import threading
import time

import atoll
import pytest


class Point(ctypes.Structure):
    _fields_ = [("x", ctypes.c_int32), ("weight", ctypes.c_double)]


BOTH = pytest.mark.parametrize("kind", [atoll.Spsc, atoll.Fanin])
ALL = pytest.mark.parametrize("kind", [atoll.Spsc, atoll.Fanin, atoll.Mpmc])


@ALL
def test_records_come_out_in_order(segment, kind):
    ring = kind(segment, "r", "i64", 4)
    assert (ring.type, ring.capacity, len(ring), bool(ring)) == ("i64", 4, 0, True)
    for lap in range(5):
        for number in range(4):
            assert ring.push(10 * lap + number) is None
        assert len(ring) == 4
        assert [ring.pop() for _ in range(4)] == [10 * lap + number for number in range(4)]
    ring.put(7)
    assert ring.get() == 7 and len(ring) == 0
    segment.verify()


@ALL
def test_full_and_empty_are_those_of_queue(segment, kind):
    ring = kind(segment, "r", "i64", 2)
    ways = [dict(block=False), dict(timeout=0), dict(timeout=-1), dict(block=False, timeout=60)]
    for get in (ring.pop, *(lambda how=how: ring.get(**how) for how in ways)):
        with pytest.raises(queue.Empty, match="(Spsc|Fanin|Mpmc) 'r' in .* is empty") as caught:
            get()
        assert isinstance(caught.value, atoll.Empty) and isinstance(caught.value, atoll.AtollError)
    ring.push(1)
    ring.push(2)
    for put in (ring.push, *(lambda x, how=how: ring.put(x, **how) for how in ways)):
        with pytest.raises(queue.Full, match="is full") as caught:
            put(3)
        assert isinstance(caught.value, atoll.NoRoom) and isinstance(caught.value, atoll.Full)
    assert [ring.get(), ring.get()] == [1, 2]


@ALL
def test_a_timeout_is_waited_out(segment, kind):
    ring = kind(segment, "r", "i64", 1)
    for timeout in (0.05, 0.25):
        before = time.monotonic()
        with pytest.raises(queue.Empty, match="in time"):
            ring.get(timeout=timeout)
        assert time.monotonic() - before >= timeout
    ring.put(1)
    for timeout in (0.05, 0.25):
        before = time.monotonic()
        with pytest.raises(queue.Full, match="in time"):
            ring.put(2, True, timeout)
        assert time.monotonic() - before >= timeout
    assert ring.get(True, 1e300) == 1
    for wrong, error in (("1", TypeError), (float("nan"), ValueError)):
        for call in (lambda: ring.get(timeout=wrong), lambda: ring.put(1, timeout=wrong)):
            with pytest.raises(error):
                call()
    assert len(ring) == 0


@ALL
@pytest.mark.parametrize("waiting", ["adaptive", "spin", "sleep"])
def test_who_waits_goes_on(segment, kind, waiting):
    ring = kind(segment, "r", "i64", 1, waiting=waiting)
    assert ring.info().waiting == waiting
    came = []
    thread = threading.Thread(target=lambda: came.extend(ring.get() for _ in range(20)))
    thread.start()
    for number in range(20):
        if number < 3:
            time.sleep(0.15)  # so that it sleeps, for longer than a slice
        ring.put(number)
    thread.join()
    assert came == list(range(20))


@ALL
def test_threads_may_share_a_ring(segment, kind):
    """Two that put and two that get by one object: nothing is lost, nothing comes twice."""
    ring, came = kind(segment, "r", "i64", 4), []
    threads = [
        threading.Thread(target=lambda at=at: [ring.put(at + each) for each in range(300)])
        for at in (0, 1000)
    ]
    threads += [
        threading.Thread(target=lambda: came.extend([ring.get() for _ in range(300)]))
        for _ in "ab"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(came) == sorted([*range(300), *range(1000, 1300)])


@pytest.mark.parametrize(
    "type, records",
    [
        ("i8", [-128, 127]), ("u64", [0, 2**64 - 1]), ("f64", [0.5, -1e300]), ("f32", [0.5]), ("bool", [True, False]),
        ("3s", [b"abc", b"\0\0\0"]), (int, [5]), (float, [0.25]), (ctypes.c_int16, [-3]),
    ],
)  # fmt: skip
def test_records_of_every_type(segment, type, records):
    ring = atoll.Spsc(segment, "r", type, 2)
    for record in records:
        ring.put(record)
        got = ring.get()
        assert got == record and isinstance(got, record.__class__)
    assert ring.push_n(records) == len(records)
    assert list(ring.pop_n(9)) == records


def test_bytes_from_every_buffer(segment):
    ring = atoll.Spsc(segment, "r", "4s", 8)
    for record in (b"abcd", bytearray(b"abcd"), memoryview(b"abcd"), stdlib_array.array("b", b"abcd")):
        ring.put(record)
        assert ring.get() == b"abcd"
    ring.put(b"a")
    assert ring.get() == b"a\0\0\0"
    assert ring.push_n([b"abcd", bytearray(b"x")]) == 2 == ring.push_n(b"efgh1234")
    assert ring.pop_n(9) == [b"abcd", b"x\0\0\0", b"efgh", b"1234"]


def test_structs(segment):
    ring = atoll.Spsc(segment, "r", Point, 8)
    ring.put(Point(1, 0.5))
    ring.put(bytes(Point(2, 1.5)))
    ring.push_n([Point(3, 2.5), Point(4, 3.5)])
    ring.push_n((Point * 2)(Point(5, 4.5), Point(6, 5.5)))
    ring.push_n(bytes(Point(7, 6.5)))
    first = ring.get()
    assert isinstance(first, Point) and (first.x, first.weight) == (1, 0.5)
    assert [(each.x, each.weight) for each in ring.pop_n(9)] == [(n, n - 0.5) for n in range(2, 8)]
    ring.put(Point(8, 7.5))
    ring.close()
    opaque = atoll.Spsc(segment, "r")
    assert opaque.get() == bytes(Point(8, 7.5))
    opaque.put(bytes(Point(9, 8.5)))
    assert opaque.pop_n(3) == [bytes(Point(9, 8.5))]


def test_several_at_once(segment):
    ring = atoll.Spsc(segment, "r", "i64", 8)
    assert ring.push_n(range(5)) == 5
    assert ring.push_n(stdlib_array.array("q", range(5, 20))) == 3
    with pytest.raises(queue.Full):
        ring.push_n([1])
    assert ring.push_n([]) == 0 == ring.push_n(b"")
    part = ring.pop_n(3)
    assert isinstance(part, memoryview) and part.format == "l" and part.tolist() == [0, 1, 2]
    assert ring.pop_n(100).tolist() == [3, 4, 5, 6, 7]
    with pytest.raises(queue.Empty):
        ring.pop_n(1)
    assert ring.push_n(memoryview(stdlib_array.array("q", range(6)))[::2]) == 3
    assert ring.push_n(bytes(16)) == 2
    assert ring.pop_n(8).tolist() == [0, 2, 4, 0, 0]
    assert ring.push_n(stdlib_array.array("h", [-1, 2])) == 2  # numbers, whatever their size
    assert ring.pop_n(8).tolist() == [-1, 2]


@pytest.mark.parametrize(
    "type, record, error",
    [
        ("i64", 1.5, TypeError), ("i64", "1", TypeError), ("i64", None, TypeError), ("i64", b"12345678", TypeError),
        ("i8", 128, ValueError), ("u8", -1, ValueError), ("3s", b"1234", ValueError), ("3s", "abc", TypeError),
        (Point, (1, 2), TypeError), (Point, b"short", ValueError), (Point, bytes(32), ValueError),
    ],
)  # fmt: skip
def test_records_that_are_none(segment, type, record, error):
    ring = atoll.Spsc(segment, "r", type, 4)
    for put in (ring.push, ring.put, lambda record: ring.push_n([record])):
        with pytest.raises(error) as caught:
            put(record)
        assert isinstance(caught.value, atoll.AtollError)
    assert len(ring) == 0 == ring.info().pushed


@pytest.mark.parametrize(
    "records, error",
    [(5, TypeError), (None, TypeError), (b"1234567", ValueError), ([1, "2"], TypeError), ([1, 2**63], ValueError),
     (iter([1]), TypeError), ("12", TypeError), ([1, [2]], TypeError), (stdlib_array.array("d", [1.5]), TypeError)],
)  # fmt: skip
def test_batches_that_are_none(segment, records, error):
    ring = atoll.Spsc(segment, "r", "i64", 4)
    with pytest.raises(error):
        ring.push_n(records)
    assert len(ring) == 0


@pytest.mark.parametrize("n, error", [(0, ValueError), (-1, ValueError), (1.5, TypeError), ("1", TypeError),
                                      (1 << 70, ValueError)])  # fmt: skip
def test_numbers_that_cannot_be(segment, n, error):
    ring = atoll.Spsc(segment, "r", "i64", 4)
    ring.put(1)
    for call in (ring.pop_n, ring.claim, ring.peek):
        with pytest.raises(error):
            call(n)
    assert len(ring) == 1


# --- made and opened -----------------------------------------------------------------------------


@ALL
def test_to_open_what_is_there(segment, kind):
    ring = kind(segment, "r", "i64", 16)
    ring.put(1)
    for again in (
        kind(segment, "r"), kind(segment, "r", "i64"), kind(segment, "r", "q", 16), kind(segment, "r", create=False),
        kind(segment, name="r", capacity=16, create=False), pickle.loads(pickle.dumps(ring)),
    ):  # fmt: skip
        assert (again.type, again.capacity, len(again)) == ("i64", 16, 1)
    for wrong in (dict(type="f64"), dict(type="i64", capacity=32), dict(type="i64", capacity=1)):
        for create in (False, "open"):
            with pytest.raises(atoll.WrongKind):
                kind(segment, "r", create=create, **wrong)
    with pytest.raises(atoll.AlreadyExists):
        kind(segment, "r", "i64", create=True)
    atoll.Event(segment, "e")
    with pytest.raises(atoll.WrongKind):
        kind(segment, "e", "i64")
    assert [(entry.kind, entry.type) for entry in segment.list()][:1] == [(kind.__name__, "i64")]
    segment.remove("r")
    assert [entry.kind for entry in segment.list() if entry.name] == ["Event"]


@ALL
def test_what_is_usual(segment, kind):
    ring = kind(segment, type="i64")
    info = ring.info()
    lanes = {atoll.Spsc: 1, atoll.Fanin: 8, atoll.Mpmc: 0}[kind]
    assert (info.capacity, info.waiting, info.lanes) == (1024, "adaptive", lanes)
    assert kind(type="i64", capacity=2).capacity == 2  # in the home segment


def test_who_comes_first_gets_the_next(segment):
    one, other = atoll.Mpmc(segment, "r", "i64", 8), atoll.Mpmc(segment, "r")
    one.push_n([1, 2, 3])
    other.put(4)
    assert [other.get(), one.get()] == [1, 2]
    assert one.pop_marked() == (3, 0) and other.get_marked(timeout=0) == (4, 0)
    for call in (one.pop_marked, lambda: one.get_marked(False), lambda: one.get_marked(True, 0.01)):
        with pytest.raises(queue.Empty):
            call()
    with pytest.raises(TypeError):
        atoll.Mpmc(segment, "g", "i64", lanes=1)


def test_lanes(segment):
    fanin = atoll.Fanin(segment, "f", "i64", 4, lanes=3)
    assert fanin.info().lanes == 3
    assert atoll.Fanin(segment, "f", "i64", lanes=3).info().lanes == 3
    assert atoll.Fanin(segment, "f", "i64").info().lanes == 3
    with pytest.raises(atoll.WrongKind, match="lanes"):
        atoll.Fanin(segment, "f", "i64", lanes=2)
    for lanes, error in ((0, ValueError), (65, ValueError), ("2", TypeError), (1 << 40, ValueError)):
        with pytest.raises(error):
            atoll.Fanin(segment, "g", "i64", lanes=lanes)
    with pytest.raises(TypeError):
        atoll.Spsc(segment, "g", "i64", lanes=1)
    with pytest.raises(atoll.WrongKind):
        atoll.Spsc(segment, "f", "i64")


@ALL
def test_rings_that_cannot_be(segment, kind):
    for wrong, error in (
        (dict(capacity=0), ValueError), (dict(capacity=3), ValueError), (dict(capacity=-1), ValueError),
        (dict(capacity="4"), TypeError), (dict(capacity=1 << 63), ValueError), (dict(capacity=1 << 40), ValueError),
        (dict(type="nothing"), ValueError), (dict(type=dict), TypeError),
        (dict(waiting="never"), ValueError), (dict(waiting=0), ValueError),
    ):  # fmt: skip
        with pytest.raises(error) as caught:
            kind(segment, "r", **{"type": "i64", **wrong})
        assert isinstance(caught.value, atoll.AtollError) and len(str(caught.value)) > 15
    with pytest.raises(atoll.InvalidArgument, match="4 or 8|4|8"):
        kind(segment, "r", "i64", 6)
    with pytest.raises(atoll.NoSpace):
        kind(segment, "r", "i64", 1 << 20)
    for create in (True, "open"):
        with pytest.raises(atoll.InvalidArgument, match="the type of its records"):
            kind(segment, create=create)
    with pytest.raises(atoll.NotFound):
        kind(segment, "r")
    assert not segment.list()


@ALL
def test_what_has_gone_through_it(segment, kind):
    ring = kind(segment, "r", "f32", 4, waiting="sleep")
    ring.push_n([1, 2, 3])
    ring.pop()
    info = ring.info()
    assert isinstance(info, atoll.RingInfo)
    assert (info.type, info.capacity, info.waiting, info.ended) == ("f32", 4, "sleep", ())
    assert (info.length, info.pushed, info.popped, info.redelivered, info.skipped) == (2, 3, 1, 0, 0)
    assert 3 <= info.high_water <= 4 or info.high_water <= 3
    assert "2 of f32, room for 4" in repr(ring)


# --- messages ------------------------------------------------------------------------------------

LENGTHS = [0, 1, 56, 57, 247, 248, 249, 250, 1000, 2040]


@pytest.mark.parametrize("type", ["bytes", bytes])
def test_messages_of_every_length(segment, type):
    ring = atoll.Mpmc(segment, "m", type, 64)
    assert (ring.type, ring.capacity, ring.info().type) == ("bytes", 64, "bytes")
    for lap in range(3):
        for length in LENGTHS:
            message = bytes([length % 251 + lap]) * length
            ring.put(message)
            assert ring.get() == message
    for message in (bytearray(b"abc"), memoryview(b"abc"), stdlib_array.array("b", b"abc")):
        ring.push(message)
        assert ring.pop_marked() == (b"abc", 0)
    ring.put(b"short"), ring.put(b"long" * 100), ring.put(b"")
    assert [ring.pop(), ring.get(timeout=1), ring.get()] == [b"short", b"long" * 100, b""]
    for call in (ring.pop, ring.pop_marked, lambda: ring.get(timeout=0.01)):
        with pytest.raises(queue.Empty):
            call()
    segment.verify()


def test_messages_that_cannot_be(segment):
    ring = atoll.Mpmc(segment, "m", "bytes", 64)
    for wrong, error in ((bytes(2041), ValueError), ("text", TypeError), (5, TypeError), (None, TypeError)):
        for put in (ring.put, ring.push):
            with pytest.raises(error) as caught:
                put(wrong)
            assert isinstance(caught.value, atoll.AtollError)
    for call in (lambda: ring.push_n([b"a"]), lambda: ring.push_n(b"ab"), lambda: ring.pop_n(1)):
        with pytest.raises(atoll.WrongKind, match="one at a time"):
            call()
    ring.put(bytes(2040))
    ring.put(bytes(1976))
    with pytest.raises(queue.Full):
        ring.put(bytes(57), timeout=0.01)
    ring.put(b"small")
    assert [len(ring.get()), len(ring.get()), ring.get()] == [2040, 1976, b"small"]
    for kind in (atoll.Spsc, atoll.Fanin):
        with pytest.raises(atoll.AtollError):
            kind(segment, "s", "bytes")
    with pytest.raises(atoll.WrongKind):
        atoll.Mpmc(segment, "m", "8s")
    assert pickle.loads(pickle.dumps(ring)).type == "bytes" == atoll.Mpmc(segment, "m").type
    assert "of bytes" in repr(ring)
    assert [entry.type for entry in segment.list()] == ["bytes"]


def test_who_waits_for_a_message(segment):
    ring, came = atoll.Mpmc(segment, "m", "bytes", 8), []
    thread = threading.Thread(target=lambda: came.extend(ring.get() for _ in range(40)))
    thread.start()
    sent = [bytes([number]) * (number * 37 % 249) for number in range(40)]
    for number, message in enumerate(sent):
        if number < 2:
            time.sleep(0.15)
        ring.put(message)
    thread.join()
    assert came == sent and len(ring) == 0


def test_room_for_some_message_is_not_room_for_any(segment):
    """Who waits for more of it sleeps, until it comes or the time is up."""
    ring = atoll.Mpmc(segment, "m", "bytes", 8)
    ring.put(bytes(200))
    ring.put(bytes(100))
    with pytest.raises(queue.Full, match="in time"):
        ring.put(bytes(150), timeout=0.25)
    assert atoll.wait([ring.writable], 0) == [ring.writable]

    async def main():
        with pytest.raises(queue.Full, match="in time"):
            await ring.put_async(bytes(150), 0.05)
        task = asyncio.ensure_future(ring.put_async(b"x" * 150))
        await asyncio.sleep(0.05)
        assert not task.done() and len(ring.get()) == 200
        await asyncio.wait_for(task, 60)

    asyncio.run(main())
    putter = threading.Thread(target=lambda: ring.put(b"y" * 240))
    putter.start()
    time.sleep(0.15)
    assert [len(ring.get()), ring.get()] == [100, b"x" * 150]
    assert ring.get() == b"y" * 240
    putter.join()


# --- ends ----------------------------------------------------------------------------------------


@ALL
def test_the_producers_end_is_closed(segment, kind):
    ring = kind(segment, "r", "i64", 4)
    ring.push_n([1, 2])
    for _ in "ab":
        ring.shutdown()
    assert ring.info().ended == ("producers",) and "producers' end closed" in repr(ring)
    for put in (ring.push, ring.put, lambda x: ring.push_n([x])):
        with pytest.raises(atoll.Closed, match="producers"):
            put(3)
    assert [ring.get(), ring.pop()] == [1, 2]
    for get in (ring.pop, ring.get, lambda: ring.pop_n(2)):
        with pytest.raises(atoll.Closed, match="producers"):
            get()


@ALL
def test_the_consumers_end_is_closed(segment, kind):
    ring = kind(segment, "r", "i64", 4)
    ring.push_n([1, 2])
    ring.shutdown("consumers")
    assert ring.info().ended == ("consumers",)
    for call in (lambda: ring.push(1), lambda: ring.put(1)):
        with pytest.raises(atoll.Closed):
            call()
    ring.shutdown("producers")
    assert ring.info().ended == ("producers", "consumers")


@ALL
def test_who_waits_learns_that_an_end_is_closed(segment, kind):
    getting, putting = kind(segment, "g", "i64", 2), kind(segment, "p", "i64", 2)
    putting.push_n([1, 2])
    said = []

    def work(call, *arguments):
        with pytest.raises(atoll.Closed):
            call(*arguments)
        said.append(call.__name__)

    threads = [threading.Thread(target=work, args=job) for job in ((getting.get,), (putting.put, 1))]
    for thread in threads:
        thread.start()
    time.sleep(0.15)
    assert not said
    getting.shutdown()
    putting.shutdown("consumers")
    for thread in threads:
        thread.join()
    assert sorted(said) == ["get", "put"]


@ALL
def test_ends_that_are_none(segment, kind):
    ring = kind(segment, "r", "i64", 4)
    for wrong in ("producer", "", None, 1, []):
        for call in (ring.shutdown, getattr(ring, "leave", ring.shutdown)):
            with pytest.raises(atoll.InvalidArgument, match="'producers' or 'consumers'"):
                call(wrong)


@BOTH
def test_one_consumer_at_a_time(segment, kind):
    one, other = kind(segment, "r", "i64", 4), kind(segment, "r")
    one.push_n([1, 2, 3])
    assert one.get() == 1
    for call in (other.pop, other.get, lambda: other.pop_n(2), other.peek().__enter__):
        with pytest.raises(atoll.NotOwner, match="consumer"):
            call()
    one.leave("consumers")
    one.leave("consumers")
    assert other.get() == 2
    other.close()
    assert one.get() == 3


def test_one_producer_at_a_time(segment):
    one, other = atoll.Spsc(segment, "r", "i64", 4), atoll.Spsc(segment, "r")
    one.put(1)
    with pytest.raises(atoll.NotOwner, match="producer"):
        other.put(2)
    one.leave("producers")
    other.put(3)
    del other
    one.put(4)
    assert one.pop_n(4).tolist() == [1, 3, 4]


def test_a_producer_for_each_lane(segment):
    consumer = atoll.Fanin(segment, "f", "i64", 4, lanes=2)
    one, two, three = (atoll.Fanin(segment, "f") for _ in "abc")
    one.push_n([10, 11])
    two.push_n([20, 21])
    with pytest.raises(atoll.NoSpace, match="2 lanes"):
        three.put(30)
    one.close()
    three.put(30)
    came = [consumer.get() for _ in range(5)]
    assert [x for x in came if x != 20 and x != 21] == [10, 11, 30]
    assert [x for x in came if x in (20, 21)] == [20, 21] and len(consumer) == 0


@ALL
def test_closed_ones_say_so(segment, kind):
    with kind(segment, "r", "i64", 4) as ring:
        ring.put(1)
        ends = [ring.readable, ring.writable]
    ring.close()
    assert ring.closed and "closed" in repr(ring) and ring.capacity == 4 and ring.type == "i64"
    uses = [
        ring.pop, ring.get, lambda: ring.put(1), lambda: ring.push(1), lambda: ring.push_n([1]), lambda: ring.pop_n(1),
        ring.info, lambda: len(ring), ring.shutdown, lambda: ring.readable, lambda: ring.writable,
        *(end.fileno for end in ends),
    ]  # fmt: skip
    if kind is not atoll.Mpmc:
        uses += [lambda: ring.leave("producers"), ring.claim().__enter__, ring.peek().__enter__]
    for use in uses:
        with pytest.raises(atoll.Closed, match="'r' in .* is closed"):
            use()
    assert all("closed" in repr(end) for end in ends)
    assert kind(segment, "r").get() == 1


@ALL
def test_read_only(segment, readonly, kind):
    kind(segment, "r", "i64", 4).put(1)
    ring = kind(readonly, "r")
    assert len(ring) == 1 and ring.type == "i64"
    for call in (ring.pop, lambda: ring.push(1), ring.shutdown):
        with pytest.raises(atoll.Permission):
            call()
