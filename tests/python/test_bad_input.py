"""What nobody should pass: an exception with a sentence, and nothing changed."""

import math
import os
import threading

import atoll
import kinds
import pytest
from support import Child

NAMES = [
    ("", atoll.InvalidArgument),
    ("/", atoll.InvalidArgument),
    ("//x", atoll.InvalidArgument),
    ("a/b", atoll.InvalidArgument),
    (".", atoll.InvalidArgument),
    ("..", atoll.InvalidArgument),
    ("x" * 201, atoll.InvalidArgument),
    ("é" * 101, atoll.InvalidArgument),
    ("a\0b", atoll.InvalidArgument),
    ("\ud800", atoll.InvalidArgument),
    (None, atoll.WrongKind),
    (b"bytes", atoll.WrongKind),
    (5, atoll.WrongKind),
]


def in_directory():
    return set(os.listdir(atoll.platform_info().directory))


@pytest.mark.parametrize("bad, error", NAMES)
def test_segment_names(bad, error):
    before = in_directory()
    for call in (
        lambda: atoll.Segment(bad),
        lambda: atoll.Segment(bad, create=True),
        lambda: atoll.Segment(bad, create="open"),
        lambda: atoll.Segment(bad, readonly=True),
        lambda: atoll.unlink(bad),
    ):
        with pytest.raises(error) as caught:
            call()
        assert len(str(caught.value)) > 15
    # What others had may go at any moment.
    assert in_directory() <= before


def test_the_longest_names(name):
    longest = name + "x" * (200 - len(name))
    with atoll.Segment(longest, create=True, size=1 << 16) as segment:
        try:
            assert segment.stat().name == longest
            atoll.Lock(segment, "é" + "x" * 61)
            assert segment.list()[0].name == "é" + "x" * 61
        finally:
            segment.unlink()


OBJECT_NAMES = [
    ("", atoll.InvalidArgument),
    ("a/b", atoll.InvalidArgument),
    ("x" * 64, atoll.InvalidArgument),
    ("a\0b", atoll.InvalidArgument),
    ("\ud800", atoll.InvalidArgument),
    (b"bytes", atoll.WrongKind),
    (5, atoll.WrongKind),
]


@kinds.ALL
@pytest.mark.parametrize("bad, error", OBJECT_NAMES)
@pytest.mark.parametrize("create", [False, True, "open"])
def test_object_names(segment, make, bad, error, create):
    with pytest.raises(error) as caught:
        make(segment, bad, create=create)
    assert len(str(caught.value)) > 15
    assert segment.list() == []


@kinds.ALL
def test_what_is_no_segment(segment, make):
    for wrong in ("name", 5, object(), atoll.Lock(segment, "l")):
        with pytest.raises(atoll.WrongKind, match="needs an atoll.Segment"):
            make(wrong, "x")
    with pytest.raises(atoll.InvalidArgument, match="a segment to be found in"):
        make(None, "x")
    assert [entry.name for entry in segment.list()] == ["l"]


@kinds.ALL
@pytest.mark.parametrize("wrong", [None, 1, 0, "create", "Open", [], 1.0])
def test_what_is_no_way_to_create(segment, make, wrong):
    with pytest.raises(atoll.InvalidArgument, match="'open'"):
        make(segment, "x", create=wrong)
    with pytest.raises(atoll.InvalidArgument, match="'open'"):
        atoll.Segment(segment.name, create=wrong)
    assert segment.list() == []


@kinds.ALL
def test_missing_and_taken_names(segment, make):
    with pytest.raises(atoll.NotFound, match="nothing"):
        make(segment, "nothing", create=False)
    make(segment, "x", create=True)
    with pytest.raises(atoll.AlreadyExists, match="x"):
        make(segment, "x", create=True)
    with pytest.raises(atoll.InvalidArgument):
        make(segment, None, create=False)
    assert len(segment.list()) == 1


@pytest.mark.parametrize(
    "options, error",
    [
        (dict(size=0), atoll.InvalidArgument),
        (dict(size=-1), atoll.InvalidArgument),
        (dict(size=1), atoll.InvalidArgument),
        (dict(size=(1 << 16) - 1), atoll.InvalidArgument),
        (dict(size=(1 << 46) + 1), atoll.InvalidArgument),
        (dict(size=1 << 64), atoll.InvalidArgument),
        (dict(size=(1 << 64) + (1 << 20)), atoll.InvalidArgument),
        (dict(size=1e6), atoll.WrongKind),
        (dict(size="1M"), atoll.WrongKind),
        (dict(mode=0), atoll.InvalidArgument),
        (dict(mode=-1), atoll.InvalidArgument),
        (dict(mode=0o1777), atoll.InvalidArgument),
        (dict(mode="rw"), atoll.WrongKind),
        (dict(readonly=True), atoll.InvalidArgument),
        (dict(readonly=True, ephemeral=True), atoll.InvalidArgument),
    ],
)
def test_segment_options(name, options, error):
    with pytest.raises(error) as caught:
        atoll.Segment(name, create=True, **options)
    assert len(str(caught.value)) > 15
    assert name not in in_directory()


@pytest.mark.parametrize(
    "shape, error",
    [
        ((), atoll.InvalidArgument),
        ([], atoll.InvalidArgument),
        (-1, atoll.InvalidArgument),
        ((2, -1), atoll.InvalidArgument),
        (1 << 64, atoll.InvalidArgument),
        ((1 << 40, 1 << 40), (atoll.InvalidArgument, atoll.NoSpace)),
        ((1 << 62, 4), (atoll.InvalidArgument, atoll.NoSpace)),
        (1 << 40, (atoll.InvalidArgument, atoll.NoSpace)),
        ((1,) * 33, atoll.InvalidArgument),
        (1.5, atoll.WrongKind),
        ("3", atoll.WrongKind),
        ((2, None), atoll.WrongKind),
    ],
)
def test_shapes(segment, shape, error):
    for create in (True, "open"):
        with pytest.raises(error) as caught:
            atoll.Array(segment, "a", "i64", shape, create=create)
        assert len(str(caught.value)) > 15
    assert segment.list() == []
    segment.verify()


def test_a_segment_that_is_full(segment):
    made = 0
    with pytest.raises(atoll.NoSpace) as caught:
        while True:
            atoll.Array(segment, f"a{made}", "u8", 100_000)
            made += 1
    assert made > 5 and len(str(caught.value)) > 15 and caught.value.errno is not None
    segment.verify()
    assert len(segment.list()) == made
    atoll.Array(segment, "a0")[5] = 1


@pytest.mark.parametrize(
    "timeout, error",
    [
        (math.nan, atoll.InvalidArgument),
        ("1", atoll.WrongKind),
        (b"1", atoll.WrongKind),
        ([], atoll.WrongKind),
        (1j, atoll.WrongKind),
        (object(), atoll.WrongKind),
    ],
)
def test_timeouts(segment, timeout, error):
    lock = atoll.Lock(segment, "l")
    for call in (
        lambda: lock.acquire(timeout=timeout),
        lambda: lock.acquire(block=False, timeout=timeout),
        lambda: lock.recovering(timeout),
        lambda: segment.wait_death(timeout=timeout),
    ):
        with pytest.raises(error, match="timeout"):
            call()
    assert not lock.locked()


@pytest.mark.parametrize("timeout", [None, 1e10, 1e300, math.inf, 10**400, 1 << 63])
def test_timeouts_without_end(segment, timeout):
    lock = atoll.Lock(segment, "l")
    with Child("atoll.Lock(segment, 'l').acquire(); say('in'); hang()", segment) as holder:
        holder.expect("in")
        outcome = []

        def wait():
            try:
                lock.acquire(timeout=timeout)
            except atoll.OwnerDied as news:
                outcome.append(news.pid)

        thread = threading.Thread(target=wait)
        thread.start()
        thread.join(0.15)
        assert thread.is_alive()
        holder.kill()
        thread.join()
    assert outcome == [holder.pid]


@pytest.mark.parametrize("timeout", [0, -1, -1e300, -math.inf, -(10**400), 0.0, -0.0])
def test_timeouts_that_are_over(segment, timeout):
    lock = atoll.Lock(segment, "l")
    with Child("atoll.Lock(segment, 'l').acquire(); say('in'); hang()", segment) as holder:
        holder.expect("in")
        assert lock.acquire(timeout=timeout) is False
        with pytest.raises(atoll.TimedOut, match="in time"):
            lock.recovering(timeout).__enter__()


@pytest.mark.parametrize("seen", [-1, 1 << 64, "0", 1.0, None])
def test_epochs(segment, seen):
    with pytest.raises((atoll.InvalidArgument, atoll.WrongKind), match="seen_epoch"):
        segment.wait_death(seen, timeout=0)


def test_exceptions_are_also_what_people_catch_already():
    pairs = [
        (atoll.NotFound, FileNotFoundError), (atoll.AlreadyExists, FileExistsError),
        (atoll.NoSpace, OSError), (atoll.Permission, PermissionError),
        (atoll.WrongKind, TypeError), (atoll.InvalidArgument, ValueError),
        (atoll.NotOwner, RuntimeError), (atoll.Deadlock, RuntimeError),
        (atoll.OwnerDied, RuntimeError), (atoll.Closed, ValueError),
        (atoll.TimedOut, TimeoutError), (atoll.Incompatible, Exception),
        (atoll.WrongSegment, ValueError),
        (atoll.Corrupted, Exception), (atoll.Full, ValueError), (atoll.Broken, RuntimeError),
    ]  # fmt: skip
    statuses = set()
    for ours, known in pairs:
        assert issubclass(ours, atoll.AtollError) and issubclass(ours, known)
        statuses.add(ours.status)
        assert ours.__module__ == "atoll", "as a traceback names it"
    assert len(statuses) == len(pairs)


def test_exceptions_keep_their_sentence_number_and_errno(name):
    import errno
    import pickle

    with pytest.raises(atoll.NotFound) as caught:
        atoll.Segment(name)
    error = caught.value
    assert (error.errno, error.status) == (errno.ENOENT, 7) and name in str(error)
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is atoll.NotFound and str(copy) == str(error) and copy.errno == errno.ENOENT
    news = atoll.OwnerDied("a sentence")
    news.pid, news.name = 5, "worker"
    copy = pickle.loads(pickle.dumps(news))
    assert (str(copy), copy.pid, copy.name) == ("a sentence", 5, "worker")
    assert atoll.NoSpace("full").errno == errno.ENOSPC


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_somebody_else_is_let_in_by_the_mode_only(name):
    atoll.Segment(name, create=True, size=1 << 16, mode=0o604).close()
    code = f"""
        os.setgid(65534)
        os.setuid(65534)
        try: atoll.Segment({name!r})
        except PermissionError as error: say(type(error).__name__)
        say(atoll.Segment({name!r}, readonly=True).size)
        try: atoll.unlink({name!r})
        except PermissionError as error: say(type(error).__name__)
    """
    with Child(code) as child:
        assert child.finish().split() == ["Permission", "65536", "Permission"]
