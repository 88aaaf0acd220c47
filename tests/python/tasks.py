"""Tasks of asyncio that wait for something, for the tests."""

import asyncio
import queue

import atoll
import pytest

SOON = 0.05


async def begun(*waits):
    """Tasks that wait by now."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    await asyncio.sleep(SOON)
    assert not any(task.done() for task in tasks)
    return tasks


async def done_of(tasks):
    """How many are done when nothing is under way any more."""
    await asyncio.sleep(2 * SOON)
    return sum(task.done() for task in tasks)


async def cancelled(*tasks):
    for task in tasks:
        task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes)


def waits(segment):
    """What ends each wait, and the wait."""
    event, latch = atoll.Event(segment), atoll.Latch(segment, count=1)
    plain, tracked = atoll.Semaphore(value=0), atoll.Semaphore(value=1, tracked=True)
    condition = atoll.Condition(segment)
    tracked.acquire()

    async def wait_for_condition(timeout=None):
        with condition:
            return await condition.wait_async(timeout)

    def notify():
        with condition:
            condition.notify()

    empty, full = atoll.Mpmc(type="i64", capacity=1), atoll.Fanin(type="i64", capacity=1)
    full.put(0)

    async def get(timeout=None):
        return await whether(empty.get_async(timeout))

    async def put(timeout=None):
        return await whether(full.put_async(1, timeout))

    return {
        "event": (event.set, event.wait_async),
        "latch": (latch.count_down, latch.wait_async),
        "semaphore": (plain.release, plain.acquire_async),
        "tracked": (tracked.release, tracked.acquire_async),
        "condition": (notify, wait_for_condition),
        "get": (lambda: empty.put(1), get),
        "put": (full.get, put),
    }


async def whether(call):
    """Whether a ring had it in time."""
    try:
        await call
    except (queue.Empty, queue.Full):
        return False
    return True


KINDS = pytest.mark.parametrize(
    "kind", ["event", "latch", "semaphore", "tracked", "condition", "get", "put"]
)
