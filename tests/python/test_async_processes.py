"""Tasks of asyncio that wait for other processes, which are killed, and forked."""

import asyncio
import os

import atoll
from support import Child
from tasks import SOON, begun


def test_a_process_is_woken_and_wakes(segment):
    there, back = atoll.Event(segment, "there"), atoll.Semaphore(segment, "back", 0)
    code = """
        there, back = atoll.Event(segment, "there"), atoll.Semaphore(segment, "back")
        for _ in range(200):
            there.wait()
            there.clear()
            back.release()
    """

    async def main():
        for _ in range(200):
            there.set()
            assert await back.acquire_async(60)

    with Child(code, segment) as child:
        asyncio.run(main())
        child.finish()


def test_holders_of_permits_are_killed(segment):
    semaphore = atoll.Semaphore(segment, "s", 2, tracked=True)
    code = """
        semaphore = atoll.Semaphore(segment, "s", create=False)
        semaphore.acquire(), semaphore.acquire()
        say("mine")
        hang()
    """

    async def main():
        for _ in range(5):
            with Child(code, segment) as child:
                child.expect("mine")
                tasks = await begun(semaphore.acquire_async(), semaphore.acquire_async())
                child.kill()
                assert await asyncio.gather(*tasks) == [True, True]
                semaphore.release(2)

    asyncio.run(main())


def test_who_waits_for_the_same_is_killed(segment):
    """The rings and permits of the dead are those of the living."""
    event, semaphore = atoll.Event(segment, "e"), atoll.Semaphore(segment, "s", 0)
    code = """
        import asyncio
        event, semaphore = atoll.Event(segment, "e"), atoll.Semaphore(segment, "s", create=False)
        async def main():
            tasks = [asyncio.ensure_future(event.wait_async()) for _ in range(5)]
            tasks.append(asyncio.ensure_future(semaphore.acquire_async()))
            await asyncio.sleep(0.05)
            say("waiting")
            await asyncio.gather(*tasks)
        asyncio.run(main())
    """

    async def main():
        for _ in range(3):
            with Child(code, segment) as child:
                child.expect("waiting")
                tasks = await begun(event.wait_async(), semaphore.acquire_async())
                child.kill()
                event.set()
                semaphore.release()
                assert await asyncio.gather(*tasks) == [True, True]
                event.clear()

    asyncio.run(main())


def test_setters_are_killed_at_any_moment(segment):
    """None who has set it leaves a task asleep beside an event that is set."""
    event = atoll.Event(segment, "e")
    code = """
        event = atoll.Event(segment, "e")
        say("ready")
        while True:
            event.set()
            event.clear()
    """

    async def main():
        for number in range(15):
            with Child(code, segment) as child:
                child.expect("ready")
                for _ in range(number):
                    assert await event.wait_async(60)
                child.kill()
            if event.is_set():
                assert await event.wait_async(60)
                event.clear()

    asyncio.run(main())


def test_a_fork_of_one_that_listens(segment):
    """The child listens for itself, and its end leaves its parent's reader alone."""
    event, done = atoll.Event(segment), atoll.Event(segment)

    async def other():
        assert await event.wait_async(60)
        done.set()

    async def main():
        (task,) = await begun(event.wait_async())
        child = os.fork()
        if not child:
            asyncio._set_running_loop(None)
            asyncio.run(other())
            task.get_coro().close()  # as the end of an interpreter may
            event.close()
            os._exit(0)
        await asyncio.sleep(4 * SOON)
        assert not task.done()
        event.set()
        assert await task
        assert await done.wait_async(60)
        assert os.waitpid(child, 0)[1] == 0

    asyncio.run(main())
