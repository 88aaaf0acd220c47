"""Records written and read where they lie in a ring."""

import ctypes
import queue
import threading
import time

import atoll
import pytest


class Point(ctypes.Structure):
    _fields_ = [("x", ctypes.c_int32), ("weight", ctypes.c_double)]


BOTH = pytest.mark.parametrize("kind", [atoll.Spsc, atoll.Fanin])


@BOTH
def test_what_is_written_is_put_at_the_end(segment, kind):
    ring = kind(segment, "r", "i64", 8)
    for lap in range(6):
        with ring.claim(3) as places:
            assert isinstance(places, memoryview) and places.format == "l" and not places.readonly
            written = [lap * 10 + at for at in range(len(places))]
            for at, record in enumerate(written):
                places[at] = record
            assert len(ring) == 0  # not yet
        assert len(ring) == len(written)
        with ring.peek(8) as records:
            assert isinstance(records, memoryview) and records.readonly
            assert records.tolist() == written and len(ring) == len(written)
        assert len(ring) == 0
    segment.verify()


@BOTH
def test_where_the_ring_begins_anew_there_are_fewer(segment, kind):
    ring = kind(segment, "r", "i64", 4)
    ring.push_n([1, 2, 3])
    ring.pop_n(3)
    with ring.claim(4) as places:
        assert len(places) == 1
        places[0] = 4
    with ring.claim(4) as places:
        assert len(places) == 3
        places[:] = memoryview(bytes(24)).cast("l")
    for count in (1, 3):
        with ring.peek(4) as records:
            assert len(records) == count


@BOTH
def test_after_an_exception_nothing_has_happened(segment, kind):
    ring = kind(segment, "r", "i64", 4)
    with pytest.raises(KeyError), ring.claim(2) as places:
        places[0] = 1
        raise KeyError
    assert len(ring) == 0 == ring.info().pushed
    ring.push_n([5, 6])
    with pytest.raises(KeyError), ring.peek(2) as records:
        assert records[0] == 5
        raise KeyError
    assert ring.pop_n(4).tolist() == [5, 6]


@BOTH
def test_fewer_than_were_claimed_or_shown(segment, kind):
    ring = kind(segment, "r", "i64", 8)
    claim = ring.claim(4)
    with claim as places:
        places[0], places[1], places[2] = 1, 2, 3
        assert len(claim) == 4
        claim.commit(2)
        assert len(ring) == 2 and len(claim) == 0
        with pytest.raises(atoll.InvalidArgument, match="no places any more"):
            claim.commit()
    assert len(ring) == 2
    peek = ring.peek(4)
    with peek as records:
        assert records.tolist() == [1, 2]
        for n, error in ((3, ValueError), (0, ValueError), (1.5, TypeError)):
            with pytest.raises(error):
                peek.advance(n)
        peek.advance(1)
    assert ring.get() == 2
    claim = ring.claim(2)
    with claim:
        claim.abandon()
        claim.abandon()
    assert len(ring) == 0


@BOTH
def test_a_memoryview_ends_with_its_block(segment, kind):
    """What it was of may be others' now."""
    ring = kind(segment, "r", "i64", 4)
    with ring.claim(2) as places:
        part = places[1:]
    with ring.peek(2) as records:
        pass
    with pytest.raises(ValueError, match="released"):
        records[0]
    with ring.claim() as places:
        pass
    with pytest.raises(ValueError, match="released"):
        places[0]
    assert part[0] == 0  # its business, and mapped as long as it is there


@BOTH
def test_an_end_that_is_closed(segment, kind):
    ring = kind(segment, "r", "i64", 4)
    with pytest.raises(atoll.Closed, match="producers"), ring.claim() as places:
        ring.shutdown()
        places[0] = 3
    with pytest.raises(atoll.Closed, match="producers"), ring.peek():
        raise AssertionError


@BOTH
def test_what_comes_between_is_refused(segment, kind):
    ring = kind(segment, "r", "i64", 8)
    with pytest.raises(atoll.InvalidArgument, match="claim"), ring.claim(2):
        ring.push(1)
    with pytest.raises(atoll.InvalidArgument, match="peek"), ring.peek(2):
        ring.pop()
    with pytest.raises(atoll.Closed), ring.claim(2):
        ring.close()
    assert len(kind(segment, "r")) == 0


@BOTH
def test_full_and_empty(segment, kind):
    ring = kind(segment, "r", "i64", 2)
    for timeout in (0, -1, 0.01):
        with pytest.raises(queue.Empty), ring.peek(2, timeout):
            raise AssertionError
    ring.push_n([1, 2])
    for timeout in (0, -1, 0.01):
        with pytest.raises(queue.Full), ring.claim(timeout=timeout):
            raise AssertionError
    for wrong in ("1", []):
        with pytest.raises(TypeError):
            ring.claim(1, wrong)


@BOTH
def test_to_wait_for_places_and_records(segment, kind):
    ring, came = kind(segment, "r", "i64", 2), []

    def work():
        for _ in range(4):
            with ring.peek(2, None) as records:
                came.extend(records)

    thread = threading.Thread(target=work)
    thread.start()
    for number in range(4):
        time.sleep(0.03)
        with ring.claim(1, 60) as places:
            places[0] = number
        while len(ring):
            time.sleep(0.001)
    thread.join()
    assert came == [0, 1, 2, 3]


def test_bytes_lie_side_by_side(segment):
    ring = atoll.Spsc(segment, "r", "4s", 8)
    with ring.claim(2) as places:
        assert (len(places), places.format) == (8, "B")
        places[:] = b"abcdefgh"
    with ring.peek(2) as records:
        assert bytes(records[4:]) == b"efgh" and records.readonly


def test_structs_are_written_in_place(segment):
    ring = atoll.Spsc(segment, "r", Point, 8)
    with ring.claim(2) as places:
        assert len(places) == 2
        places[0].x, places[0].weight = 1, 0.5
        places[1] = Point(2, 1.5)
    with ring.peek(2) as records:
        assert [(each.x, each.weight) for each in records] == [(1, 0.5), (2, 1.5)]
    assert len(ring) == 0


@BOTH
def test_arrays_of_numpy(segment, kind):
    np = pytest.importorskip("numpy", reason="NumPy is not installed")
    point = np.dtype([("x", np.int32), ("y", np.float64)], align=True)
    ring = kind(segment, "r", point, 8)
    ring.put((1, 0.5))
    ring.put(np.array([(2, 1.5)], point)[0])
    assert ring.push_n(np.array([(3, 2.5), (4, 3.5)], point)) == 2
    assert ring.push_n([(5, 4.5), (6, 5.5)]) == 2
    assert ring.push_n(np.array([(7, 6.5)], point).tobytes()) == 1
    one = ring.get()
    assert one.dtype == point and (one["x"], one["y"]) == (1, 0.5)
    several = ring.pop_n(9)
    assert several.dtype == point and several["y"].tolist() == [1.5, 2.5, 3.5, 4.5, 5.5, 6.5]
    with ring.claim(8) as places:
        assert places.dtype == point
        places["x"] = range(len(places))
        places["y"] = 0.25
        count = len(places)
    with ring.peek(8) as records:
        assert records["x"].tolist() == list(range(count)) and not records.flags.writeable
    numbers = kind(segment, "n", np.float64, 8)
    assert numbers.push_n(np.arange(4) / 2) == 4 == numbers.push_n(np.arange(10.0)[::2])
    numbers.put(np.float64(9.5)) if len(numbers) < 8 else None
    assert np.asarray(numbers.pop_n(8)).tolist()[:4] == [0, 0.5, 1, 1.5]
    with numbers.claim(2) as places:
        np.asarray(places)[:] = 7
    assert numbers.get() == 7
    assert kind(segment, "r", point, create=False).type == point
