"""Rings between processes of every kind, and when these are killed."""

import multiprocessing
import os
import threading
import time

import atoll
import pytest
from support import Child, run, sleeps

METHODS = pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
BOTH = pytest.mark.parametrize("kind", [atoll.Spsc, atoll.Fanin])
ALL = pytest.mark.parametrize("kind", [atoll.Spsc, atoll.Fanin, atoll.Mpmc])


def relay(come, go):
    """The work of another process: what comes goes on, until nothing more comes."""
    try:
        while True:
            go.put(come.get())
    except atoll.Closed:
        go.shutdown()


@ALL
@METHODS
def test_children_of_multiprocessing(segment, kind, method):
    context = multiprocessing.get_context(method)
    for there, back in (
        (kind(segment, "there", "i64", 4), kind(segment, "back", "i64", 4)),
        (kind(type="i64", capacity=4), kind(type="i64", capacity=4)),  # by tickets
    ):
        child = context.Process(target=relay, args=(there, back))
        child.start()
        putter = threading.Thread(
            target=lambda: ([there.put(each) for each in range(200)], there.shutdown())
        )
        putter.start()
        assert [back.get() for _ in range(200)] == list(range(200))
        with pytest.raises(atoll.Closed):
            back.get()
        putter.join()
        child.join()
        assert child.exitcode == 0


def produce(ring, number):
    for each in range(100):
        ring.put(1000 * number + each)


@METHODS
@pytest.mark.parametrize("kind", [atoll.Fanin, atoll.Mpmc])
def test_many_producers(kind, method):
    ring = kind(type="i64", capacity=8, **({"lanes": 3} if kind is atoll.Fanin else {}))
    context = multiprocessing.get_context(method)
    children = [context.Process(target=produce, args=(ring, number)) for number in range(3)]
    for child in children:
        child.start()
    came = [ring.get() for _ in range(300)]
    for child in children:
        child.join()
    for number in range(3):
        own = [each for each in came if each // 1000 == number]
        assert own == list(range(1000 * number, 1000 * number + 100))
    assert len(ring) == 0


@BOTH
def test_a_forked_child_has_no_role_of_its_parent(segment, kind):
    ring = kind(segment, "r", "i64", 4)
    ring.put(1)
    assert ring.get() == 1
    child = os.fork()
    if not child:
        try:
            with pytest.raises(atoll.NotOwner):
                ring.get()
            if kind is atoll.Spsc:
                with pytest.raises(atoll.NotOwner):
                    ring.put(2)
            else:
                ring.put(2)
        except BaseException:
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    ring.put(3)
    assert ring.pop_n(4).tolist() in ([3], [2]) and segment.verify() is None


@ALL
def test_a_fork_of_one_whose_threads_wait(segment, kind):
    ring, other = kind(segment, "r", "i64", 4), kind(segment, "o", "i64", 4)
    came = []
    thread = threading.Thread(target=lambda: came.append(ring.get()))
    thread.start()
    time.sleep(0.15)
    child = os.fork()
    if not child:
        other.put(5)
        os._exit(0)
    os.waitpid(child, 0)
    assert other.get(timeout=60) == 5
    ring.put(6)
    thread.join()
    assert came == [6]


# --- deaths --------------------------------------------------------------------------------------


@BOTH
def test_who_takes_over_from_the_dead(segment, kind):
    ring = kind(segment, "r", "i64", 4, **({} if kind is atoll.Spsc else {"lanes": 1}))
    code = f"""
        ring = atoll.{kind.__name__}(segment, "r", create=False)
        ring.put(1)
        ring.put(2)
        with ring.claim() as places:  # and never puts it
            places[0] = 3
            say("claimed")
            hang()
    """
    with Child(code, segment) as child:
        child.expect("claimed")
        with pytest.raises((atoll.NotOwner, atoll.NoSpace)):
            ring.put(4)
        child.kill()
    ring.put(4)
    code = f"""
        ring = atoll.{kind.__name__}(segment, "r", create=False)
        assert ring.get() == 1
        with ring.peek(2) as records:
            assert records.tolist() == [2, 4]
            say("peeked")
            hang()
    """
    with Child(code, segment) as child:
        child.expect("peeked")
        with pytest.raises(atoll.NotOwner):
            ring.get()
        child.kill()
    assert [ring.get(), ring.get(), len(ring)] == [2, 4, 0]
    segment.verify()


@ALL
def test_the_dead_keep_nobody_waiting(segment, kind):
    """Who waits for something to get goes on waiting when its producer dies, and has it when
    another one puts."""
    ring = kind(segment, "r", "i64", 1)
    code = f"""
        ring = atoll.{kind.__name__}(segment, "r", create=False)
        ring.put(1)
        say("put")
        ring.put(2)  # waits for room
    """
    with Child(code, segment) as child:
        child.expect("put")
        while not sleeps(child.pid):
            time.sleep(0.001)
        child.kill()
    assert ring.get() == 1
    came = []
    thread = threading.Thread(target=lambda: came.append(ring.get()))
    thread.start()
    time.sleep(0.15)
    run(f"atoll.{kind.__name__}(segment, 'r', create=False).put(3)", segment)
    thread.join()
    assert came == [3]


def test_who_waits_to_put_a_long_message_sleeps(segment):
    """Though there is room, for a shorter one; and may be killed there."""
    ring = atoll.Mpmc(segment, "r", "bytes", 8)
    ring.put(bytes(200)), ring.put(bytes(100))
    code = """
        say("here")
        atoll.Mpmc(segment, "r").put(bytes(150))
        say("put")
    """
    with Child(code, segment) as one, Child(code, segment) as other:
        for child in (one, other):
            child.expect("here")
            time.sleep(0.1)
            while not sleeps(child.pid):
                time.sleep(0.001)
        one.kill()
        assert len(ring.get()) == 200
        other.expect("put")
    assert [len(ring.pop()), len(ring.pop())] == [100, 150]
    segment.verify()


@BOTH
def test_producers_killed_again_and_again(segment, kind):
    """What comes is what was put, in its order, each once: up to the last that was put."""
    ring = kind(segment, "r", "i64", 8)
    code = f"""
        ring = atoll.{kind.__name__}(segment, "r", create=False)
        number = int(input())
        while True:
            ring.put(number)
            number += 1
            with ring.claim(3, None) as places:
                for at in range(len(places)):
                    places[at] = number
                    number += 1
    """
    following = 0
    for _ in range(12):
        with Child(code, segment) as child:
            child.process.stdin.write(f"{following}\n")
            child.process.stdin.flush()
            for _ in range(50):
                assert ring.get(timeout=60) == following
                following += 1
            child.kill()
        while len(ring):
            assert ring.pop() == following
            following += 1
    segment.verify()


@BOTH
def test_consumers_killed_again_and_again(segment, kind):
    """Nothing that was put is lost but what the dead had got, and nothing comes twice."""
    ring = kind(segment, "r", "i64", 8)
    code = f"""
        ring = atoll.{kind.__name__}(segment, "r", create=False)
        say("here")
        while True:
            say(ring.get())
            with ring.peek(1, None) as records:
                number = records[0]
            say(number)
    """
    put, got = 0, []
    for _ in range(10):
        with Child(code, segment) as child:
            child.expect("here")
            for _ in range(60):
                ring.put(put, timeout=60)
                put += 1
            child.kill()
            got += [int(line) for line in child.process.stdout.read().split("\n")[:-1]]
    while len(ring):
        got.append(ring.pop())
    assert got == sorted(set(got)) and got[-1] < put
    assert put - len(got) <= 10  # one in the hand of each of the dead, who had not said it
    segment.verify()


@pytest.mark.parametrize("type, capacity", [("i64", 16), ("bytes", 64)])
def test_users_of_an_mpmc_killed_again_and_again(segment, type, capacity):
    """Each number comes at most once, and what is missing somebody had in the hand who died."""
    ring = atoll.Mpmc(segment, "r", type, capacity)
    record = "number" if type == "i64" else "str(number).ljust(number % 500).encode()"
    producer = f"""
        ring = atoll.Mpmc(segment, "r", create=False)
        number = int(input())
        say("here")
        while True:
            ring.put({record})
            number += 1
    """
    consumer = """
        ring = atoll.Mpmc(segment, "r", create=False)
        say("here")
        while True: say(int(ring.get()))
    """
    came, begun, rounds = [], 0, 8
    for _ in range(rounds):
        with Child(producer, segment) as one, Child(consumer, segment) as other:
            one.process.stdin.write(f"{begun}\n")
            one.process.stdin.flush()
            one.expect("here"), other.expect("here")
            came += [int(ring.get(timeout=60)) for _ in range(100)]
            other.kill()
            came += [int(ring.get(timeout=60)) for _ in range(100)]
            one.kill()
            came += [int(line) for line in other.process.stdout.read().split("\n")[:-1]]
        deadline = time.monotonic() + 60
        while len(ring) and time.monotonic() < deadline:
            try:
                came.append(int(ring.get(timeout=0.1)))
            except atoll.Empty:
                pass
        assert len(ring) == 0
        begun = max(came) + 2  # one may have been put and be in the hand of who died
    assert len(came) == len(set(came))
    missing = set(range(max(came) + 1)) - set(came)
    # Of each round one that was put when its getter died, and the one that was left out here.
    assert len(missing) <= 2 * rounds
    info = ring.info()
    assert info.length == 0
    segment.verify()
    for number in range(capacity):  # all places are there
        ring.push(number if type == "i64" else b"%d" % number)
    assert [int(ring.pop()) for _ in range(capacity)] == list(range(capacity))
