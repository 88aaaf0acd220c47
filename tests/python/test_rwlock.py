"""Reader-writer locks: who may be in together, who waits, and what a death changes."""

import multiprocessing
import os
import pickle
import threading
import time

import atoll
import pytest
from support import Child, run

METHODS = pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
SIDES = pytest.mark.parametrize("side", ["read", "write"])


def acquire(lock, side, *arguments, **more):
    return getattr(lock, f"acquire_{side}")(*arguments, **more)


def release(lock, side):
    getattr(lock, f"release_{side}")()


def hold(lock, side, **more):
    return lock.reading(**more) if side == "read" else lock.writing(**more)


def elsewhere(call):
    """What comes of a call in another thread, which holds nothing."""
    outcome = []

    def work():
        try:
            outcome.append(call())
        except atoll.AtollError as error:
            outcome.append(type(error))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return outcome[0]


def tries(lock):
    """Whether others could read and write at this moment."""

    def may(side):
        if not acquire(lock, side, False):
            return False
        release(lock, side)
        return True

    return elsewhere(lambda: may("read")), elsewhere(lambda: may("write"))


def test_many_read_or_one_writes(segment):
    lock = atoll.RWLock(segment, "l")
    assert tries(lock) == (True, True)
    with lock.reading() as inside:
        assert inside.owner_died is None
        assert tries(lock) == (True, False) and lock.readers() == 1 and lock.owner() is None
        assert "read by 1" in repr(lock)
    with lock.writing():
        assert tries(lock) == (False, False) and lock.readers() == 0
        assert lock.owner().pid == os.getpid() and lock.owner().alive
        assert f"held by process {os.getpid()}" in repr(lock)
    assert tries(lock) == (True, True) and lock.owner() is None and "free" in repr(lock)


@SIDES
def test_acquire_and_release(segment, side):
    lock = atoll.RWLock(segment, "l")
    for how in ((), (True,), (False,), (True, 1), (True, 0), (True, -1), (False, 5)):
        assert acquire(lock, side, *how) is True
        assert tries(lock) == (side == "read", False)
        assert release(lock, side) is None
    with pytest.raises(KeyError), hold(lock, side):
        raise KeyError
    assert tries(lock) == (True, True)


@SIDES
@pytest.mark.parametrize(
    "how", [dict(block=False), dict(timeout=0), dict(timeout=-1), dict(block=False, timeout=60)]
)
def test_to_try_once(segment, side, how):
    lock = atoll.RWLock(segment, "l")
    with lock.writing():
        assert elsewhere(lambda: acquire(lock, side, **how)) is False
        assert elsewhere(lambda: hold(lock, side, timeout=0).__enter__()) is atoll.TimedOut


@SIDES
def test_a_timeout_is_waited_out(segment, side):
    lock = atoll.RWLock(segment, "l")
    with lock.writing():
        for timeout in (0.05, 0.25):
            before = time.monotonic()
            assert elsewhere(lambda: acquire(lock, side, timeout=timeout)) is False
            assert elsewhere(lambda: hold(lock, side, timeout=timeout).__enter__()) is atoll.TimedOut
            assert time.monotonic() - before >= 2 * timeout
    assert tries(lock) == (True, True)


def test_to_read_again_is_allowed(segment):
    lock = atoll.RWLock(segment, "l")
    with lock.reading(), lock.reading():
        lock.acquire_read()
        lock.release_read()
        assert lock.readers() == 1
    assert tries(lock) == (True, True)


def test_what_would_wait_for_itself(segment):
    lock = atoll.RWLock(segment, "l")
    with lock.reading():
        for use in (lock.acquire_write, lock.writing().__enter__, lock.recovering().__enter__):
            with pytest.raises(atoll.Deadlock):
                use()
        assert lock.acquire_write(False) is False and lock.acquire_write(timeout=0) is False
        assert tries(lock) == (True, False)
    with lock.writing():
        for use in (lock.acquire_write, lock.acquire_read, lock.reading().__enter__):
            with pytest.raises(atoll.Deadlock):
                use()
        assert lock.acquire_read(False) is False
        assert tries(lock) == (False, False)
    assert tries(lock) == (True, True)


def test_only_who_holds_it_releases(segment):
    lock = atoll.RWLock(segment, "l")
    for use in (lock.release_read, lock.release_write, lock.mark_consistent):
        with pytest.raises(atoll.NotOwner):
            use()
    with lock.reading():
        with pytest.raises(atoll.NotOwner):
            lock.release_write()
        assert elsewhere(lock.release_read) is atoll.NotOwner
    with lock.writing():
        with pytest.raises(atoll.NotOwner):
            lock.release_read()
        assert elsewhere(lock.release_write) is atoll.NotOwner


def test_a_thread_reads_no_more_than_some_at_once(segment):
    locks = [atoll.RWLock(segment) for _ in range(9)]
    for lock in locks[:8]:
        lock.acquire_read()
    with pytest.raises(atoll.Full):
        locks[8].acquire_read()
    with pytest.raises(atoll.Full):
        locks[8].reading().__enter__()
    assert [lock.readers() for lock in locks] == [1] * 8 + [0]
    for lock in locks[:8]:
        lock.release_read()
    with locks[8].reading():
        pass


def test_a_stream_of_readers_keeps_no_writer_out(segment):
    """There is always somebody in: new ones wait for the writer, who waits for the old ones."""
    lock, done = atoll.RWLock(segment, "l"), threading.Event()
    together = []

    def read():
        while not done.is_set():
            with lock.reading():
                time.sleep(0.02)
                together.append(lock.readers())

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    while max(together, default=0) < 2:
        time.sleep(0.001)
    for _ in range(5):
        with lock.writing():
            assert lock.readers() == 0
    done.set()
    for thread in threads:
        thread.join()
    assert tries(lock) == (True, True)


@SIDES
def test_closed_ones_say_so(segment, side):
    lock = atoll.RWLock(segment, "l")
    inside = hold(lock, side)
    lock.close()
    lock.close()
    assert "closed" in repr(lock)
    uses = [
        lambda: acquire(lock, side), lambda: release(lock, side), inside.__enter__, lock.owner,
        lock.readers, lock.mark_consistent, lambda: lock.owner_died,
        lambda: acquire(lock, side, timeout=1),
    ]  # fmt: skip
    for use in uses:
        with pytest.raises(atoll.Closed, match="closed"):
            use()


def test_pickles(segment):
    for one in (atoll.RWLock(segment, "l"), atoll.RWLock()):
        other = pickle.loads(pickle.dumps(one))
        with one.reading():
            assert other.readers() == 1
        with other.writing():
            assert tries(one) == (False, False)


# --- processes -----------------------------------------------------------------------------------


def work(lock, cells, rounds):
    for number in range(rounds):
        if number % 5 == 0:
            with lock.writing():
                cells[0] += 1
                cells[1] += 1
        else:
            with lock.reading():
                assert cells[0] == cells[1]


@METHODS
def test_readers_see_no_half_writes(segment, method):
    lock, cells = atoll.RWLock(segment, "l"), atoll.Array(segment, "cells", "i64", 2)
    context = multiprocessing.get_context(method)
    processes = [context.Process(target=work, args=(lock, cells, 200)) for _ in range(3)]
    for process in processes:
        process.start()
    work(lock, cells, 200)
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert list(cells) == [160, 160]
    segment.verify()


HOLDER = """
    lock = atoll.RWLock(segment, "l")
    lock.acquire_{side}(recover=True)
    say("in")
    hang()
"""


def killed(segment, side):
    """A process that held the lock and was killed; its pid."""
    with Child(HOLDER.format(side=side), segment) as child:
        child.expect("in")
        child.kill()
    return child.pid


def test_a_dead_reader_no_longer_counts(segment):
    lock = atoll.RWLock(segment, "l")
    with Child(HOLDER.format(side="read"), segment) as child:
        child.expect("in")
        assert tries(lock) == (True, False) and lock.readers() == 1
        writer = threading.Thread(target=lock.acquire_write, kwargs=dict(timeout=60))
        writer.start()
        time.sleep(0.2)
        child.kill()
        writer.join()  # and ends holding it
    with pytest.raises(atoll.OwnerDied):
        lock.acquire_read()
    with lock.recovering():
        lock.mark_consistent()
    killed(segment, "read")
    assert lock.readers() == 0 and lock.acquire_write(False) is True
    assert lock.owner_died is None
    lock.release_write()
    segment.verify()


@SIDES
def test_all_are_told_of_a_dead_writer(segment, side):
    lock = atoll.RWLock(segment, "l")
    pid = killed(segment, "write")
    for use in (
        lambda: acquire(lock, side), lambda: acquire(lock, side, False),
        lambda: acquire(lock, side, timeout=1), hold(lock, side).__enter__,
    ):  # fmt: skip
        with pytest.raises(atoll.OwnerDied, match="recovering") as caught:
            use()
        assert caught.value.pid == pid and str(pid) in str(caught.value)
        assert lock.readers() == 0 and lock.owner() is None and lock.owner_died.pid == pid
    assert acquire(lock, side, recover=True) is True
    assert lock.owner_died.pid == pid
    release(lock, side)
    with pytest.raises(ZeroDivisionError), lock.recovering():
        1 / 0
    with lock.recovering(timeout=1) as inside:
        assert inside.owner_died.pid == pid and lock.owner().owner_died
        lock.mark_consistent()
        assert lock.owner_died is None
    with hold(lock, side) as inside:
        assert inside.owner_died is None
    with lock.recovering() as inside:
        assert inside.owner_died is None
    segment.verify()


@SIDES
def test_the_news_wakes_who_waits(segment, side):
    lock = atoll.RWLock(segment, "l")
    with Child(HOLDER.format(side="write"), segment) as child:
        child.expect("in")
        outcome = []
        thread = threading.Thread(
            target=lambda: outcome.append(elsewhere(lambda: acquire(lock, side)))
        )
        thread.start()
        time.sleep(0.15)
        assert not outcome
        child.kill()
        thread.join()
    assert outcome == [atoll.OwnerDied] and lock.readers() == 0 and lock.owner() is None


def test_waiters_that_are_killed_are_forgotten(segment):
    lock = atoll.RWLock(segment, "l")
    lock.acquire_read()
    with Child("say('at it'); atoll.RWLock(segment, 'l').acquire_write()", segment) as writer:
        writer.expect("at it")
        while tries(lock)[0]:
            time.sleep(0.001)
        writer.kill()
    assert tries(lock) == (True, False)  # it never wrote, so nobody is told of anything
    lock.release_read()
    segment.verify()


def test_killed_again_and_again_the_cells_agree(segment):
    lock, cells = atoll.RWLock(segment, "l"), atoll.Array(segment, "cells", "i64", 2)
    code = """
        lock, cells = atoll.RWLock(segment, "l"), atoll.Array(segment, "cells")
        say("working")
        while True:
            try:
                with lock.reading(): assert cells[0] == cells[1], list(cells)
            except atoll.OwnerDied: pass
            with lock.recovering() as hold:
                if hold.owner_died:
                    cells[1] = cells[0]
                    lock.mark_consistent()
                cells[0] += 1
                cells[1] += 1
    """
    for _ in range(15):
        with Child(code, segment) as one, Child(code, segment) as two:
            one.expect("working")
            two.expect("working")
            time.sleep(0.01)
            one.kill()
            time.sleep(0.01)
            assert two.process.poll() is None, two.process.stderr.read()
            two.kill()
    with lock.recovering() as inside:
        assert inside.owner_died or cells[0] == cells[1]
    segment.verify()
    assert run("print(atoll.RWLock(segment, 'l').readers())", segment) == "0\n"
