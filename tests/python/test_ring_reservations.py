"""Records of an Mpmc written and read where they lie."""

import ctypes
import os
import queue
import signal
import threading
import time
from contextlib import ExitStack

import atoll
import pytest


class Point(ctypes.Structure):
    _fields_ = [("x", ctypes.c_int32), ("weight", ctypes.c_double)]


def test_what_is_written_is_put_at_the_end(segment):
    ring = atoll.Mpmc(segment, "r", "i64", 4)
    for lap in range(10):
        with ring.claim() as place:
            assert isinstance(place, memoryview) and place.format == "l" and len(place) == 1
            place[0] = lap
            with pytest.raises(atoll.Empty):
                ring.pop()
        peek = ring.peek()
        with peek as record:
            assert record.readonly and record.tolist() == [lap] and peek.times == 0
            with pytest.raises(atoll.Empty):
                ring.pop()
        assert len(ring) == 0
        for view in (place, record):
            with pytest.raises(ValueError, match="released"):
                view[0]
    segment.verify()


def test_several_are_open_at_a_time(segment):
    ring = atoll.Mpmc(segment, "r", "i64", 4)
    with ExitStack() as claims:
        places = [claims.enter_context(ring.claim()) for _ in range(4)]
        with pytest.raises(queue.Full), ring.claim():
            raise AssertionError
        for number, place in enumerate(places):
            place[0] = number
    first, second = ring.peek(), ring.peek()
    with first as one, second as two:
        assert (one[0], two[0]) == (0, 1)
        assert ring.pop() == 2
        second.advance()
        with pytest.raises(atoll.InvalidArgument, match="no place any more"):
            second.advance()
        with pytest.raises(atoll.InvalidArgument, match="not over"), first:
            raise AssertionError
    assert [ring.pop()] == [3] and len(ring) == 0


def test_after_an_exception_it_is_skipped_or_goes_to_another(segment):
    ring = atoll.Mpmc(segment, "r", "i64", 4)
    with pytest.raises(KeyError), ring.claim() as place:
        place[0] = 1
        raise KeyError
    with pytest.raises(atoll.Empty):
        ring.pop()
    ring.push(5)
    with pytest.raises(KeyError), ring.peek() as record:
        assert record[0] == 5
        raise KeyError
    peek = ring.peek()
    with peek as record:
        assert record[0] == 5 and peek.times == 1
    claim = ring.claim()
    with claim:
        claim.abandon()
        claim.abandon()
    with pytest.raises(atoll.Empty), ring.peek():
        raise AssertionError


@pytest.mark.parametrize("kind", [Point, "12s"])
def test_records_of_all_sorts(segment, kind):
    ring = atoll.Mpmc(segment, "r", kind, 4)
    with ring.claim() as place:
        if kind is Point:
            place[0].x, place[0].weight = 3, 0.5
        else:
            place[:] = b"twelve bytes"
    with ring.peek() as record:
        if kind is Point:
            assert (record[0].x, record[0].weight) == (3, 0.5)
        else:
            assert record.tobytes() == b"twelve bytes"


def test_numpy_records(segment):
    numpy = pytest.importorskip("numpy")
    ring = atoll.Mpmc(segment, "r", numpy.dtype([("at", "f8"), ("n", "i4")]), 4)
    with ring.claim() as place:
        place[0] = (0.5, 7)
    with ring.peek() as record:
        assert record[0]["at"] == 0.5 and record["n"][0] == 7 and not record.flags.writeable


def test_messages(segment):
    ring = atoll.Mpmc(segment, "r", "bytes", 16)
    for size in range(0, 250, 10):
        claim = ring.claim(250)
        with claim as place:
            assert len(place) == 250
            place[:size] = b"x" * size
            claim.commit(size)
        with ring.peek() as message:
            assert bytes(message) == b"x" * size and message.readonly
    for _ in range(2):
        with ring.claim(0) as nothing:
            assert len(nothing) == 0
        assert ring.pop() == b""
    with pytest.raises(atoll.InvalidArgument, match="how many"):
        ring.claim()
    with pytest.raises(atoll.InvalidArgument, match="longer"), ring.claim(1 << 20):
        raise AssertionError
    with pytest.raises(ValueError):
        claim = ring.claim(5)
        with claim:
            claim.commit(6)


def test_records_have_one_size(segment):
    ring = atoll.Mpmc(segment, "r", "i64", 4)
    with pytest.raises(atoll.InvalidArgument, match="one size"):
        ring.claim(8)
    claim = ring.claim()
    with claim as place:
        place[0] = 1
        with pytest.raises(atoll.InvalidArgument, match="one size"):
            claim.commit(4)
        assert place[0] == 1  # it is ours still
    claim = ring.claim()
    with pytest.raises(atoll.InvalidArgument, match="one size"), claim:
        claim.commit(4)
    ring.push(2)  # it is not in the way of what is behind it
    assert [ring.pop(), ring.pop()] == [1, 2]


def test_the_threads_of_a_process_finish_for_each_other(segment):
    ring = atoll.Mpmc(segment, "r", "i64", 4)
    ring.push(7)
    claim, peek = ring.claim(), ring.peek()

    def finish():
        peek.advance()
        claim.commit()

    with claim as place, peek as record:
        place[0] = record[0] + 1
        other = threading.Thread(target=finish)
        other.start()
        other.join()
        for view in (place, record):
            with pytest.raises(ValueError, match="released"):
                view[0]
    assert ring.pop() == 8 and len(ring) == 0


def test_a_view_that_is_kept_outlives_the_ring(segment):
    """What is finished is others' to write, but there, whoever still looks."""
    ring = atoll.Mpmc(segment, "r", Point, 4)
    with ring.claim() as place:
        place[0].x = 5
    ring.close()
    segment.close()
    assert place[0].x == 5


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_child_has_nothing_of_its_parent(segment):
    ring = atoll.Mpmc(segment, "r", "i64", 4)
    ring.push(1)
    peek, claim = ring.peek(), ring.claim()
    with peek as record, claim as place:
        child = os.fork()
        if child == 0:
            refused = 0
            for finish in (peek.advance, claim.commit):
                try:
                    finish()
                except atoll.InvalidArgument:
                    refused += 1
            peek.abandon()
            claim.abandon()
            os._exit(refused)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
        place[0] = record[0] + 1
    assert ring.pop() == 2 and len(ring) == 0


def test_there_is_an_end_to_what_is_in_the_hand(segment):
    ring = atoll.Mpmc(segment, "r", "i64", 512)
    with ExitStack() as claims:
        for number in range(256):
            claims.enter_context(ring.claim())[0] = number
        with pytest.raises(atoll.NoSpace, match="reservations"), ring.claim():
            raise AssertionError
    assert list(ring.pop_n(512)) == list(range(256))


def test_who_waits_gets_it(segment):
    ring = atoll.Mpmc(segment, "r", "i64", 1, waiting="sleep")
    messages = atoll.Mpmc(segment, "m", "bytes", 2)
    for timeout in (0, -1, 0.01):
        with pytest.raises(queue.Empty), ring.peek(timeout):
            raise AssertionError
    claim = ring.claim()
    with claim as place:
        place[0] = 4
        later = threading.Timer(0.02, claim.commit)
        later.start()
        peek = ring.peek(None)
        with peek as record:
            assert record[0] == 4
            with pytest.raises(queue.Full), ring.claim(timeout=0.01):
                raise AssertionError
            later.join()
            later = threading.Timer(0.02, peek.advance)
            later.start()
            with ring.claim(timeout=None) as place:
                place[0] = 5
        later.join()
    messages.push(b"")
    messages.push(b"")
    with pytest.raises(queue.Full), messages.claim(50, timeout=0.01):
        raise AssertionError
    later = threading.Timer(0.02, lambda: (messages.pop(), messages.pop()))
    later.start()
    with messages.claim(50, timeout=None) as place:
        place[:] = b"y" * 50
    later.join()
    assert messages.pop() == b"y" * 50


def test_a_closed_end_refuses_it(segment):
    ring = atoll.Mpmc(segment, "r", "i64", 4)
    with pytest.raises(atoll.Closed, match="producers"), ring.claim() as place:
        ring.shutdown()
        place[0] = 3
    with pytest.raises(atoll.Closed, match="producers"), ring.peek():
        raise AssertionError
    ring = atoll.Mpmc(segment, "s", "i64", 4)
    with pytest.raises(atoll.Closed), ring.claim():
        ring.close()
    other = atoll.Mpmc(segment, "s")
    other.push(1)
    assert other.get(timeout=60) == 1  # what was claimed was given up
    for error in (KeyError, atoll.Closed):
        ring = atoll.Mpmc(segment, "s")
        with pytest.raises(error), ring.claim() as place:
            ring.close()
            if error is KeyError:
                raise KeyError
        other.push(2)
        assert other.get(timeout=60) == 2
        with pytest.raises(ValueError, match="released"):
            place[0]


def test_what_cannot_be_shown_is_given_up(segment, monkeypatch):
    ring = atoll.Mpmc(segment, "r", "i64", 4)
    ring.push(1)

    def too_much(*_):
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr("atoll._reservations.lend", too_much)
        for block in (ring.claim(), ring.peek()):
            with pytest.raises(MemoryError), block:
                raise AssertionError
    assert ring.get_marked(timeout=60) == (1, 1)
    ring.push(2)
    assert ring.pop() == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_what_the_dead_had_goes_to_others(segment):
    ring = atoll.Mpmc(segment, "r", "i64", 8)
    for round in range(5):
        ring.push(1)
        child = os.fork()
        if child == 0:
            with ring.peek() as record, ring.claim():
                ring.push(record[0] + 1)
                os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(child, 0)
        assert ring.get(timeout=60) == 2
        assert ring.get_marked(timeout=60) == (1, 1)
    begin = time.monotonic()
    while time.monotonic() < begin + 60 and len(ring):
        pass
    ring.push_n(range(8))
    assert list(ring.pop_n(8)) == list(range(8))
    segment.verify()
