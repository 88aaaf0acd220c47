"""Conditions: with every kind of lock, between processes, and when somebody dies."""

import multiprocessing
import pickle
import threading
import time

import atoll
import pytest
from support import Child, run

METHODS = pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])

LOCKS = {
    "its own": lambda segment: None,
    "Lock": lambda segment: atoll.Lock(segment, "l"),
    "RLock": lambda segment: atoll.RLock(segment, "l"),
    "Semaphore": lambda segment: atoll.Semaphore(segment, "l"),
    "BoundedSemaphore": lambda segment: atoll.BoundedSemaphore(segment, "l"),
    "tracked": lambda segment: atoll.Semaphore(segment, "l", tracked=True),
    "threading.Lock": lambda segment: threading.Lock(),
    "threading.RLock": lambda segment: threading.RLock(),
    "multiprocessing.Lock": lambda segment: multiprocessing.Lock(),
    "multiprocessing.RLock": lambda segment: multiprocessing.RLock(),
}
RECURSIVE = ["its own", "RLock", "threading.RLock", "multiprocessing.RLock"]
OF_THREADS = ["its own", "Lock", "RLock", "threading.RLock", "multiprocessing.RLock"]


def with_locks(names=LOCKS):
    return pytest.mark.parametrize("make_lock", [LOCKS[name] for name in names], ids=list(names))


def is_free(condition):
    """Whether another thread could have the lock."""
    outcome = []

    def work():
        if condition.acquire(False):
            condition.release()
            outcome.append(True)
        else:
            outcome.append(False)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return outcome[0]


def started(*works):
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    return threads


class Waiter:
    """Another thread, which waits once and keeps what came of it."""

    def __init__(self, condition, came=None, timeout=None):
        self.inside = threading.Event()
        self.came = [] if came is None else came
        self.thread = threading.Thread(target=self._wait, args=(condition, timeout))
        self.thread.start()
        self.inside.wait()
        with condition:  # free only when it waits
            pass

    def _wait(self, condition, timeout):
        with condition:
            self.inside.set()
            outcome = condition.wait(timeout)
            self.came.append((self, outcome))


@with_locks()
def test_wait_and_notify(segment, make_lock):
    condition = atoll.Condition(segment, "c", make_lock(segment))
    waiter = Waiter(condition)
    time.sleep(0.25)  # longer than a slice
    with condition:
        condition.notify()
        time.sleep(0.05)
        assert not waiter.came  # the lock is not free
    waiter.thread.join()
    assert waiter.came == [(waiter, True)] and is_free(condition)


@with_locks()
def test_a_timeout_is_waited_out(segment, make_lock):
    condition = atoll.Condition(segment, "c", make_lock(segment))
    with condition:
        for timeout in (0.05, 0.25):
            before = time.monotonic()
            assert condition.wait(timeout) is False
            assert time.monotonic() - before >= timeout
            assert not is_free(condition)
        assert condition.wait(0) is False and condition.wait(timeout=-1) is False
        with pytest.raises(TypeError):
            condition.wait("1")
        with pytest.raises(ValueError):
            condition.wait(float("nan"))
        assert not is_free(condition)
    assert is_free(condition)


@with_locks()
def test_only_with_the_lock_held(segment, make_lock):
    condition = atoll.Condition(segment, "c", make_lock(segment))
    uses = [condition.wait, lambda: condition.wait(0), condition.notify, condition.notify_all,
            lambda: condition.notify(2), lambda: condition.wait_for(bool)]  # fmt: skip
    for use in uses:
        with pytest.raises(RuntimeError) as caught:
            use()
        assert isinstance(caught.value, atoll.NotOwner) and "not held" in str(caught.value)
        assert is_free(condition)


@with_locks(OF_THREADS)
def test_only_by_the_thread_that_holds_it(segment, make_lock):
    condition = atoll.Condition(segment, "c", make_lock(segment))
    refused = []

    def work():
        for use in (condition.notify, condition.notify_all, lambda: condition.wait(0)):
            try:
                use()
            except atoll.NotOwner:
                refused.append(use)

    with condition:
        started(work)[0].join()
    assert len(refused) == 3


@with_locks(RECURSIVE)
def test_a_recursive_lock_is_let_go_wholly_and_held_as_often_again(segment, make_lock):
    condition = atoll.Condition(segment, "c", make_lock(segment))
    with condition, condition, condition:
        threads = started(lambda: condition.acquire() and (condition.notify(), condition.release()))
        assert condition.wait() is True
        threads[0].join()
        assert condition.wait(0.05) is False
        for _ in range(2):
            assert not is_free(condition)
            condition.release()
        assert not is_free(condition)
        condition.acquire()
        condition.acquire()
    assert is_free(condition)


def test_the_lock_of_its_own(segment):
    condition = atoll.Condition(segment, "c")
    lock = atoll.RLock(segment, "c.lock", create=False)
    with condition as entered:
        assert entered is True and lock.locked() and "held" in repr(condition)
    assert condition.acquire() is True
    assert condition.acquire(False) is True
    condition.release()
    condition.release()
    with pytest.raises(atoll.NotOwner):
        condition.release()
    assert not lock.locked()
    again = atoll.Condition(segment, "c", create=False)
    with again:
        assert lock.locked()
    assert len(segment.list()) == 2
    with pytest.raises(atoll.AlreadyExists):
        atoll.Condition(segment, "c", create=True)
    with pytest.raises(atoll.NotFound):
        atoll.Condition(segment, "d", create=False)


@pytest.mark.parametrize("wrong", [5, "lock", object(), []])
def test_what_is_no_lock(segment, wrong):
    with pytest.raises(TypeError, match="acquired and released"):
        atoll.Condition(segment, "c", wrong)
    assert not segment.list()


def test_an_event_is_no_lock(segment):
    with pytest.raises(TypeError):
        atoll.Condition(lock=atoll.Event(segment))


def test_the_longest_waiting_first(segment):
    """Also after several slices: each keeps its place."""
    condition, came = atoll.Condition(segment, "c"), []
    waiters = [Waiter(condition, came)]
    time.sleep(0.35)
    waiters += [Waiter(condition, came) for _ in range(4)]
    for number, expected in ((1, 1), (2, 3)):
        with condition:
            condition.notify(number)
        while len(came) < expected:
            time.sleep(0.001)
        assert {waiter for waiter, _ in came} == set(waiters[:expected])
    time.sleep(0.05)
    assert len(came) == 3
    with condition:
        condition.notify_all()
    for waiter in waiters:
        waiter.thread.join()
    assert all(outcome is True for _, outcome in came) and len(came) == 5


def test_nobody_hears_what_was_said_before(segment):
    condition = atoll.Condition(segment, "c")
    with condition:
        condition.notify()
        condition.notify(5)
        condition.notify(0)
        condition.notify_all()
        assert condition.wait(0.05) is False


@pytest.mark.parametrize(
    "n, error", [(-1, ValueError), (1 << 32, ValueError), ("1", TypeError), (1.5, TypeError)]
)
def test_how_many_cannot_be_notified(segment, n, error):
    condition = atoll.Condition(segment, "c")
    with condition, pytest.raises(error):
        condition.notify(n)


def test_wait_for(segment):
    condition, seen = atoll.Condition(segment, "c"), []
    value = atoll.Value(segment, "v", "i64")

    def change():
        for _ in range(5):
            time.sleep(0.01)
            with condition:
                value.add(1)
                condition.notify_all()

    thread = started(change)[0]
    with condition:
        assert condition.wait_for(lambda: value.value if value.value >= 5 else 0) == 5
        assert condition.wait_for(lambda: "at once", timeout=0) == "at once"
        before = time.monotonic()
        assert condition.wait_for(lambda: seen.append(1), timeout=0.15) is None
        assert time.monotonic() - before >= 0.15 and len(seen) >= 2
        assert condition.wait_for(lambda: [], timeout=0) == []
        with pytest.raises(ZeroDivisionError):
            condition.wait_for(lambda: 1 / 0)
        assert not is_free(condition)
    thread.join()
    assert is_free(condition)


def test_one_thread_waits_for_one_at_a_time(segment):
    """A predicate may use another condition: only a wait within a wait cannot be."""
    one, other = atoll.Condition(segment, "one"), atoll.Condition(segment, "other")
    with one, other:
        assert one.wait(0.01) is False and other.wait(0.01) is False
        assert one.wait_for(lambda: other.wait(0.01), timeout=0.05) is False
    assert is_free(one) and is_free(other)


def test_closed_ones_say_so(segment):
    condition = atoll.Condition(segment, "c")
    with condition:
        condition.close()
        assert "closed" in repr(condition)
        for use in (condition.wait, condition.notify, condition.notify_all):
            with pytest.raises(atoll.Closed, match="closed"):
                use()
    assert is_free(condition)


@with_locks(["its own", "Lock", "Semaphore"])
def test_pickles(segment, make_lock):
    for one in (atoll.Condition(segment, "c", make_lock(segment)), atoll.Condition()):
        other = pickle.loads(pickle.dumps(one))
        waiter = Waiter(one)
        with other:
            other.notify()
        waiter.thread.join()
        assert waiter.came == [(waiter, True)]


def test_a_lock_that_cannot_be_pickled():
    with pytest.raises(TypeError, match="pickle"):
        pickle.dumps(atoll.Condition(lock=threading.Lock()))


# --- processes -----------------------------------------------------------------------------------


def consume(condition, stock, taken, rounds):
    for _ in range(rounds):
        with condition:
            condition.wait_for(lambda: stock.value > 0)
            stock.sub(1)
        taken.add(1)


@METHODS
@with_locks(["its own", "Lock", "Semaphore"])
def test_producer_and_consumers(segment, method, make_lock):
    condition = atoll.Condition(segment, "c", make_lock(segment))
    stock, taken = atoll.Value(segment, "stock", "i64"), atoll.Value(segment, "taken", "i64")
    context = multiprocessing.get_context(method)
    arguments = (condition, stock, taken, 100)
    processes = [context.Process(target=consume, args=arguments) for _ in range(2)]
    for process in processes:
        process.start()
    for _ in range(200):
        with condition:
            stock.add(1)
            condition.notify()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert (stock.value, taken.value) == (0, 200)
    segment.verify()


def test_a_forked_child_waits_for_itself(segment):
    code = """
        condition = atoll.Condition(segment, "c")
        with condition:
            pid = os.fork()
            if pid == 0:
                try: condition.wait(0)
                except atoll.NotOwner: say("not held")
                os._exit(0)
            assert condition.wait(0.3) is False
            assert os.waitpid(pid, 0)[1] == 0
    """
    assert run(code, segment) == "not held\n"


WAITER = """
    condition = atoll.Condition(segment, "c")
    with condition:
        say("waiting")
        outcome = condition.wait()
    say(outcome)
"""


def waiting(segment, condition):
    child = Child(WAITER, segment)
    child.expect("waiting")
    with condition:  # free only when it waits
        pass
    return child


def test_a_notification_passes_over_the_dead(segment):
    condition = atoll.Condition(segment, "c")
    children = [waiting(segment, condition) for _ in range(4)]
    try:
        children[0].kill()
        children[2].kill()
        for number in (1, 3):
            with condition:
                condition.notify()
            children[number].expect("True")
    finally:
        for child in children:
            child.__exit__()
    with condition:
        condition.notify_all()
        assert condition.wait(0.01) is False
    segment.verify()


def test_a_waiter_that_dies_with_the_notification_passes_it_on(segment):
    """It is notified, and killed before it has the lock again."""
    condition = atoll.Condition(segment, "c")
    with waiting(segment, condition) as one, waiting(segment, condition) as two:
        with condition:
            condition.notify()
            one.kill()
        # It may have used it up before it died: then nobody else was meant.
        with condition:
            condition.notify()
        two.expect("True")
    segment.verify()


def test_the_death_of_a_holder_is_told_with_the_lock_held(segment):
    condition = atoll.Condition(segment, "c")
    code = """
        condition = atoll.Condition(segment, "c")
        with condition:
            condition.notify()
            say("in")
            hang()
    """
    with condition, Child(code, segment) as child:
        threads = started(lambda: (child.expect("in"), child.kill()))
        with pytest.raises(atoll.OwnerDied) as caught:
            condition.wait()
        threads[0].join()
        assert caught.value.pid == child.pid and not is_free(condition)
        lock = condition._lock
        assert lock.owner_died.pid == child.pid
        lock.mark_consistent()
        assert condition.wait(0.01) is False
    assert is_free(condition)
    with condition:
        pass
    segment.verify()


def test_killed_again_and_again_the_stock_is_right(segment):
    condition = atoll.Condition(segment, "c")
    stock = atoll.Value(segment, "stock", "i64")
    code = """
        condition, stock = atoll.Condition(segment, "c"), atoll.Value(segment, "stock")
        say("working")
        while True:
            try:
                with condition:
                    condition.wait_for(lambda: stock.value > 0)
                    stock.sub(1)
            except atoll.OwnerDied:
                with condition._lock.recovering(): condition._lock.mark_consistent()
    """
    for _ in range(15):
        with Child(code, segment) as one, Child(code, segment) as two:
            one.expect("working")
            two.expect("working")
            for victim in (one, two):
                with condition._lock.recovering():
                    condition._lock.mark_consistent()
                    stock.add(5)
                    condition.notify(5)
                deadline = time.monotonic() + 120
                while stock.value and victim is one:
                    assert two.process.poll() is None, two.process.stderr.read()
                    assert time.monotonic() < deadline
                    time.sleep(0.001)
                victim.kill()
    segment.verify()
