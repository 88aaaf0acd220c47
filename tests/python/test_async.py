"""Tasks of asyncio that wait: together on one object, in their order, and cancelled."""

import asyncio
import threading

import atoll
import pytest
from tasks import KINDS, SOON, begun, cancelled, done_of, waits


@KINDS
def test_a_wait_ends(segment, kind):
    end, wait = waits(segment)[kind]

    async def main():
        (task,) = await begun(wait())
        end()
        assert await task is True

    asyncio.run(main())


@KINDS
def test_by_another_thread(segment, kind):
    end, wait = waits(segment)[kind]

    async def main():
        timer = threading.Timer(SOON, end)
        timer.start()
        assert await wait() is True
        timer.join()

    asyncio.run(main())


@KINDS
def test_the_time_is_up(segment, kind):
    _, wait = waits(segment)[kind]

    async def main():
        for timeout in (0, -1, 0.01, 0.25):
            before = asyncio.get_running_loop().time()
            assert await wait(timeout) is False
            assert asyncio.get_running_loop().time() - before >= timeout - 0.001
        for wrong, error in (("1", TypeError), (float("nan"), ValueError)):
            with pytest.raises(error):
                await wait(wrong)

    asyncio.run(main())


@KINDS
def test_others_go_on_meanwhile(segment, kind):
    end, wait = waits(segment)[kind]

    async def main():
        (task,) = await begun(wait())
        turns = 0
        while turns < 100:
            await asyncio.sleep(0.001)
            turns += 1
        assert not task.done()
        end()
        assert await task

    asyncio.run(main())


@KINDS
def test_one_that_is_cancelled_has_nothing(segment, kind):
    end, wait = waits(segment)[kind]

    async def main():
        first, second = await begun(wait(), wait())
        end()
        await cancelled(first)  # woken, or about to be, in this very turn of the loop
        assert await asyncio.wait_for(second, 60) is True

    asyncio.run(main())


@pytest.mark.parametrize("tracked", [False, True])
def test_permits_stay_however_late_one_is_cancelled(segment, tracked):
    """So many turns of the loop after the release: before it was woken, just then, or when it
    has its permit."""
    semaphore = atoll.Semaphore(segment, value=2, tracked=tracked)

    def served(tasks):
        return sum(task.done() and not task.cancelled() for task in tasks)

    async def main():
        for turns in range(30):
            assert semaphore.acquire(False) and semaphore.acquire(False)
            tasks = await begun(*(semaphore.acquire_async() for _ in range(4)))
            semaphore.release(2)
            for _ in range(turns % 10):
                await asyncio.sleep(0)
            tasks[0].cancel(), tasks[1].cancel()
            while served(tasks) < 2:
                await asyncio.sleep(0.001)
            assert served(tasks) == 2 and semaphore.get_value() == 0
            await cancelled(*(task for task in tasks if not task.done()))
            semaphore.release(2)
            assert semaphore.get_value() == 2

    asyncio.run(main())


def test_tasks_get_permits_in_the_order_in_which_they_asked(segment):
    semaphore = atoll.Semaphore(segment, value=0)
    order = []

    async def work(number):
        await semaphore.acquire_async()
        order.append(number)

    async def main():
        tasks = await begun(*map(work, range(20)))
        for _ in range(4):
            semaphore.release(5)
            await asyncio.sleep(0.001)
        await asyncio.gather(*tasks)

    asyncio.run(main())
    assert order == list(range(20))


def test_who_releases_and_acquires_again_waits_behind_others(segment):
    semaphore = atoll.Semaphore(segment, value=1)

    async def main():
        await semaphore.acquire_async()
        (other,) = await begun(semaphore.acquire_async())
        semaphore.release()
        again = asyncio.ensure_future(semaphore.acquire_async())
        assert await other is True
        assert await done_of([again]) == 0
        semaphore.release()
        assert await again is True

    asyncio.run(main())


def test_all_who_wait_see_an_event_that_is_cleared_at_once(segment):
    event = atoll.Event(segment)

    async def main():
        for _ in range(20):
            tasks = [asyncio.ensure_future(event.wait_async()) for _ in range(10)]
            await asyncio.sleep(0.005)
            event.set()
            event.clear()
            assert await asyncio.wait_for(asyncio.gather(*tasks), 60) == [True] * 10
        assert await event.wait_async(SOON) is False

    asyncio.run(main())
