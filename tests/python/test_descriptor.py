"""Descriptors of what can be waited for, in everything that waits for descriptors."""

import asyncio
import multiprocessing
import multiprocessing.connection
import os
import select
import selectors
import threading
import time

import atoll
import pytest
from support import Child, path

METHODS = pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])


def polled(segment):
    """Each with what makes it ready, and what ends that."""
    event, latch = atoll.Event(segment), atoll.Latch(segment, count=1)
    plain = atoll.Semaphore(segment, value=0)
    tracked = atoll.Semaphore(segment, value=1, tracked=True)
    condition = atoll.Condition(segment)
    tracked.acquire()
    empty, full = atoll.Spsc(type="i64", capacity=1), atoll.Fanin(type="i64", capacity=1)
    many, filled = atoll.Mpmc(type="i64", capacity=1), atoll.Mpmc(type="i64", capacity=1)
    full.push(0), filled.push(0)

    def notify():
        with condition:
            condition.notify()

    return {
        "event": (event, event.set, event.clear),
        "latch": (latch, latch.count_down, None),
        "semaphore": (plain, plain.release, plain.acquire),
        "tracked": (tracked, tracked.release, tracked.acquire),
        "waiter": (condition.waiter(), notify, None),
        "readable": (empty.readable, lambda: empty.push(1), empty.pop),
        "writable": (full.writable, full.pop, lambda: full.push(1)),
        "getters": (many.readable, lambda: many.push(1), many.pop),
        "putters": (filled.writable, filled.pop, lambda: filled.push(1)),
    }


OBJECTS = ["event", "latch", "semaphore", "tracked", "waiter"]
KINDS = pytest.mark.parametrize("kind", [*OBJECTS, "readable", "writable", "getters", "putters"])


def wait_with_select(thing, timeout):
    return bool(select.select([thing], [], [], timeout)[0])


def wait_with_poll(thing, timeout):
    poll = select.poll()
    poll.register(thing, select.POLLIN)
    return bool(poll.poll(timeout * 1000))


def wait_with_epoll(thing, timeout):
    with select.epoll() as epoll:
        epoll.register(thing, select.EPOLLIN)
        return bool(epoll.poll(timeout))


def wait_with_selectors(thing, timeout):
    with selectors.DefaultSelector() as selector:
        selector.register(thing, selectors.EVENT_READ)
        return bool(selector.select(timeout))


def wait_with_multiprocessing(thing, timeout):
    return bool(multiprocessing.connection.wait([thing], timeout))


def wait_with_asyncio(thing, timeout):
    async def main():
        loop = asyncio.get_running_loop()
        ready = loop.create_future()
        loop.add_reader(thing.fileno(), lambda: ready.done() or ready.set_result(True))
        try:
            return await asyncio.wait_for(ready, timeout)
        except asyncio.TimeoutError:
            return False
        finally:
            loop.remove_reader(thing)

    return asyncio.run(main())


WAITS = [value for name, value in sorted(globals().items()) if name.startswith("wait_with_")]
IN_ALL = pytest.mark.parametrize("wait", WAITS, ids=lambda wait: wait.__name__[10:])


@IN_ALL
@KINDS
def test_it_is_readable_when_it_is_ready(segment, kind, wait):
    thing, make_ready, end = polled(segment)[kind]
    for _ in range(3):
        assert not wait(thing, 0.02)
        make_ready()
        assert wait(thing, 60) and wait(thing, 60)
        if end is None:
            break
        end()


@IN_ALL
@KINDS
def test_it_wakes_who_waits(segment, kind, wait):
    thing, make_ready, _ = polled(segment)[kind]
    timer = threading.Timer(0.05, make_ready)
    timer.start()
    assert wait(thing, 60)
    timer.join()


@KINDS
def test_it_stays_readable_until_it_is_asked_for(segment, kind):
    thing, make_ready, end = polled(segment)[kind]
    number = thing.fileno()
    make_ready()
    assert wait_with_poll(number, 60)
    if end is not None:
        end()
        assert wait_with_poll(number, 0)  # nobody has told it
        assert thing.fileno() == number
        assert not wait_with_poll(number, 0.02)


@pytest.mark.parametrize("kind", [*OBJECTS, "ring"])
def test_it_belongs_to_the_object(segment, kind):
    thing = owner = atoll.Spsc(segment, type="i64") if kind == "ring" else polled(segment)[kind][0]
    if kind == "ring":
        thing = owner.writable
    number = thing.fileno()
    assert os.fstat(number) and not os.get_inheritable(number)
    owner.close()
    with pytest.raises(OSError):
        os.fstat(number)
    with pytest.raises(atoll.Closed):
        thing.fileno()


def test_nothing_is_left_of_it(segment):
    directory = os.path.dirname(path(segment))
    before = set(os.listdir(directory))
    for thing in (polled(segment)[kind][0] for kind in OBJECTS):
        thing.fileno()
        assert set(os.listdir(directory)) - before
        thing.close()
        assert not set(os.listdir(directory)) - before


def test_where_nothing_may_be_written(segment):
    atoll.Event(segment, "e"), atoll.Latch(segment, "l", 1), atoll.Semaphore(segment, "s")
    with atoll.Segment(segment.name, readonly=True) as readonly:
        for kind in (atoll.Event, atoll.Latch):
            with pytest.raises(atoll.Permission):
                kind(readonly, kind.__name__[0].lower(), create=False).fileno()


def listen_in(event, done):
    """The work of another process."""
    assert wait_with_select(event, 60)
    done.set()


@METHODS
def test_in_children_of_multiprocessing(method):
    event, done = atoll.Event(), atoll.Event()
    event.fileno()  # the child has its own all the same
    context = multiprocessing.get_context(method)
    child = context.Process(target=listen_in, args=(event, done))
    child.start()
    time.sleep(0.1)
    assert not wait_with_select(done, 0)
    event.set()
    assert wait_with_select(done, 60) and wait_with_select(event, 60)
    child.join()
    assert child.exitcode == 0


def test_a_forked_child_leaves_its_parent_s_alone(segment):
    event = atoll.Event(segment)
    number = event.fileno()
    child = os.fork()
    if not child:
        event.fileno()
        event.close()
        os._exit(0)
    os.waitpid(child, 0)
    assert not wait_with_poll(number, 0.02)
    event.set()
    assert wait_with_poll(number, 60)


def test_the_end_of_a_listener_that_is_killed(segment):
    event, other = atoll.Event(segment, "e"), atoll.Event(segment, "other")
    code = """
        event = atoll.Event(segment, "e")
        event.fileno()
        say("listening")
        hang()
    """
    for _ in range(3):
        with Child(code, segment) as child:
            child.expect("listening")
            event.fileno()
            child.kill()
        event.set()
        assert wait_with_select(event, 60)
        event.clear()
        assert not wait_with_select(event, 0)
    assert not other.is_set()
