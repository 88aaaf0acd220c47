"""Objects of the accelerator: as classes, and what they leave when they go."""

import contextlib
import ctypes
import gc
import inspect
import sys
import threading
import weakref

import atoll
import pytest
from accelerated import needed, outcome
from atoll import _event, _lock, _ring, _semaphore, _value


@needed
def test_a_with_statement_may_hold_all_there_is_of_a_lock(segment):
    """All that stays of it is its `__exit__`, and that is enough to go on and to complain."""
    with atoll.Lock(segment, "l"):
        assert atoll.Lock(segment, "l").locked()
    with pytest.raises(atoll.NotOwner), atoll.Lock(segment, "l"):
        atoll.Lock(segment, "l").release()
    thread = threading.Thread(target=atoll.Lock(segment, "l").acquire)
    thread.start()
    thread.join()
    with pytest.raises(atoll.OwnerDied, match="Lock 'l'"):
        with atoll.Lock(segment, "l"):
            pass
    assert not atoll.Lock(segment, "l").locked()
    enter = atoll.Lock(segment, "l").__enter__
    lock = atoll.Lock(segment, "l")
    with lock.recovering():
        lock.mark_consistent()
    assert enter() is True and lock.locked()
    with pytest.raises(atoll.Deadlock):
        enter()
    lock.release()


def test_subclasses_may_have_methods_of_their_own(segment):
    class Loud(atoll.Lock):
        def __enter__(self):
            said.append("in")
            return super().__enter__()

        def __exit__(self, *error):
            said.append("out")
            return super().__exit__(*error)

        def release(self):
            said.append("release")
            super().release()

    class Louder(Loud):
        pass

    class Twice(atoll.Value):
        def add(self, operand):
            return super().add(operand) + super().add(operand)

        @property
        def value(self):
            return super().value * 10

    class FromOne(atoll.Array):
        def __getitem__(self, key):
            return super().__getitem__(key - 1)

    said = []
    for kind in (Loud, Louder):
        lock = kind(segment, "l")
        with lock:
            assert lock.locked()
        lock.acquire()
        lock.release()
        lock.note = "they may have attributes, too"
        assert weakref.ref(lock)() is lock
    assert said == ["in", "out", "release"] * 2 and not lock.locked()
    assert Twice(segment, "v", "i64", 3).add(4) == 3 + 7 and atoll.Value(segment, "v").value == 11
    assert Twice(segment, "v").value == 110
    array = FromOne(segment, "a", "i64", 3)
    array[0] = 5
    assert array[1] == 5


@pytest.mark.parametrize("kind", [atoll.Lock, atoll.RLock, atoll.Value, atoll.Array])
def test_methods_can_be_had_from_the_class(segment, kind):
    with contextlib.ExitStack() as stack:
        arguments = {atoll.Value: ["i64"], atoll.Array: ["i64", 3]}.get(kind, [])
        stack.enter_context(kind(segment, "o", *arguments))
    for method in (kind.__enter__, kind.__exit__):
        for arguments in ((), (5,), (5, None, None, None)):
            with pytest.raises((TypeError, AttributeError, ctypes.ArgumentError)):
                method(*arguments)


@needed
def test_the_words_are_the_same():
    methods = [(atoll.Lock, _lock._Mutex, "release"), (atoll.Lock, _lock._Mutex, "__exit__")]
    names = "value add sub min max and_ or_ xor swap compare_exchange".split()
    methods += [(atoll.Value, _value._Value, name) for name in names]
    methods += [(atoll.Event, _event._Event, name) for name in ("is_set", "set", "clear")]
    names = ("release", "__exit__")
    methods += [(atoll.Semaphore, _semaphore._Semaphore, name) for name in names]
    for kind in (atoll.Spsc, atoll.Fanin, atoll.Mpmc):
        methods += [(kind, _ring._Ring, name) for name in _RING_CALLS]
    for kind, behind, name in methods:
        ours, theirs = getattr(kind, name), getattr(behind, name)
        assert ours.__doc__ and inspect.getdoc(ours) == inspect.getdoc(theirs)
        if kind is atoll.Value and name != "value":
            assert list(inspect.signature(ours).parameters) == list(
                inspect.signature(theirs).parameters
            )


@needed
def test_what_was_never_opened_says_so():
    for kind, uses in (
        (atoll.Lock, ("release", "_wait", "__enter__")), (atoll.Value, ("value", "_bind")),
        (atoll.Event, ("is_set", "set", "clear", "_bind")),
        (atoll.Semaphore, ("release", "__enter__", "_bind")), (atoll.Spsc, ("pop", "get", "_bind")),
    ):  # fmt: skip
        for use in uses:
            with pytest.raises((AttributeError, TypeError)):
                getattr(kind.__new__(kind), use)()
    for use in (lambda a: a[0], len, lambda a: a.__setitem__(0, 1)):
        with pytest.raises(AttributeError):
            use(atoll.Array.__new__(atoll.Array))
    with pytest.raises(AttributeError):
        atoll.Value.__new__(atoll.Value).add(1)
    for put in (atoll.Fanin.push, atoll.Fanin.put):
        with pytest.raises(AttributeError):
            put(atoll.Fanin.__new__(atoll.Fanin), 1)


_RING_CALLS = ("push", "pop", "put", "get", "push_n", "pop_n")


def use_all(segment):
    """Everything once that the accelerator does, and what it leaves to Python."""
    lock, value = atoll.Lock(segment, "l"), atoll.Value(segment, "v", "i64")
    array = atoll.Array(segment, "a", "i64", (2, 3))
    with lock:
        value.value += 1
        array[1, 2] = 1 << 40
        array[1, 2], len(array), array[1]
    for call in (lock.release, lambda: value.add(1 << 70), lambda: array[7, 7]):
        outcome(call)
    value.add(1 << 40), value.compare_exchange(1 << 41, 1 << 42)
    lock.acquire(timeout=1)
    lock.release()
    ring, names = atoll.Spsc(segment, "r", "i64", 2), atoll.Fanin(segment, "f", "3s", 2)
    for each in (1 << 40, 5, 6):
        outcome(ring.push, each), outcome(names.put, b"abc", False)
    for each in (ring.get, ring.pop, ring.pop, names.get, lambda: names.get(True, 0), names.pop):
        outcome(each)
    outcome(ring.put, "x"), outcome(names.put, "x")
    for several, more in ((ring, memoryview(bytes(16)).cast("q")), (names, b"abcdef"), (ring, [1, 2])):
        outcome(several.push_n, more), outcome(several.pop_n, 9), outcome(several.pop_n, 9)
    for each in (atoll.Lock(segment, "l"), atoll.Value(segment, "v"), atoll.Array(segment, "a")):
        each.close()
        outcome(lambda: each.value if isinstance(each, atoll.Value) else each[0, 0])


def test_nothing_is_left_of_objects_that_are_gone(segment):
    for _ in range(2000):  # after which it is known what is kept for the next one
        use_all(segment)
    gc.collect()
    before = sys.getallocatedblocks()
    for _ in range(1000):
        use_all(segment)
    gc.collect()
    grown = sys.getallocatedblocks() - before
    assert grown < 500, f"{grown} pieces of memory more after 1000 rounds"


def test_a_segment_goes_with_the_last_that_needs_it(name):
    segment = atoll.Segment(name, create=True)
    use_all(segment)
    lock = atoll.Lock(segment, "l")
    gone = weakref.ref(segment)
    del segment
    with lock:
        assert gone() is not None
    del lock
    gc.collect()
    assert gone() is None


def test_small_numbers_are_not_used_up(segment):
    """A reference too few to what all share would show in the end, and one too many here."""
    value, lock = atoll.Value(segment, "v", "i64"), atoll.Lock(segment, "l")
    array = atoll.Array(segment, "a", "i64", 3)
    marker = 123456789
    before = [sys.getrefcount(each) for each in (None, True, marker)]
    for _ in range(10000):
        with lock:
            value.value = marker
            value.swap(marker), value.add(0), array.__setitem__(0, marker)
        lock.acquire()
        lock.release()
    after = [sys.getrefcount(each) for each in (None, True, marker)]
    assert all(abs(one - other) < 1000 for one, other in zip(before, after)), (before, after)


def test_a_lock_in_a_cycle_goes_with_it(segment):
    class Mine(atoll.Lock):
        pass

    lock = Mine(segment, "l")
    lock.self, lock.enter = lock, lock.__enter__
    Mine.shared = lock
    gone = weakref.ref(Mine)
    del lock, Mine
    gc.collect()
    assert gone() is None
