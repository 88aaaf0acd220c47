"""Tasks of asyncio that wait for conditions: they hold the lock when they go on, and not before."""

import asyncio
import os
import threading

import atoll
import pytest
from tasks import SOON, begun, cancelled


@pytest.mark.parametrize(
    "make", [atoll.Lock, atoll.RLock, atoll.Semaphore, threading.Lock, threading.RLock]
)
def test_a_condition_lets_go_of_its_lock_and_takes_it_back(make):
    condition, box = atoll.Condition(lock=make()), []

    async def consume():
        with condition:
            while not box:
                assert await condition.wait_async(60)
            assert not is_free(condition)
            return box.pop()

    async def main():
        tasks = await begun(consume(), consume())
        for number in range(2):
            assert is_free(condition)
            with condition:
                box.append(number)
                condition.notify()
        assert sorted(await asyncio.gather(*tasks)) == [0, 1]
        assert is_free(condition)

    asyncio.run(main())


def is_free(condition):
    outcome = []

    def work():
        if condition.acquire(False):
            condition.release()
            outcome.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return bool(outcome)


@pytest.mark.parametrize("make", [atoll.RLock, threading.RLock])
def test_a_lock_held_three_times_is_so_again(make):
    condition = atoll.Condition(lock=make())

    async def main():
        with condition, condition:
            condition.acquire()
            assert await condition.wait_async(SOON) is False
            condition.release()
        assert is_free(condition)

    asyncio.run(main())


def test_only_with_the_lock_held():
    condition = atoll.Condition()

    async def main():
        with pytest.raises(atoll.NotOwner, match="not held"):
            await condition.wait_async()

    asyncio.run(main())


def test_who_is_cancelled_holds_the_lock_first():
    """Also if that takes long, and if he is cancelled again and again meanwhile."""
    condition, hold = atoll.Condition(), threading.Event()
    taken = threading.Event()
    seen = []

    def keep():
        with condition:
            taken.set()
            hold.wait()

    async def wait():
        with condition:
            try:
                await condition.wait_async()
            except asyncio.CancelledError:
                seen.append(is_free(condition))
                raise

    async def main():
        (task,) = await begun(wait())
        thread = threading.Thread(target=keep)
        thread.start()
        taken.wait()
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(SOON)
            assert not task.done()
        hold.set()
        await cancelled(task)
        thread.join()

    asyncio.run(main())
    assert seen == [False] and is_free(condition)


def test_a_task_that_is_thrown_away_holds_the_lock_first():
    condition, taken = atoll.Condition(), threading.Event()
    seen = []

    def keep():
        with condition:
            taken.set()
            threading.Event().wait(2 * SOON)

    async def wait():
        with condition:
            try:
                await condition.wait_async()
            finally:
                seen.append(is_free(condition))

    async def main():
        (task,) = await begun(wait())
        thread = threading.Thread(target=keep)
        thread.start()
        taken.wait()
        task.get_coro().close()
        thread.join()
        task.cancel()

    asyncio.run(main())
    assert seen == [False] and is_free(condition)


def test_the_lock_of_one_who_died():
    condition = atoll.Condition()
    lock = condition._lock

    async def main():
        with pytest.raises(atoll.OwnerDied):
            with condition:
                child = os.fork()
                if not child:
                    # Waits until the parent's task has let go, and dies with the lock.
                    lock.acquire()
                    condition.notify()
                    os._exit(0)
                assert await condition.wait_async(60)
        os.waitpid(child, 0)

    asyncio.run(main())
    with lock.recovering() as held:
        assert held.owner_died
        lock.mark_consistent()
