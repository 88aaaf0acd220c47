"""Events and barriers in one process: what theirs do, ours do."""

import re
import sys
import threading

import pytest

# --- events --------------------------------------------------------------------------------------


def test_set_and_cleared(mp):
    event = mp.Event()
    assert event.is_set() is False
    assert event.set() is None
    assert event.is_set() is True
    event.set()
    assert event.wait() is True
    assert event.clear() is None
    assert event.is_set() is False
    event.clear()
    with pytest.raises(TypeError):
        mp.Event(1)
    assert not hasattr(event, "isSet")


def test_waits_for_so_long(mp):
    event = mp.Event()
    for timeout in (0, -1, 0.02, -0.5):
        assert event.wait(timeout) is False
        assert event.wait(timeout=timeout) is False
    with pytest.raises(TypeError):
        event.wait("x")
    event.set()
    for timeout in (0, -1, 0.02, None):
        assert event.wait(timeout) is True


def test_set_wakes_all(mp, thread):
    event = mp.Event()
    others = [thread(event.wait, 60) for _ in range(3)]
    event.set()
    assert [other() for other in others] == [True] * 3


def test_what_an_event_looks_like(mp):
    event = mp.Event()
    if type(event).__repr__ is object.__repr__:
        pytest.skip("theirs says nothing before Python 3.11")
    assert re.fullmatch(r"<Event at 0x[0-9a-f]+ unset>", repr(event))
    event.set()
    assert repr(event) == f"<Event at {id(event):#x} set>"


# --- barriers ------------------------------------------------------------------------------------


def test_all_parties_come_through(mp, thread):
    barrier = mp.Barrier(3)
    assert (barrier.parties, barrier.n_waiting, barrier.broken) == (3, 0, False)
    others = [thread(barrier.wait, 60) for _ in range(2)]
    assert sorted([barrier.wait(), *(other() for other in others)]) == [0, 1, 2]
    assert (barrier.n_waiting, barrier.broken) == (0, False)


def test_again_and_again(mp, thread):
    barrier = mp.Barrier(2, timeout=60)
    other = thread(lambda: [barrier.wait() for _ in range(20)])
    mine = [barrier.wait() for _ in range(20)]
    assert [sum(pair) for pair in zip(mine, other())] == [1] * 20


def test_one_party_never_waits(mp):
    acted = []
    barrier = mp.Barrier(1, lambda: acted.append(None))
    assert [barrier.wait(), barrier.wait(0)] == [0, 0]
    assert len(acted) == 2


def test_it_is_a_barrier_of_threading(mp):
    assert isinstance(mp.Barrier(2), threading.Barrier)


@pytest.mark.parametrize("parties", [0, -1])
def test_for_no_parties(mp, parties, thread, until):
    barrier = mp.Barrier(parties)
    assert barrier.parties == parties and not barrier.broken
    other = thread(barrier.wait)
    until(lambda: barrier.n_waiting == 1)
    barrier.reset()
    with pytest.raises(threading.BrokenBarrierError):
        other()
    assert not barrier.broken
    with pytest.raises(threading.BrokenBarrierError):
        barrier.wait(0.01)
    assert barrier.broken


def test_the_time_is_up(mp):
    for barrier, arguments in ((mp.Barrier(2), (0.02,)), (mp.Barrier(2, timeout=0.02), ())):
        with pytest.raises(threading.BrokenBarrierError):
            barrier.wait(*arguments)
        assert barrier.broken and barrier.n_waiting == 0
        with pytest.raises(threading.BrokenBarrierError):
            barrier.wait()
        barrier.reset()
        assert not barrier.broken


def test_a_time_of_its_own_comes_first(mp, thread):
    barrier = mp.Barrier(2, None, 0.01)
    other = thread(barrier.wait, 60)
    assert sorted((barrier.wait(timeout=60), other())) == [0, 1]


@pytest.mark.parametrize("end, broken", [("abort", True), ("reset", False)])
def test_aborted_or_reset(mp, thread, until, end, broken):
    barrier = mp.Barrier(3)
    others = [thread(barrier.wait) for _ in range(2)]
    until(lambda: barrier.n_waiting == 2)
    assert getattr(barrier, end)() is None
    for other in others:
        with pytest.raises(threading.BrokenBarrierError):
            other()
    assert barrier.broken is broken
    if broken:
        with pytest.raises(threading.BrokenBarrierError):
            barrier.wait()
        barrier.reset()
    others = [thread(barrier.wait, 60) for _ in range(2)]
    barrier.wait()
    assert len({other() for other in others}) == 2


def test_the_action_is_done_once(mp, thread):
    acted = []
    barrier = mp.Barrier(2, action=lambda: acted.append(barrier.n_waiting))
    other = thread(barrier.wait, 60)
    barrier.wait()
    other()
    assert len(acted) == 1


def test_the_action_fails(mp, thread):
    barrier = mp.Barrier(2, lambda: 1 / 0)
    other = thread(barrier.wait, 60)
    outcomes = []
    for wait in (barrier.wait, other):
        with pytest.raises((ZeroDivisionError, threading.BrokenBarrierError)) as failed:
            wait()
        outcomes.append(issubclass(failed.type, threading.BrokenBarrierError))
    assert sorted(outcomes) == [False, True]
    assert barrier.broken


@pytest.mark.skipif(sys.version_info < (3, 10), reason="says nothing before Python 3.10")
def test_what_a_barrier_looks_like(mp):
    barrier = mp.Barrier(2)
    assert repr(barrier).endswith(f".Barrier at {id(barrier):#x}: waiters=0/2>")
    barrier.abort()
    assert repr(barrier).endswith(f".Barrier at {id(barrier):#x}: broken>")
