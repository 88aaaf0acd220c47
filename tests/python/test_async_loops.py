"""Loops in which tasks wait: what they look at, several, and what is closed meanwhile."""

import asyncio
import os
import threading

import atoll
import pytest
from atoll import _asyncio
from tasks import KINDS, SOON, begun, waits


def test_many_tasks_need_no_more_descriptors_than_one(segment):
    event = atoll.Event(segment)

    async def main():
        (first,) = await begun(event.wait_async())
        before = len(os.listdir("/proc/self/fd"))
        others = await begun(*(event.wait_async() for _ in range(200)))
        assert len(os.listdir("/proc/self/fd")) <= before
        event.set()
        assert all(await asyncio.gather(first, *others))

    asyncio.run(main())


@KINDS
def test_what_is_over_leaves_no_descriptors(segment, kind):
    """Neither waits nor loops add up."""

    async def main():
        end, wait = waits(segment)[kind]
        (task,) = await begun(wait())
        end()
        assert await task
        assert await wait(0.001) is (kind in ("event", "latch"))

    asyncio.run(main())
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        asyncio.run(main())
    assert len(os.listdir("/proc/self/fd")) <= before


@KINDS
def test_a_loop_looks_at_nothing_that_nobody_waits_for(segment, kind):
    end, wait = waits(segment)[kind]

    async def main():
        readers = asyncio.get_running_loop()._selector.get_map()
        before = len(readers)
        (task,) = await begun(wait())
        assert len(readers) == before + 1
        end()
        assert await task
        assert len(readers) == before

    asyncio.run(main())


def test_several_loops_in_threads(segment):
    """Each has a reader of its own: none takes the ring from another."""
    event, semaphore = atoll.Event(segment), atoll.Semaphore(segment, value=0)
    inside, outcomes = threading.Barrier(5), []

    async def main():
        for _ in range(20):
            task = asyncio.ensure_future(event.wait_async(60))
            await asyncio.sleep(0.002)
            await asyncio.get_running_loop().run_in_executor(None, inside.wait)  # all wait
            outcomes.append(await task)
            outcomes.append(await semaphore.acquire_async(60))

    threads = [threading.Thread(target=asyncio.run, args=(main(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        inside.wait()
        event.set()
        event.clear()
        semaphore.release(4)
    for thread in threads:
        thread.join()
    assert outcomes == [True] * 160 and semaphore.get_value() == 0


def test_the_object_is_closed_while_tasks_wait(segment):
    for thing in (atoll.Event(segment), atoll.Latch(segment, count=1), atoll.Semaphore(value=0)):
        wait = thing.acquire_async if isinstance(thing, atoll.Semaphore) else thing.wait_async

        async def main():
            tasks = await begun(wait(), wait())
            threading.Timer(SOON, thing.close).start()
            for task in tasks:
                with pytest.raises(atoll.Closed):
                    await task
            with pytest.raises(atoll.Closed):
                await wait()

        asyncio.run(main())


def test_it_is_closed_after_a_task_has_looked(segment):
    """... and before that waits again."""
    event = atoll.Event(segment)

    def look():
        is_set = event.is_set()
        event.close()
        return is_set

    async def main():
        listener = _asyncio.listener_for(event)
        (task,) = await begun(listener.until(look, None))
        listener._rung()
        with pytest.raises(atoll.Closed):
            await asyncio.wait_for(task, 60)

    asyncio.run(main())


def test_who_is_woken_by_a_close_finds_it_closed(segment, monkeypatch):
    event, semaphore = atoll.Event(segment), atoll.Semaphore(segment, value=0)
    looked = []

    def look(thing):
        with pytest.raises(atoll.Closed):
            thing.is_set() if thing is event else thing.acquire(False)
        looked.append(thing)

    async def main():
        for thing in (event, semaphore):
            _asyncio.listener_for(thing)
            monkeypatch.setattr(_asyncio, "end_all", look)
            thing.close()

    asyncio.run(main())
    assert looked == [event, semaphore]


def test_the_loop_is_closed_while_a_task_waits(segment):
    event, condition = atoll.Event(segment), atoll.Condition(segment)

    async def wait():
        with condition:
            await condition.wait_async()

    loop = asyncio.new_event_loop()
    tasks = [loop.create_task(event.wait_async()), loop.create_task(wait())]
    loop.run_until_complete(asyncio.sleep(SOON))
    loop.close()
    for task in tasks:
        task._log_destroy_pending = False
    del tasks, task
    event.set()
    assert condition.acquire(False)
    condition.release()

    async def main():
        assert await event.wait_async()
        event.clear()
        assert await event.wait_async(SOON) is False

    asyncio.run(main())


def test_a_loop_that_cannot_watch_descriptors(segment, monkeypatch):
    def add_reader(*_):
        raise NotImplementedError

    event = atoll.Event(segment)

    async def main():
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "add_reader", add_reader, raising=False)
        for _ in range(2):
            with pytest.raises(atoll.WrongKind, match="add_reader.*to_thread"):
                await event.wait_async()

    asyncio.run(main())


def test_without_a_loop(segment):
    wait = atoll.Event(segment).wait_async()
    with pytest.raises(RuntimeError, match="event loop"):
        wait.send(None)


def test_loops_of_several_threads_that_wait_first(segment, monkeypatch):
    """They share a table, whoever makes it: all are woken when the object is closed."""
    both_make, make = threading.Barrier(2), _asyncio.WeakKeyDictionary

    def made_slowly():
        try:
            both_make.wait(0.2)
        except threading.BrokenBarrierError:
            pass  # the other one waits until it is made
        return make()

    monkeypatch.setattr(_asyncio, "WeakKeyDictionary", made_slowly)
    event, both_wait, outcomes = atoll.Event(segment), threading.Barrier(3), []

    async def main():
        (task,) = await begun(event.wait_async(20))
        await asyncio.get_running_loop().run_in_executor(None, both_wait.wait)
        try:
            outcomes.append(await task)
        except atoll.Closed:
            outcomes.append("closed")

    threads = [threading.Thread(target=asyncio.run, args=(main(),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    both_wait.wait()
    listeners = len(event._listeners)
    event.close()
    for thread in threads:
        thread.join()
    assert listeners == 2 and outcomes == ["closed"] * 2


@pytest.fixture
def use():
    """Has the program use a number for something else, which was a descriptor of the library's."""
    used = []

    def use(number):
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, number)
        os.close(null)
        used.append(number)

    yield use
    for number in used:
        os.close(number)


def number_of(thing):
    """The descriptor that the running loop looks at."""
    return thing._listeners[asyncio.get_running_loop()]._descriptor


def test_a_descriptor_that_was_closed_when_another_task_comes(segment, use):
    """The loop looks at the new one, and has forgotten the old, which it may be given."""
    event = atoll.Event(segment)

    async def main():
        readers = asyncio.get_running_loop()._selector.get_map()
        before = len(readers)
        tasks = await begun(event.wait_async())
        former = number_of(event)
        use(former)
        tasks += await begun(event.wait_async())
        assert number_of(event) != former
        assert former not in readers and len(readers) == before + 1
        event.set()
        assert await asyncio.gather(*tasks) == [True, True]

    asyncio.run(main())


def test_a_descriptor_that_was_closed_when_it_has_just_rung(segment, use):
    """Whoever is not woken by that ring waits for the next one, at the new descriptor."""
    semaphore = atoll.Semaphore(segment, value=0)

    async def main():
        tasks = await begun(semaphore.acquire_async(60), semaphore.acquire_async(60))
        former = number_of(semaphore)
        semaphore.release()
        # The loop has seen the ring when it comes to this, and not yet passed it on.
        asyncio.get_running_loop().call_soon(use, former)
        assert await tasks[0] is True
        assert number_of(semaphore) != former
        semaphore.release()
        assert await tasks[1] is True

    asyncio.run(main())


def test_who_waits_for_room_waits_for_that_in_its_own_lane(segment, monkeypatch):
    """There is room in the other, which is no reason to look again and again."""
    rings, ring = [], _asyncio.Listener._rung
    monkeypatch.setattr(
        _asyncio.Listener, "_rung", lambda listener: (rings.append(1), ring(listener))
    )
    consumer = atoll.Fanin(segment, "f", "i64", 1, lanes=2)
    other, mine = atoll.Fanin(segment, "f"), atoll.Fanin(segment, "f")
    other.put(1)
    mine.put(2)
    full = {1: mine, 2: other}[consumer.pop()]

    async def main():
        (task,) = await begun(full.put_async(3))
        await asyncio.sleep(4 * SOON)
        assert len(rings) < 5
        consumer.pop()
        await asyncio.wait_for(task, 60)

    asyncio.run(main())
    assert consumer.get() == 3
