"""What keeps the mapping, what lets it go, and that no order of clean-up is harmful."""

import gc
import itertools
import os
import threading

import atoll
import pytest
from support import is_mapped, path, run


def test_every_order_of_closing(name):
    for order in itertools.permutations(range(5)):
        segment = atoll.Segment(name, create="open", size=1 << 20)
        inode = os.stat(path(segment)).st_ino
        things = [
            segment,
            atoll.Lock(segment, "l"),
            atoll.RLock(segment, "r"),
            atoll.Value(segment, "v", "i64"),
            atoll.Array(segment, "a", "i64", 4),
        ]
        view = things[4].view()
        for index in order:
            assert is_mapped(inode)
            things[index].close()
        view[0] = 1
        del segment, things, view
        assert not is_mapped(inode)


def test_dropping_the_last_reference_closes(segment):
    inode = os.stat(path(segment)).st_ino
    array = atoll.Array(segment, "a", "i64", 4)
    view = array[1:3]
    segment.close()
    del array
    assert is_mapped(inode)
    view[0] = 1
    del view
    assert not is_mapped(inode)


@pytest.mark.parametrize(
    "use", ["view[3]", "array[3]", "value.value", "value.add(0)", "lock.locked()"]
)
def test_the_collector_finalises_in_any_order(segment, use):
    """A member of a dead cycle may look at shared memory in its `__del__`."""
    code = f"""
        import gc
        class Node:
            def __init__(self, *parts):
                self.itself, self.parts = self, parts
            def __del__(self):
                lock, value, array, view = self.parts
                {use}
                counts.append(1)
        def make():
            # The parts are older than the node, so the collector comes to them first.
            array = atoll.Array(segment, None, "i64", 1000)
            parts = atoll.Lock(segment), atoll.Value(segment, None, "i64"), array, array.view()
            return Node(*parts)
        counts = []
        gc.disable()
        nodes = [make() for _ in range(20)]
        for node, other in zip(nodes, nodes[1:]): node.other = other
        segment.close()
        del nodes, node, other
        gc.collect()
        say(len(counts))
    """
    assert run(code, segment) == "20\n"


def test_a_resurrected_view_is_good(segment):
    code = """
        import gc
        class Node:
            def __init__(self):
                self.itself, self.view = self, atoll.Array(segment, "a", "i64", 10).view()
            def __del__(self):
                saved.append(self.view)
        saved = []
        Node()
        segment.close()
        gc.collect()
        saved[0][3] = 4
        say(saved[0].tolist()[3])
    """
    assert run(code, segment) == "4\n"


def test_what_is_alive_at_exit_makes_no_noise(segment):
    code = """
        import atexit, threading
        lock, value = atoll.Lock(segment, "l"), atoll.Value(segment, "v", "i64")
        array = atoll.Array(segment, "a", "i64", 10)
        view = array.view()
        class Late:
            def __del__(self, view=view, lock=lock, value=value):
                view[0]
                value.add(1)
                with lock: pass
        late = Late()
        sys.modules["late"] = late
        late.itself = late
        atexit.register(lambda: value.add(1))
        def wait(): atoll.Lock(segment, "held").acquire(timeout=600)
        atoll.Lock(segment, "held").acquire()
        threading.Thread(target=wait, daemon=True).start()
        time.sleep(0.1)
    """
    assert run(code, segment) == ""


def test_close_while_another_thread_waits(segment):
    lock, mine = atoll.Lock(segment, "l"), atoll.Lock(segment, "l")
    outcome = []

    def wait():
        try:
            outcome.append(lock.acquire())
        except atoll.Closed as error:
            outcome.append(error)

    with mine:
        thread = threading.Thread(target=wait)
        thread.start()
        thread.join(0.05)
        lock.close()
        segment.close()
        thread.join(0.3)
    thread.join()
    # It got the lock in the slice that ran, or was told at the next.
    assert outcome[0] is True or isinstance(outcome[0], atoll.Closed)


def test_a_closed_lock_is_closed_whatever_is_kept_of_its_errors(segment):
    lock, other = atoll.Lock(segment, "l"), atoll.Lock(segment, "l")
    with lock, pytest.raises(atoll.Deadlock) as kept, lock:
        pass
    with other:
        lock.close()
        for use in (lock.__enter__, lock.release, lambda: lock.__exit__(None, None, None)):
            with pytest.raises(atoll.Closed):
                use()
    assert kept.value.__traceback__ is not None


def test_failures_make_no_object_of_a_users_class(segment):
    class Guard(atoll.Lock):
        def __new__(cls, *, name):
            made.append(name)
            return super().__new__(cls)

        def __init__(self, *, name):
            super().__init__(segment, name)

        def __del__(self):
            made.append("gone")

    made = []
    lock = Guard(name="l")
    for use in (lock.release, lambda: lock.__exit__(None, None, None)):
        with pytest.raises(atoll.NotOwner):
            use()
    with lock, pytest.raises(atoll.Deadlock), lock:
        pass
    assert made == ["l"]


def test_a_with_block_keeps_what_closes_itself(segment):
    class Closing(atoll.Lock):
        def __del__(self):
            closed.append(self.locked())
            self.close()

    closed = []
    with Closing(segment, "l"):
        assert not closed
        assert atoll.Lock(segment, "l").locked()
    assert closed == [False]


def test_many_objects_come_and_go(segment):
    inode = os.stat(path(segment)).st_ino
    atoll.Value(segment, "v", "i64")
    atoll.Array(segment, "a", "i64", 3)
    for _ in range(5000):
        atoll.Value(segment, "v").close()
        atoll.Array(segment, "a").view()
        atoll.Lock(segment, "l")
    segment.close()
    gc.collect()
    assert not is_mapped(inode)


def test_threads_that_open_and_close_at_once(segment):
    errors = []

    def churn(number):
        try:
            for _ in range(200):
                with atoll.Segment(segment.name) as mine:
                    with atoll.Lock(mine, "l"):
                        atoll.Value(mine, f"v{number}", "i64").add(1)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=churn, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert [atoll.Value(segment, f"v{number}").value for number in range(4)] == [200] * 4
    segment.verify()
