"""Barriers: rounds, actions, and all the ways in which one breaks."""

import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time

import atoll
import pytest
from interrupts import (
    Interrupt,
    ended_by_ctrl_c,
    handler,  # noqa: F401  # a fixture
    interrupted_by_the_signal_of_another_thread,
    raise_interrupt,
)
from support import Child

METHODS = pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])


class Party:
    """Another thread, which waits once; what came of it is a number or an exception."""

    def __init__(self, barrier, *arguments):
        self.came = None
        self.thread = threading.Thread(target=self._wait, args=(barrier, arguments))
        self.thread.start()

    def _wait(self, barrier, arguments):
        try:
            self.came = barrier.wait(*arguments)
        except Exception as error:
            self.came = error

    def outcome(self):
        self.thread.join()
        return self.came


def parties(barrier, number):
    """So many in other threads, which are inside."""
    before = barrier.n_waiting
    started = [Party(barrier) for _ in range(number)]
    while barrier.n_waiting < before + number:
        time.sleep(0.001)
    return started


def test_all_wait_for_the_last(segment):
    barrier = atoll.Barrier(segment, "b", 3)
    assert (barrier.parties, barrier.n_waiting, barrier.broken) == (3, 0, False)
    assert "0 of 3 waiting" in repr(barrier)
    for _ in range(3):
        others = parties(barrier, 2)
        time.sleep(0.15)  # longer than a slice
        assert barrier.n_waiting == 2 and "2 of 3 waiting" in repr(barrier)
        mine = barrier.wait()
        assert {mine, *(other.outcome() for other in others)} == {0, 1, 2}
        assert barrier.n_waiting == 0 and not barrier.broken


def test_one_party_never_waits(segment):
    barrier = atoll.Barrier(segment, parties=1)
    for timeout in (None, 0, -1, 5):
        assert barrier.wait(timeout) == 0


def test_rounds_among_processes(segment):
    barrier, counts = atoll.Barrier(segment, "b", 3), atoll.Array(segment, "counts", "i64", 3)
    code = """
        barrier, counts = atoll.Barrier(segment, "b"), atoll.Array(segment, "counts")
        for number in range(300):
            counts[{me}] += 1
            barrier.wait()
            assert list(counts) == [number + 1] * 3
            barrier.wait()
    """
    with Child(code.format(me=1), segment) as one, Child(code.format(me=2), segment) as two:
        for number in range(300):
            counts[0] += 1
            barrier.wait()
            assert list(counts) == [number + 1] * 3
            barrier.wait()
        one.finish()
        two.finish()
    segment.verify()


def take_part(barrier, total):
    for _ in range(20):
        total.add(barrier.wait())


def count(total):
    total.add(1000)


class Count:
    """An action that can be pickled."""

    def __init__(self, total):
        self.total = total

    def __call__(self):
        self.total.add(1000)


@METHODS
def test_arguments_of_processes(segment, method):
    context = multiprocessing.get_context(method)
    total = atoll.Value(segment, "total", "i64")
    for barrier in (
        atoll.Barrier(segment, "b", 3, Count(total)),
        atoll.Barrier(parties=3, action=Count(total), timeout=60),
    ):
        processes = [context.Process(target=take_part, args=(barrier, total)) for _ in range(2)]
        for process in processes:
            process.start()
        take_part(barrier, total)
        for process in processes:
            process.join()
        assert [process.exitcode for process in processes] == [0, 0]
    assert total.value == 2 * 20 * (0 + 1 + 2 + 1000)


# --- actions -------------------------------------------------------------------------------------


def test_the_action_runs_once_before_anybody_goes_on(segment):
    done = []

    def action():
        time.sleep(0.15)
        done.append([other.came for other in others])

    barrier = atoll.Barrier(segment, "b", 3, action)
    for number in range(1, 4):
        others = parties(barrier, 2)
        barrier.wait()
        assert len(done) == number and done[-1] == [None, None]
        for other in others:
            assert other.outcome() in (0, 1, 2)


def test_an_action_that_fails_breaks_it(segment):
    barrier = atoll.Barrier(segment, "b", 2, lambda: 1 / 0)
    [other] = parties(barrier, 1)
    with pytest.raises(ZeroDivisionError):
        barrier.wait()
    assert isinstance(other.outcome(), atoll.Broken) and barrier.broken
    barrier.reset()
    [other] = parties(barrier, 1)
    with pytest.raises(ZeroDivisionError):
        barrier.wait()
    assert other.outcome().pid == 0


def test_who_comes_during_an_action_waits_for_the_next_round(segment):
    acting, act_on = threading.Event(), threading.Event()
    barrier = atoll.Barrier(segment, "b", 2, lambda: (acting.set(), act_on.wait()))
    first = [Party(barrier), Party(barrier)]
    acting.wait()
    late = Party(barrier)
    hurried = Party(barrier, 0.05)
    assert isinstance(hurried.outcome(), atoll.Full)
    act_on.set()
    assert {party.outcome() for party in first} == {0, 1}
    assert {barrier.wait(), late.outcome()} == {0, 1}


# --- what breaks it ------------------------------------------------------------------------------


def is_broken(barrier, others, pid=0):
    """For those in it, and for who comes, until it is reset."""
    for other in others:
        error = other.outcome()
        assert isinstance(error, threading.BrokenBarrierError) and len(str(error)) > 15, error
        assert isinstance(error, atoll.Broken) and error.pid == pid
    for timeout in (None, 0, 5):
        with pytest.raises(atoll.Broken) as caught:
            barrier.wait(timeout)
        assert caught.value.pid == pid
    assert barrier.broken and barrier.n_waiting == 0 and "broken" in repr(barrier)
    barrier.reset()
    assert not barrier.broken
    others = parties(barrier, barrier.parties - 1)
    barrier.wait()
    return all(other.outcome() in range(barrier.parties) for other in others)


def test_a_timeout_breaks_it(segment):
    barrier = atoll.Barrier(segment, "b", 4)
    for timeout in (0, -1, 0.05, 0.25):
        others = parties(barrier, 2)
        before = time.monotonic()
        with pytest.raises(threading.BrokenBarrierError) as caught:
            barrier.wait(timeout)
        assert time.monotonic() - before >= timeout and caught.value.pid == 0
        assert is_broken(barrier, others)
    with pytest.raises(TypeError):
        barrier.wait("1")
    with pytest.raises(ValueError):
        barrier.wait(float("nan"))
    assert not barrier.broken and barrier.n_waiting == 0


def test_a_timeout_for_all_waits(segment):
    barrier = atoll.Barrier(segment, "b", 2, timeout=0.05)
    with pytest.raises(atoll.Broken):
        barrier.wait()
    barrier.reset()
    other = Party(barrier, 60)
    time.sleep(0.2)
    assert {barrier.wait(), other.outcome()} == {0, 1}
    with pytest.raises(TypeError):
        atoll.Barrier(segment, "b", 2, timeout="1")


def test_abort(segment):
    barrier = atoll.Barrier(segment, "b", 3)
    others = parties(barrier, 2)
    barrier.abort()
    assert is_broken(barrier, others)
    barrier.abort()
    barrier.abort()
    assert is_broken(barrier, [])


def test_a_reset_sends_off_who_is_inside(segment):
    barrier = atoll.Barrier(segment, "b", 3)
    barrier.reset()
    others = parties(barrier, 2)
    barrier.reset()
    assert not barrier.broken
    for other in others:
        assert isinstance(other.outcome(), atoll.Broken)
    others = parties(barrier, 2)
    barrier.wait()
    for other in others:
        other.outcome()


PARTY = """
    barrier = atoll.Barrier(segment, "b")
    say("arriving")
    barrier.wait()
"""


def test_a_death_inside_breaks_it_and_is_named(segment):
    barrier = atoll.Barrier(segment, "b", 3)
    others = parties(barrier, 1)
    with Child(PARTY, segment) as child:
        child.expect("arriving")
        while barrier.n_waiting < 2:
            time.sleep(0.001)
        time.sleep(0.2)
        assert others[0].came is None
        child.kill()
        assert is_broken(barrier, others, child.pid)
    segment.verify()


def test_the_last_one_finds_who_died(segment):
    """Nobody was inside to see it."""
    barrier = atoll.Barrier(segment, "b", 2)
    with Child(PARTY, segment) as child:
        child.expect("arriving")
        while barrier.n_waiting < 1:
            time.sleep(0.001)
        child.kill()
    with pytest.raises(atoll.Broken) as caught:
        barrier.wait()
    assert caught.value.pid == child.pid and str(child.pid) in repr(barrier)
    assert is_broken(barrier, [], child.pid)


def test_a_death_in_an_action_breaks_it(segment):
    barrier = atoll.Barrier(segment, "b", 2)
    code = """
        barrier = atoll.Barrier(segment, "b", action=lambda: (say("acting"), hang()))
        barrier.wait()
    """
    others = parties(barrier, 1)
    with Child(code, segment) as child:
        child.expect("acting")
        child.kill()
        assert is_broken(barrier, others, child.pid)


def test_a_death_outside_is_nothing(segment):
    barrier = atoll.Barrier(segment, "b", 2)
    with Child(PARTY + "\n    hang()", segment) as child:
        child.expect("arriving")
        assert barrier.wait() in (0, 1)
        time.sleep(0.1)
        child.kill()
    others = parties(barrier, 1)
    barrier.wait()
    assert others[0].outcome() in (0, 1)
    segment.verify()


def test_a_worker_of_multiprocessing_that_dies(segment):
    barrier = atoll.Barrier(parties=2)
    process = multiprocessing.get_context("fork").Process(target=wait_and_die, args=(barrier,))
    process.start()
    with pytest.raises(atoll.Broken) as caught:
        while not barrier.n_waiting:
            time.sleep(0.001)
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        barrier.wait()
    assert caught.value.pid == process.pid


def wait_and_die(barrier):
    barrier.wait()


def test_killed_again_and_again_nobody_is_kept(segment):
    barrier = atoll.Barrier(segment, "b", 3)
    code = """
        barrier = atoll.Barrier(segment, "b")
        say("working")
        while True:
            try: barrier.wait()
            except atoll.Broken: barrier.reset()
    """
    for _ in range(10):
        with Child(code, segment) as one, Child(code, segment) as two:
            one.expect("working")
            two.expect("working")
            for victim in (one, two):
                passed = 0
                while victim is one and passed < 20:
                    try:
                        barrier.wait()
                        passed += 1
                    except atoll.Broken:
                        barrier.reset()
                victim.kill()
            with pytest.raises(atoll.Broken):
                barrier.wait(0.01)
            barrier.reset()
    segment.verify()


# --- interrupted ---------------------------------------------------------------------------------


def test_ctrl_c_breaks_the_round_it_is_in(segment):
    barrier = atoll.Barrier(segment, "b", 3)
    for timeout in (None, 60):
        others = parties(barrier, 1)
        assert ended_by_ctrl_c(lambda: barrier.wait(timeout))
        assert is_broken(barrier, others)


def test_a_signal_that_another_thread_got_is_heard(segment, handler):
    barrier = atoll.Barrier(segment, "b", 3)
    others = parties(barrier, 1)
    handler(raise_interrupt)
    interrupted_by_the_signal_of_another_thread(barrier.wait)
    assert is_broken(barrier, others)


def test_a_handler_that_returns_ends_nothing(segment, handler):
    barrier = atoll.Barrier(segment, "b", 2)
    calls = []
    handler(lambda *_: calls.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)

    def come_after_five():
        while len(calls) < 5:
            time.sleep(0.001)
        barrier.wait()

    other = threading.Thread(target=come_after_five)
    other.start()
    assert barrier.wait() in (0, 1)
    other.join()
    assert not barrier.broken


def test_an_interrupted_action_breaks_it(segment, handler):
    handler(raise_interrupt)

    def be_interrupted():
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        time.sleep(60)

    barrier = atoll.Barrier(segment, "b", 2, be_interrupted)
    others = parties(barrier, 1)
    with pytest.raises(Interrupt):
        barrier.wait()
    barrier = atoll.Barrier(segment, "b", 2)
    assert is_broken(barrier, others)


@pytest.mark.skipif(sys.version_info < (3, 10), reason="3.9 listens in more places")
def test_an_exception_when_the_round_is_over_breaks_no_other(segment, handler):
    """It comes about when the last one does. Who raises has passed, and then the next round is
    whole; or has not, and then this round is broken for all."""
    barrier = atoll.Barrier(segment, "b", 2)
    handler(raise_interrupt)
    outcomes = set()
    for number in range(300):
        other = Party(barrier)
        try:
            signal.setitimer(signal.ITIMER_REAL, (number % 100) * 10e-6 + 1e-6, 0.2)
            try:
                barrier.wait()
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
            outcomes.add("whole")
        except Interrupt:
            while other.thread.is_alive() and not (barrier.n_waiting or barrier.broken):
                time.sleep(0.0001)  # it may not have come yet
            if barrier.n_waiting:
                barrier.abort()
            outcomes.add("interrupted")
        except atoll.Broken:
            raise AssertionError("a round that nobody had left was broken") from None
        came = other.outcome()
        assert barrier.broken is isinstance(came, atoll.Broken), came
        if barrier.broken:
            barrier.reset()
        others = parties(barrier, 1)
        try:
            barrier.wait()
        except Interrupt:
            pass  # the late one
        if isinstance(others[0].outcome(), atoll.Broken):
            barrier.reset()
    assert outcomes == {"whole", "interrupted"}


# --- made and opened -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "number, error",
    [(0, ValueError), (-1, ValueError), (1 << 15, ValueError), ("2", TypeError), (1.5, TypeError)],
)
def test_numbers_of_parties_that_cannot_be(segment, number, error):
    with pytest.raises(error):
        atoll.Barrier(segment, "b", number)
    assert not segment.list()


def test_to_open_what_is_there(segment):
    with pytest.raises(ValueError, match="parties"):
        atoll.Barrier(segment)
    with pytest.raises(atoll.NotFound):
        atoll.Barrier(segment, "b")
    assert atoll.Barrier(segment, "b", 3).parties == 3
    for again in (atoll.Barrier(segment, "b"), atoll.Barrier(segment, "b", 3, create=False)):
        assert again.parties == 3
    for create in (False, "open"):
        with pytest.raises(atoll.WrongKind):
            atoll.Barrier(segment, "b", 2, create=create)
    assert len(segment.list()) == 1


def test_pickles(segment):
    for one in (atoll.Barrier(segment, "b", 2), atoll.Barrier(parties=2)):
        other = pickle.loads(pickle.dumps(one))
        party = Party(other)
        assert {one.wait(), party.outcome()} == {0, 1}
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(atoll.Barrier(segment, "b", 2, lambda: None))


def test_closed_ones_say_so(segment):
    barrier = atoll.Barrier(segment, "b", 2)
    barrier.close()
    assert "closed" in repr(barrier)
    for use in (barrier.wait, barrier.reset, barrier.abort, lambda: barrier.broken):
        with pytest.raises(atoll.Closed, match="closed"):
            use()
