"""The types that a checker sees: the package is strictly typed, and its classes generic."""

import re
from pathlib import Path

import atoll
import pytest

api = pytest.importorskip("mypy.api", reason="mypy is not installed")

SAMPLE = """
import ctypes
import atoll

class Point(ctypes.Structure):
    x: int

segment = atoll.Segment("s", create="open", size=1 << 20)
reveal_type(atoll.Value(segment, "v", "i64", 5))  # Value[int]
reveal_type(atoll.Value(segment, "v", "f32"))  # Value[float]
reveal_type(atoll.Value(segment, "v", bool))  # Value[bool]
reveal_type(atoll.Value(segment, "v", Point))  # Value[Point]
reveal_type(atoll.Value(segment, "v", "16s"))  # Value[Any]
reveal_type(atoll.Value(segment, "v", "u8").add(1))  # int
reveal_type(atoll.Value(segment, "v", Point).value)  # Point
reveal_type(atoll.Value(segment, "v", "i64", create=False).value)  # int
reveal_type(atoll.Array(segment, "a", "f64", (2, 3)))  # Array[float]
reveal_type(atoll.Array(segment, "a", int, 3)[0])  # int
reveal_type(atoll.Array(segment, "a", Point, 3)[0])  # Point
reveal_type(atoll.Array(segment, "a", "i64", 3)[0:2])  # memoryview[int]
reveal_type(segment.list()[0].shape)  # tuple[int, ...]
with atoll.Lock(segment, "l") as taken:
    reveal_type(taken)  # bool
with atoll.RLock(segment).recovering() as hold:
    if hold.owner_died:
        reveal_type(hold.owner_died.name)  # str
with atoll.Segment("s") as again:
    reveal_type(again)  # Segment
reveal_type(atoll.Value(type="i64", initial=5))  # Value[int]
reveal_type(atoll.Value(type=float))  # Value[float]
reveal_type(atoll.Value(type=Point).value)  # Point
reveal_type(atoll.Value(segment, "v"))  # Value[Any]
reveal_type(atoll.Array(type="f64", shape=3))  # Array[float]
reveal_type(atoll.Array(segment, "a"))  # Array[Any]
event, semaphore = atoll.Event(segment, "e"), atoll.Semaphore(segment, "s")
reveal_type(atoll.wait([event]))  # list[Event]
if event in atoll.wait([event, segment, semaphore], timeout=1):
    pass
reveal_type(event.fileno())  # int
with atoll.Condition(segment).waiter() as waiter:
    reveal_type(waiter.notified())  # bool
async def waits(event: atoll.Event, semaphore: atoll.Semaphore) -> None:
    reveal_type(await event.wait_async(1.5))  # bool
    reveal_type(await semaphore.acquire_async())  # bool
    reveal_type(await atoll.Latch(segment, "l").wait_async())  # bool
    reveal_type(await atoll.Condition(segment).wait_async(timeout=1))  # bool
    reveal_type(await atoll.Spsc(segment, "r", "f64").get_async())  # float
    await atoll.Fanin(segment, "f", "i64").put_async(1, timeout=1)
reveal_type(atoll.Spsc(segment, "r", "i64", 64))  # Spsc[int]
reveal_type(atoll.Fanin(type=Point, lanes=3, waiting="spin").get(timeout=1))  # Point
reveal_type(atoll.Mpmc(segment, "m", "bytes").get())  # bytes
reveal_type(atoll.Mpmc(segment, "n", float).get_marked())  # tuple[float, int]
reveal_type(atoll.Spsc(segment, "r").push_n([1, 2]))  # int
reveal_type(atoll.Spsc(segment, "r", "f32").info().ended)  # tuple[str, ...]
with atoll.Spsc(type="i64") as ring:
    reveal_type(ring)  # Spsc[int]
    reveal_type(atoll.wait([ring.readable, ring.writable]))  # list[RingEnd]
    with ring.claim(3) as places, ring.peek(timeout=None) as records:
        places[0] = records[0]
with atoll.Mpmc(type="bytes") as jobs:
    peek = jobs.peek(timeout=None)
    with jobs.claim(100) as place, peek as record:
        place[:3] = record[:3]
    reveal_type(peek.times)  # int
    reveal_type(peek.advance())  # None
reveal_type(atoll.gc())  # int
with atoll.transaction(atoll.Lock(), atoll.RLock(), timeout=1) as tx:
    reveal_type(tx)  # Transaction
    tx.store(atoll.Value(type="i64"), 5)
    reveal_type(tx.modify(atoll.Array(segment, "a", "i64", 3), 0, 2))  # memoryview[int]
import atoll.multiprocessing as mp
reveal_type(mp.get_context("spawn").Lock())  # Lock
reveal_type(mp.Semaphore(2, tracked=True).acquire(timeout=1))  # bool
reveal_type(mp.Barrier(2).wait())  # int
with mp.Condition(mp.Lock()) as held:
    reveal_type(held)  # bool
def work(lock: mp.Lock, rlock: mp.synchronize.RLock, event: mp.Event) -> None:
    with lock, rlock:
        if lock.owner_died:
            reveal_type(lock.owner_died.pid)  # int
def total(values: list[atoll.Value[int]], lock: atoll.Lock) -> int:
    with lock:
        return sum(value.value for value in values)
"""

WRONG = """
import atoll
segment = atoll.Segment("s")
atoll.Value(segment, "v", "i64").add(1.5)
atoll.Lock("segment")
atoll.Array(segment, "a", "i64", "3")
atoll.Segment(5)
atoll.Lock(segment).acquire(timeout="1")
atoll.transaction(segment)
with atoll.transaction(atoll.Lock()) as tx: tx.modify(atoll.Value(type="i64"), 0, 1)
atoll.wait([atoll.Lock(segment)])
atoll.Spsc(segment, "r", "i64", waiting="never")
atoll.Spsc(segment, "r", "i64").shutdown("both")
atoll.wait([atoll.Spsc(segment, "r")])
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """What mypy learned of the standard library, which takes it longest."""
    return str(tmp_path_factory.mktemp("mypy"))


@pytest.fixture
def check(tmp_path, monkeypatch, cache):
    def check(text):
        """The first thing mypy says about each line."""
        sample = tmp_path / "sample.py"
        sample.write_text(text)
        monkeypatch.setenv("MYPYPATH", str(Path(atoll.__file__).parents[1]))
        out, err, _ = api.run(["--strict", "--cache-dir", cache, str(sample)])
        assert not err
        said = re.findall(r"sample\.py:(\d+): (\w+): (.*)", out)
        return {int(line): (kind, text) for line, kind, text in reversed(said)}

    return check


def test_the_package_is_strictly_typed(cache):
    package = Path(atoll.__file__).parent
    assert (package / "py.typed").exists()
    out, err, status = api.run(["--strict", "--cache-dir", cache, str(package)])
    assert (status, err) == (0, ""), out


def test_what_a_checker_infers(check):
    said = check(SAMPLE)
    assert all(kind == "note" for kind, _ in said.values()), said
    for number, line in enumerate(SAMPLE.splitlines(), 1):
        if "reveal_type" in line:
            expected = line.split("# ")[1]
            revealed = re.search('"(.*)"', said[number][1])[1]
            plain = re.sub(r"\b(atoll\.(multiprocessing\.)?_?\w+|sample|builtins)\.", "", revealed)
            assert expected in (plain, plain.split(", fallback")[0]), revealed


def test_what_a_checker_refuses(check):
    said = check(WRONG)
    assert sorted(said) == list(range(4, 15)), said
    assert all(kind == "error" for kind, _ in said.values())
