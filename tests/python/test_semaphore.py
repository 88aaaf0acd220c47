"""Semaphores: plain, bounded and tracked ones."""

import multiprocessing
import os
import pickle
import threading
import time

import atoll
import pytest
from support import Child, run

METHODS = pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])


def plain(segment, name="s", value=1):
    return atoll.Semaphore(segment, name, value)


def bounded(segment, name="s", value=1):
    return atoll.BoundedSemaphore(segment, name, value)


def tracked(segment, name="s", value=1):
    return atoll.Semaphore(segment, name, value, tracked=True)


ALL = pytest.mark.parametrize("make", [plain, bounded, tracked])
WITH_A_BOUND = pytest.mark.parametrize("make", [bounded, tracked])


@ALL
def test_acquire_and_release(segment, make):
    semaphore = make(segment, value=2)
    assert semaphore.get_value() == 2 and not semaphore.locked()
    assert semaphore.acquire() is True
    with semaphore as entered:
        assert entered is True and semaphore.get_value() == 0 and semaphore.locked()
        assert semaphore.acquire(False) is False
    assert semaphore.get_value() == 1
    assert semaphore.release() is None
    assert semaphore.get_value() == 2
    with pytest.raises(KeyError), semaphore:
        raise KeyError
    assert semaphore.get_value() == 2


@ALL
@pytest.mark.parametrize(
    "how", [dict(block=False), dict(timeout=0), dict(timeout=-1), dict(block=False, timeout=60)]
)
def test_to_try_once(segment, make, how):
    semaphore = make(segment)
    assert semaphore.acquire(**how) is True
    assert semaphore.acquire(**how) is False
    semaphore.release()


@ALL
def test_a_timeout_is_waited_out(segment, make):
    semaphore = make(segment)
    semaphore.acquire()
    for timeout in (0.05, 0.25):
        before = time.monotonic()
        assert semaphore.acquire(timeout=timeout) is False
        assert time.monotonic() - before >= timeout
    semaphore.release()
    assert semaphore.acquire(True, 1e300) is True
    with pytest.raises(TypeError):
        semaphore.acquire(timeout="1")
    semaphore.release()
    assert semaphore.get_value() == 1


@ALL
def test_who_waits_goes_on_when_one_is_released(segment, make):
    semaphore = make(segment)
    semaphore.acquire()
    came = []
    threads = [threading.Thread(target=lambda: came.append(semaphore.acquire())) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    for number in range(3):
        assert len(came) == number
        semaphore.release()
        while len(came) == number:
            time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert semaphore.get_value() == 0


def test_several_at_once(segment):
    semaphore = plain(segment, value=0)
    semaphore.release(5)
    assert semaphore.get_value() == 5
    semaphore.release(n=2)
    assert semaphore.get_value() == 7
    came = []
    threads = [threading.Thread(target=lambda: came.append(semaphore.acquire())) for _ in range(10)]
    for thread in threads:
        thread.start()
    while len(came) < 7:
        time.sleep(0.001)
    time.sleep(0.1)
    assert len(came) == 7
    semaphore.release(3)
    for thread in threads:
        thread.join()
    assert semaphore.get_value() == 0


@ALL
@pytest.mark.parametrize("n, error", [(0, ValueError), (-1, ValueError), (1.5, TypeError), ("1", TypeError),
                                      (None, TypeError), (1 << 32, ValueError), (1 << 70, ValueError)])  # fmt: skip
def test_what_cannot_be_released(segment, make, n, error):
    semaphore = make(segment)
    semaphore.acquire()
    with pytest.raises(error):
        semaphore.release(n)
    with pytest.raises(TypeError):
        semaphore.release(1, 2)
    with pytest.raises(TypeError):
        semaphore.release(m=1)
    assert semaphore.get_value() == 0


@WITH_A_BOUND
def test_to_release_too_much(segment, make):
    semaphore = make(segment, value=3)
    for release in (semaphore.release, lambda: semaphore.release(2)):
        with pytest.raises(ValueError) as caught:
            release()
        assert isinstance(caught.value, atoll.Full) and len(str(caught.value)) > 15
    semaphore.acquire()
    with pytest.raises(atoll.Full):
        semaphore.release(2)
    semaphore.release()
    assert semaphore.get_value() == 3 and "3 of 3 free" in repr(semaphore)
    with pytest.raises(atoll.Full), semaphore:
        semaphore.release()


def test_no_semaphore_has_more_than_its_type_can_count(segment):
    semaphore = plain(segment, value=2**31 - 1)
    with pytest.raises(ValueError):
        semaphore.release()
    semaphore.acquire()
    semaphore.release()
    assert semaphore.get_value() == 2**31 - 1


@ALL
@pytest.mark.parametrize(
    "value, error",
    [(-1, ValueError), (1 << 31, ValueError), (1.5, TypeError), ("3", TypeError), (None, TypeError)],
)
def test_values_that_cannot_be(segment, make, value, error):
    with pytest.raises(error):
        make(segment, value=value)
    assert not segment.list()


@pytest.mark.parametrize("make, value", [(bounded, 0), (tracked, 0), (tracked, 4097)])
def test_values_that_these_cannot_have(segment, make, value):
    with pytest.raises(ValueError):
        make(segment, value=value)
    assert not segment.list()


def test_to_open_what_is_there(segment):
    assert plain(segment, "p", 3).get_value() == 3
    assert plain(segment, "p", 7).get_value() == 3
    assert atoll.Semaphore(segment, "p", create=False).get_value() == 3
    with pytest.raises(atoll.WrongKind):
        atoll.BoundedSemaphore(segment, "p", 3)
    with pytest.raises(atoll.WrongKind, match="no bound"):
        atoll.BoundedSemaphore(segment, "p", create=False)
    with pytest.raises(atoll.WrongKind):
        atoll.Semaphore(segment, "p", tracked=True, create=False)
    bounded(segment, "b", 3)
    assert atoll.BoundedSemaphore(segment, "b", create=False).get_value() == 3
    for other in (plain(segment, "b"), atoll.Semaphore(segment, "b", create=False)):
        with pytest.raises(ValueError):
            other.release()
    with pytest.raises(atoll.WrongKind):
        bounded(segment, "b", 4)
    tracked(segment, "t", 3)
    for again in (atoll.Semaphore(segment, "t", create=False), tracked(segment, "t", 3)):
        assert again.get_value() == 3 and "tracked" in repr(again)
    with pytest.raises(atoll.WrongKind):
        plain(segment, "t")
    atoll.Lock(segment, "l")
    for create in (False, "open"):
        with pytest.raises(atoll.WrongKind):
            atoll.Semaphore(segment, "l", create=create)


@ALL
def test_pickles(segment, make):
    for one in (make(segment, value=2), make(None, None, 2)):
        other = pickle.loads(pickle.dumps(one))
        assert type(other) is type(one)
        with one:
            assert other.get_value() == 1
        assert other.get_value() == 2


@ALL
def test_closed_ones_say_so(segment, make):
    semaphore = make(segment)
    semaphore.close()
    semaphore.close()
    assert "closed" in repr(semaphore)
    uses = [
        semaphore.acquire, semaphore.release, semaphore.__enter__, semaphore.get_value,
        semaphore.locked, lambda: semaphore.release(2), lambda: semaphore.acquire(timeout=1),
        lambda: semaphore.__exit__(None, None, None),
    ]  # fmt: skip
    for use in uses:
        with pytest.raises(atoll.Closed, match="closed"):
            use()


def work(semaphore, inside, most, rounds):
    for _ in range(rounds):
        with semaphore:
            most.max(inside.add(1) + 1)
            inside.sub(1)


@ALL
@METHODS
def test_never_more_than_there_are_permits(segment, make, method):
    semaphore = make(segment, value=2)
    inside, most = atoll.Value(segment, "inside", "i64"), atoll.Value(segment, "most", "i64")
    context = multiprocessing.get_context(method)
    processes = [
        context.Process(target=work, args=(semaphore, inside, most, 200)) for _ in range(3)
    ]
    for process in processes:
        process.start()
    work(semaphore, inside, most, 200)
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert 1 <= most.value <= 2 and inside.value == 0 and semaphore.get_value() == 2
    segment.verify()


# --- deaths --------------------------------------------------------------------------------------

HOLDER = """
    semaphore = atoll.Semaphore(segment, "s", create=False)
    for _ in range({permits}): semaphore.acquire()
    say("in")
    hang()
"""


def test_what_a_dead_process_held_of_a_plain_one_is_lost(segment):
    semaphore = plain(segment, value=2)
    with Child(HOLDER.format(permits=1), segment) as child:
        child.expect("in")
        child.kill()
    assert semaphore.get_value() == 1
    segment.verify()


def test_what_a_dead_process_held_of_a_tracked_one_is_free(segment):
    semaphore = tracked(segment, value=3)
    with semaphore:
        with Child(HOLDER.format(permits=2), segment) as child:
            child.expect("in")
            assert semaphore.get_value() == 0 and semaphore.acquire(False) is False
            child.kill()
        assert semaphore.get_value() == 2
        assert semaphore.acquire(False) and semaphore.acquire(False)
        assert semaphore.acquire(False) is False
        semaphore.release(2)
    with pytest.raises(atoll.Full):
        semaphore.release()
    segment.verify()


@pytest.mark.parametrize("end", ["child.kill()", "os._exit(0)", "sys.exit(0)"])
def test_who_waits_gets_what_the_dead_held(segment, end):
    """Both permits are free at once: each of two who wait gets one."""
    semaphore = tracked(segment, value=2)
    came = []
    ending = "hang()" if "kill" in end else f"input(); {end}"
    code = f"""
        semaphore = atoll.Semaphore(segment, "s", create=False)
        semaphore.acquire(); semaphore.acquire()
        say("in")
        {ending}
    """
    with Child(code, segment) as child:
        child.expect("in")
        threads = [threading.Thread(target=lambda: came.append(semaphore.acquire())) for _ in "ab"]
        for thread in threads:
            thread.start()
        time.sleep(0.25)
        assert not came
        child.kill() if "kill" in end else child.tell()
        for thread in threads:
            thread.join()
    assert came == [True, True] and semaphore.get_value() == 0


def test_a_dead_worker_of_multiprocessing_gives_back(segment):
    semaphore = tracked(None, None, 1)
    process = multiprocessing.get_context("fork").Process(target=take_and_die, args=(semaphore,))
    process.start()
    process.join()
    assert semaphore.acquire(timeout=60) is True


def take_and_die(semaphore):
    semaphore.acquire()
    os._exit(1)


@ALL
def test_waiters_that_are_killed_take_nothing_along(segment, make):
    semaphore = make(segment)
    semaphore.acquire()
    code = """
        say("waiting")
        atoll.Semaphore(segment, "s", create=False).acquire()
        say("in")
        hang()
    """
    with Child(code, segment) as one, Child(code, segment) as two, Child(code, segment) as three:
        for child in (one, two, three):
            child.expect("waiting")
        time.sleep(0.2)
        one.kill()
        two.kill()
        semaphore.release()
        three.expect("in")
    assert semaphore.get_value() == (1 if make is tracked else 0)
    segment.verify()


def test_killed_again_and_again_the_permits_come_back(segment):
    semaphore = tracked(segment, value=2)
    code = """
        semaphore = atoll.Semaphore(segment, "s", create=False)
        say("working")
        while True:
            with semaphore: pass
    """
    for _ in range(15):
        with Child(code, segment) as one, Child(code, segment) as two, Child(code, segment) as three:
            for child in (one, two, three):
                child.expect("working")
            time.sleep(0.01)
            one.kill()
            time.sleep(0.01)
            two.kill()
            with semaphore:
                pass
            three.kill()
        assert semaphore.get_value() == 2
    segment.verify()
    assert run("print(atoll.Semaphore(segment, 's', create=False).acquire())", segment) == "True\n"
