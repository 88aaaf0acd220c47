"""Tasks of asyncio that wait: together on one object, cancelled, in several loops, and for others
that are killed."""

import asyncio
import os
import threading

import atoll
import pytest
from support import Child

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

    return {
        "event": (event.set, event.wait_async),
        "latch": (latch.count_down, latch.wait_async),
        "semaphore": (plain.release, plain.acquire_async),
        "tracked": (tracked.release, tracked.acquire_async),
        "condition": (notify, wait_for_condition),
    }


KINDS = pytest.mark.parametrize("kind", ["event", "latch", "semaphore", "tracked", "condition"])


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


# --- conditions ----------------------------------------------------------------------------------


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


# --- with other processes ------------------------------------------------------------------------


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
