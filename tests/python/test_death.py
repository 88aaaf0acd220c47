"""Processes that die holding a lock: the next one is told, until somebody says it is well."""

import os
import threading
import time

import atoll
import pytest
from support import Child, run

BOTH = pytest.mark.parametrize("kind", [atoll.Lock, atoll.RLock])

HOLDER = """
    import threading
    threading.current_thread().name = "python's own name"
    lock = atoll.{kind}(segment, "l")
    lock.acquire(recover=True)
    say("in")
    hang()
"""


def killed_holder(segment, kind):
    """A process that took the lock and was killed; its pid."""
    with Child(HOLDER.format(kind=kind.__name__), segment) as child:
        child.expect("in")
        child.kill()
    return child.pid


@BOTH
def test_acquire_raises_and_does_not_hold(segment, kind):
    lock = kind(segment, "l")
    pid = killed_holder(segment, kind)
    for attempt in (
        lock.acquire,
        lock.__enter__,
        lambda: lock.acquire(False),
        lambda: lock.acquire(timeout=1),
    ):
        with pytest.raises(atoll.OwnerDied, match="recovering") as caught:
            attempt()
        assert caught.value.pid == pid and caught.value.name and str(pid) in str(caught.value)
        assert not lock.locked() and lock.owner() is None
        assert lock.owner_died.pid == pid
        with pytest.raises(atoll.NotOwner):
            lock.release()
        with pytest.raises(atoll.NotOwner):
            lock.mark_consistent()


@BOTH
def test_recovering_holds_and_tells(segment, kind):
    lock = kind(segment, "l")
    pid = killed_holder(segment, kind)
    with lock.recovering() as hold:
        assert hold.owner_died.pid == pid and not hold.owner_died.alive and hold.owner_died.name
        assert lock.owner().pid == os.getpid() and lock.owner().owner_died
        # not marked: the next one is told again
    with lock.recovering(timeout=1) as hold:
        assert hold.owner_died.pid == pid
        lock.mark_consistent()
        assert lock.owner_died is None
    with lock:
        assert lock.owner_died is None
    with lock.recovering() as hold:
        assert hold.owner_died is None


@BOTH
def test_an_exception_in_the_repair_leaves_it_unrepaired(segment, kind):
    lock = kind(segment, "l")
    killed_holder(segment, kind)
    with pytest.raises(ZeroDivisionError), lock.recovering():
        1 / 0
    assert not lock.locked()
    with pytest.raises(atoll.OwnerDied):
        lock.acquire()


@BOTH
def test_acquire_with_recover(segment, kind):
    lock = kind(segment, "l")
    assert lock.acquire(recover=True) is True and lock.owner_died is None
    lock.release()
    pid = killed_holder(segment, kind)
    assert lock.acquire(recover=True) is True
    assert lock.locked() and lock.owner_died.pid == pid
    lock.mark_consistent()
    assert lock.owner_died is None
    lock.release()
    assert lock.acquire(timeout=0) is True
    lock.release()


@BOTH
def test_the_last_of_several_dead_is_named(segment, kind):
    lock = kind(segment, "l")
    pids = [killed_holder(segment, kind) for _ in range(3)]
    with lock.recovering() as hold:
        assert hold.owner_died.pid == pids[-1]


@BOTH
def test_the_news_wakes_who_waits(segment, kind):
    lock = kind(segment, "l")
    with Child(HOLDER.format(kind=kind.__name__), segment) as child:
        child.expect("in")
        outcome = []

        def wait():
            with lock.recovering() as hold:
                outcome.append(hold.owner_died.pid)
                lock.mark_consistent()

        thread = threading.Thread(target=wait)
        thread.start()
        time.sleep(0.15)
        assert not outcome
        child.kill()
        thread.join()
    assert outcome == [child.pid]


def test_the_dead_owner_shows_until_somebody_takes_over(segment):
    lock = atoll.Lock(segment, "l")
    pid = killed_holder(segment, atoll.Lock)
    owner = lock.owner()
    assert owner is None or (owner.pid == pid and not owner.alive)
    assert not lock.locked()
    assert "held by process" not in repr(lock)


def test_a_process_that_dies_without_the_lock_is_no_news(segment):
    lock = atoll.Lock(segment, "l")
    code = """
        lock = atoll.Lock(segment, "l")
        with lock: pass
        say("out")
        hang()
    """
    with Child(code, segment) as child:
        child.expect("out")
        child.kill()
    with lock:
        assert lock.owner_died is None


@pytest.mark.parametrize("end", ["os._exit(1)", "os.abort()", "sys.exit(0)", "raise SystemError"])
def test_every_way_to_end_while_holding_is_news(segment, end):
    lock = atoll.Lock(segment, "l")
    with Child(f"atoll.Lock(segment, 'l').acquire(); {end}", segment) as child:
        child.process.communicate()
    with pytest.raises(atoll.OwnerDied) as caught:
        lock.acquire()
    # Who ends well takes its name along; that it held the lock is news all the same.
    assert caught.value.pid == child.pid or "exit(0)" in end or "raise" in end
    with lock.recovering() as hold:
        assert hold.owner_died is not None


def test_killed_again_and_again_the_sum_stays_right(segment):
    """The pattern of the manual: the state of a change is written before the change."""
    lock = atoll.Lock(segment, "l")
    ledger = atoll.Array(segment, "ledger", "i64", 3)  # from, to, amount on its way
    ledger[:] = [1000, 0, 0]
    code = """
        import random
        lock, ledger = atoll.Lock(segment, "l"), atoll.Array(segment, "ledger")
        say("working")
        while True:
            with lock.recovering() as hold:
                if hold.owner_died:
                    # Whichever of the steps below was the last: undo it.
                    ledger[1] = 1000 - ledger[0]
                    ledger[2] = 0
                    lock.mark_consistent()
                assert ledger[0] + ledger[1] == 1000, list(ledger)
                ledger[2] = amount = random.randint(-5, 5)
                ledger[0] -= amount
                ledger[1] += amount
                ledger[2] = 0
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
    with lock.recovering() as hold:
        if hold.owner_died:
            ledger[1] = 1000 - ledger[0]
        assert ledger[0] + ledger[1] == 1000
    segment.verify()


def test_survivors_of_a_fork_are_told_too(segment):
    code = """
        lock = atoll.Lock(segment, "l")
        pid = os.fork()
        if pid == 0:
            lock.acquire()
            os._exit(0)
        os.waitpid(pid, 0)
        try: lock.acquire()
        except atoll.OwnerDied as news: say(news.pid == pid)
    """
    assert run(code, segment) == "True\n"
