"""Transactions: all or nothing, by an exception, by a kill, by whoever comes next."""

import ctypes
import os
import threading
import time

import atoll
import pytest
from support import Child, run


class Pair(ctypes.Structure):
    _fields_ = [("x", ctypes.c_int64), ("y", ctypes.c_int64)]


class Stuff:
    """A lock, and one of each thing that a transaction can change."""

    def __init__(self, segment):
        self.lock = atoll.Lock(segment, "lock")
        self.number = atoll.Value(segment, "number", "i64", 1)
        self.text = atoll.Value(segment, "text", "32s", b"before")
        self.list = atoll.Array(segment, "list", "i32", 100)
        self.table = atoll.Array(segment, "table", "f64", (4, 5))
        self.pairs = atoll.Array(segment, "pairs", Pair, 3)

    def change(self, tx):
        tx.store(self.number, 2)
        tx.store(self.text, b"after")
        tx.modify(self.list, 10, 13)[:] = memoryview(b"\1\0\0\0" * 3).cast("i")
        tx.modify(self.table, 1, 3)[1, 4] = 2.5
        tx.modify(self.pairs, 2)
        self.pairs[2].y = 7

    def state(self):
        rows = [list(row) for row in (self.list[9:14], self.table[2])]
        return self.number.value, self.text.value[:6], rows, self.pairs[2].y


@pytest.fixture
def stuff(segment):
    return Stuff(segment)


BEFORE = (1, b"before", [[0] * 5, [0.0] * 5], 0)
AFTER = (2, b"after\0", [[0, 1, 1, 1, 0], [0.0] * 4 + [2.5]], 7)


def test_what_is_done_stays(segment, stuff):
    with atoll.transaction(stuff.lock) as tx:
        assert stuff.lock.owner().pid == os.getpid()
        stuff.change(tx)
        assert stuff.state() == AFTER
    assert stuff.state() == AFTER and not stuff.lock.locked()
    segment.verify()


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, SystemExit])
def test_an_exception_undoes_all_and_goes_on(segment, stuff, error):
    with pytest.raises(error):
        with atoll.transaction(stuff.lock) as tx:
            stuff.change(tx)
            raise error
    assert stuff.state() == BEFORE and not stuff.lock.locked()
    segment.verify()


def test_abort(stuff):
    with atoll.transaction(stuff.lock) as tx:
        stuff.change(tx)
        tx.abort()
        assert stuff.state() == BEFORE and not stuff.lock.locked()
        for late in (
            tx.abort,
            lambda: tx.store(stuff.number, 3),
            lambda: tx.modify(stuff.list, 0, 1),
        ):
            with pytest.raises(atoll.InvalidArgument, match="aborted"):
                late()
    assert stuff.state() == BEFORE
    with atoll.transaction(stuff.lock) as tx:
        stuff.change(tx)
    assert stuff.state() == AFTER


def test_an_error_inside_that_is_caught_ends_nothing(stuff):
    with atoll.transaction(stuff.lock) as tx:
        stuff.change(tx)
        with pytest.raises(atoll.InvalidArgument):
            tx.store(stuff.number, 1 << 64)
        with pytest.raises(IndexError):
            tx.modify(stuff.list)[100]
    assert stuff.state() == AFTER


def test_the_first_state_comes_back_however_often_it_changes(stuff):
    with pytest.raises(ZeroDivisionError), atoll.transaction(stuff.lock) as tx:
        for round in range(100):
            tx.store(stuff.number, round)
            tx.modify(stuff.list, round % 90, round % 90 + 10)[:] = memoryview(bytes(40)).cast("i")
            stuff.list[round % 90] = round
        raise ZeroDivisionError
    assert stuff.state() == BEFORE and set(stuff.list) == {0}


def test_modify_lends_what_indexing_would_show(stuff):
    array, table = stuff.list, stuff.table
    array[:] = range(100)
    with atoll.transaction(stuff.lock) as tx:
        for start, stop in [(0, 0), (0, 100), (5, 8), (-5, -2), (90, 1000), (8, 5), (-1000, 3)]:
            view = tx.modify(array, start, stop)
            assert view.tolist() == list(range(100))[start:stop] and not view.readonly
            assert view.format == array[start:stop].format
        assert tx.modify(array, 95).tolist() == [95, 96, 97, 98, 99]
        assert len(tx.modify(array)) == 100
        assert tx.modify(table, 1, 3).shape == (2, 5)
        assert tx.modify(stuff.pairs, 1, 3).nbytes == 32


def test_an_abort_leaves_alone_what_was_not_lent(stuff):
    with pytest.raises(ZeroDivisionError), atoll.transaction(stuff.lock) as tx:
        tx.modify(stuff.list, 1, 3)
        stuff.list[0:4] = [1, 2, 3, 4]
        raise ZeroDivisionError
    assert list(stuff.list[0:5]) == [1, 0, 0, 4, 0]


def test_numpy_sees_what_is_lent(stuff):
    numpy = pytest.importorskip("numpy")
    with pytest.raises(ZeroDivisionError), atoll.transaction(stuff.lock) as tx:
        numpy.asarray(tx.modify(stuff.table))[:] += 1
        assert stuff.table.numpy().sum() == 20
        raise ZeroDivisionError
    assert stuff.table.numpy().sum() == 0
    with atoll.transaction(stuff.lock) as tx:
        numpy.asarray(tx.modify(stuff.pairs, 1, 3))["x"] = 5
    assert [pair.x for pair in (stuff.pairs[0], stuff.pairs[1], stuff.pairs[2])] == [0, 5, 5]


def test_a_lent_view_is_safe_afterwards(name):
    with atoll.Segment(name, create=True, size=1 << 20) as segment:
        array = atoll.Array(segment, "a", "i64", 1000)
        lock = atoll.Lock(segment, "l")
        with atoll.transaction(lock) as tx:
            view = tx.modify(array, 10, 20)
    del tx
    array.close()
    lock.close()
    view[0] = 5
    assert view[0] == 5


@pytest.mark.parametrize("kind", [atoll.Lock, atoll.RLock])
def test_several_locks_in_any_order(segment, kind):
    locks = [kind(segment, f"l{number}") for number in range(8)]
    value = atoll.Value(segment, "v", "i64")

    def work(turn):
        for _ in range(100):
            mine = locks[turn:] + locks[:turn]
            with atoll.transaction(*mine) as tx:
                tx.store(value, value.value + 1)

    threads = [threading.Thread(target=work, args=(turn,)) for turn in (0, 3, 5)]
    for thread in threads:
        thread.start()
    work(7)
    for thread in threads:
        thread.join()
    assert value.value == 400 and not any(lock.locked() for lock in locks)
    segment.verify()


def test_home_objects(stuff):
    lock, value = atoll.Lock(), atoll.Value(type="i64")
    with atoll.transaction(lock) as tx:
        tx.store(value, 5)
    assert value.value == 5
    with atoll.transaction(lock) as tx:
        with pytest.raises(atoll.WrongSegment, match="same"):
            tx.store(stuff.number, 5)
        with pytest.raises(atoll.WrongSegment, match="same"):
            tx.modify(stuff.list, 0, 1)
        tx.store(value, 6)
    assert value.value == 6 and stuff.state() == BEFORE
    with pytest.raises(atoll.WrongSegment), atoll.transaction(lock, stuff.lock):
        pass
    assert not lock.locked() and not stuff.lock.locked()


# --- what nobody should do -----------------------------------------------------------------------


def test_nesting_is_refused(segment, stuff):
    other = atoll.Lock(segment, "other")
    with atoll.transaction(stuff.lock) as tx:
        stuff.change(tx)
        with pytest.raises(atoll.InvalidArgument, match="do not nest"):
            with atoll.transaction(other):
                pass
        with pytest.raises(atoll.InvalidArgument, match="one with statement"):
            tx.__enter__()
        with pytest.raises(atoll.InvalidArgument, match="do not nest"):
            atoll.transaction(stuff.lock).__enter__()
        assert not other.locked()
    assert stuff.state() == AFTER
    with pytest.raises(atoll.InvalidArgument, match="one with statement"), tx:
        pass
    assert not stuff.lock.locked()


def test_a_transaction_that_is_over_or_not_begun(stuff):
    with atoll.transaction(stuff.lock) as tx:
        pass
    for attempt in (
        lambda: tx.store(stuff.number, 3),
        lambda: tx.modify(stuff.list, 0, 3),
        tx.abort,
    ):
        with pytest.raises(atoll.InvalidArgument, match="ended"):
            attempt()
    with pytest.raises(atoll.InvalidArgument, match="begin it first"):
        atoll.transaction(stuff.lock).store(stuff.number, 3)
    assert stuff.state() == BEFORE


def test_the_locks_cannot_be_used_meanwhile(stuff):
    with pytest.raises(atoll.AtollError):
        with atoll.transaction(stuff.lock) as tx:
            stuff.change(tx)
            stuff.lock.release()
    assert stuff.state() == BEFORE and not stuff.lock.locked()
    with stuff.lock:
        with pytest.raises(atoll.Deadlock), atoll.transaction(stuff.lock):
            pass
        assert stuff.lock.locked()


@pytest.mark.parametrize(
    "pick, error",
    [
        (lambda stuff: (), atoll.InvalidArgument),
        (lambda stuff: (stuff.lock, stuff.lock), atoll.InvalidArgument),
        (lambda stuff: (stuff.lock,) * 9, atoll.InvalidArgument),
        (lambda stuff: (stuff.number,), atoll.WrongKind),
        (lambda stuff: ([stuff.lock],), atoll.WrongKind),
        (lambda stuff: (None,), atoll.WrongKind),
        (lambda stuff: (threading.Lock(),), atoll.WrongKind),
    ],
)
def test_what_are_no_locks(stuff, pick, error):
    with pytest.raises(error) as caught:
        with atoll.transaction(*pick(stuff)):
            pass
    assert len(str(caught.value)) > 15 and not stuff.lock.locked()


def test_wrong_things_to_change(segment, stuff):
    with atoll.transaction(stuff.lock) as tx:
        for attempt, error in (
            (lambda: tx.store(stuff.list, 5), atoll.WrongKind),
            (lambda: tx.store(5, 5), atoll.WrongKind),
            (lambda: tx.modify(stuff.number, 0, 1), atoll.WrongKind),
            (lambda: tx.modify([1, 2], 0, 1), atoll.WrongKind),
            (lambda: tx.modify(stuff.list, "0", 1), TypeError),
            (lambda: tx.modify(stuff.list, 0, 1.5), TypeError),
            (lambda: tx.store(stuff.number, "5"), atoll.WrongKind),
            (lambda: tx.store(stuff.text, b"x" * 33), atoll.InvalidArgument),
        ):
            with pytest.raises(error) as caught:
                attempt()
            assert len(str(caught.value)) > 15
        closed = atoll.Value(segment, "number")
        closed.close()
        with pytest.raises(atoll.Closed):
            tx.store(closed, 5)
        gone = atoll.Array(segment, "list")
        gone.close()
        with pytest.raises(atoll.Closed):
            tx.modify(gone, 0, 5)
    assert stuff.state() == BEFORE
    stuff.lock.close()
    with pytest.raises(atoll.Closed):
        atoll.transaction(stuff.lock)


def test_a_read_only_segment_has_none(stuff, readonly):
    with pytest.raises(atoll.Permission):
        with atoll.transaction(atoll.Lock(readonly, "lock", create=False)):
            pass


def test_a_transaction_is_its_threads_own(stuff):
    with atoll.transaction(stuff.lock) as tx:
        stuff.change(tx)
        outcome = []

        def elsewhere():
            for attempt in (lambda: tx.store(stuff.number, 9), lambda: tx.__exit__(*[None] * 3)):
                with pytest.raises(atoll.InvalidArgument, match="thread") as caught:
                    attempt()
                outcome.append(caught)

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        assert len(outcome) == 2
    assert stuff.state() == AFTER


def test_a_segment_without_room_for_the_log(segment):
    lock = atoll.Lock(segment, "l")
    array = atoll.Array(segment, "a", "u8", 600_000)
    with atoll.transaction(lock) as tx:
        with pytest.raises(atoll.NoSpace):
            tx.modify(array)
        tx.modify(array, 0, 10)[:] = b"x" * 10
    assert bytes(array[0:11]) == b"x" * 10 + b"\0"
    segment.verify()


# --- time and death ------------------------------------------------------------------------------

HOLDER = """
    lock = atoll.Lock(segment, "lock")
    lock.acquire()
    say("in")
    hang()
"""

IN_TRANSACTION = """
    lock, number = atoll.Lock(segment, "lock"), atoll.Value(segment, "number")
    text, list = atoll.Value(segment, "text"), atoll.Array(segment, "list")
    with atoll.transaction(lock) as tx:
        tx.store(number, 2)
        tx.store(text, b"after")
        tx.modify(list, 0, 100)[:] = memoryview(b"abcd" * 100).cast("i")
        say("in")
        hang()
"""


@pytest.mark.parametrize("timeout", [0, -1, 0.15])
def test_time_out(segment, stuff, timeout):
    other = atoll.Lock(segment, "other")
    with Child(HOLDER, segment) as holder:
        holder.expect("in")
        begin = time.monotonic()
        with pytest.raises(atoll.TimedOut, match="in time"):
            with atoll.transaction(other, stuff.lock, timeout=timeout):
                pass
        assert time.monotonic() - begin >= timeout
        assert not other.locked() and stuff.lock.owner().pid == holder.pid


def test_it_begins_when_the_lock_is_free(segment, stuff):
    code = """
        with atoll.Lock(segment, "lock"):
            say("in")
            input()
    """
    with Child(code, segment) as holder:
        holder.expect("in")
        threading.Timer(0.25, holder.tell).start()
        with atoll.transaction(stuff.lock, timeout=60) as tx:
            stuff.change(tx)
    assert stuff.state() == AFTER


def test_a_kill_inside_undoes_all(segment, stuff):
    for _ in range(3):
        with Child(IN_TRANSACTION, segment) as child:
            child.expect("in")
            assert stuff.number.value == 2
            child.kill()
        with atoll.transaction(stuff.lock) as tx:
            assert stuff.state() == BEFORE and set(stuff.list) == {0}
            tx.store(stuff.text, b"before")  # its writer is dead, too
    segment.verify()
    with stuff.lock:
        assert stuff.lock.owner_died is None


def test_a_plain_locker_is_told_and_finds_all_undone(segment, stuff):
    with Child(IN_TRANSACTION, segment) as child:
        child.expect("in")
        child.kill()
    with stuff.lock.recovering() as hold:
        assert hold.owner_died.pid == child.pid
        assert stuff.state() == BEFORE
        stuff.lock.mark_consistent()
    with atoll.transaction(stuff.lock) as tx:
        stuff.change(tx)


def test_a_death_outside_of_a_transaction_is_news(segment, stuff):
    other = atoll.Lock(segment, "other")
    with Child(HOLDER, segment) as child:
        child.expect("in")
        child.kill()
    for timeout in (None, 0, 1):
        with pytest.raises(atoll.OwnerDied, match="recovering") as caught:
            with atoll.transaction(other, stuff.lock, timeout=timeout):
                pass
        assert caught.value.pid == child.pid and caught.value.name
        assert "'lock'" in str(caught.value)
        assert not stuff.lock.locked() and not other.locked()
    with stuff.lock.recovering():
        stuff.lock.mark_consistent()
    with atoll.transaction(other, stuff.lock) as tx:
        stuff.change(tx)
    assert stuff.state() == AFTER


def test_the_news_wakes_who_waits(segment, stuff):
    with Child(HOLDER, segment) as child:
        child.expect("in")
        threading.Timer(0.2, child.kill).start()
        with pytest.raises(atoll.OwnerDied) as caught, atoll.transaction(stuff.lock):
            pass
    assert caught.value.pid == child.pid and not stuff.lock.locked()


def test_a_child_does_not_have_its_parents(segment):
    code = """
        lock, value = atoll.Lock(segment, "l"), atoll.Value(segment, "v", "i64")
        with atoll.transaction(lock) as tx:
            tx.store(value, 1)
            pid = os.fork()
            if pid == 0:
                for attempt in lambda: tx.store(value, 2), tx.abort, lambda: tx.__exit__(*[None]*3):
                    try: attempt()
                    except atoll.NotOwner: say("not the owner")
                os._exit(0)
            assert os.waitpid(pid, 0)[1] == 0
            tx.store(value, 3)
        assert value.value == 3
        pid = os.fork()
        if pid == 0:
            with atoll.transaction(lock) as tx: tx.store(value, 4)
            sys.exit(0)
        assert os.waitpid(pid, 0)[1] == 0 and value.value == 4
    """
    assert run(code, segment) == "not the owner\n" * 3


def test_a_thread_that_ends_inside_undoes_all(segment, stuff):
    def forget():
        tx = atoll.transaction(stuff.lock)
        tx.__enter__()
        stuff.change(tx)

    thread = threading.Thread(target=forget)
    thread.start()
    thread.join()
    with atoll.transaction(stuff.lock):
        assert stuff.state() == BEFORE


def test_killed_again_and_again_the_sum_stays_right(segment):
    """No repair: compare test_death."""
    lock = atoll.Lock(segment, "l")
    account = atoll.Value(segment, "account", "i64", 1000)
    ledger = atoll.Array(segment, "ledger", "i64", 50)
    code = """
        import random
        lock, account = atoll.Lock(segment, "l"), atoll.Value(segment, "account")
        ledger = atoll.Array(segment, "ledger")
        say("working")
        while True:
            with atoll.transaction(lock) as tx:
                assert account.value + sum(ledger) == 1000, (account.value, list(ledger))
                place, amount = random.randrange(50), random.randint(-5, 5)
                tx.store(account, account.value - amount)
                tx.modify(ledger, place, place + 1)[0] += amount
                if amount == 5: tx.abort()
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
    with atoll.transaction(lock):
        assert account.value + sum(ledger) == 1000
    assert lock.owner_died is None
    segment.verify()
