"""One of each kind of object, for what is the same with all of them."""

import functools
import threading

import atoll
import pytest

#: Each is called as `atoll.Lock` is: segment, name, create.
MAKERS = {
    "Lock": atoll.Lock,
    "RLock": atoll.RLock,
    "Value": functools.partial(atoll.Value, type="i64"),
    "Array": functools.partial(atoll.Array, type="i64", shape=3),
    "RWLock": atoll.RWLock,
    "Semaphore": atoll.Semaphore,
    "BoundedSemaphore": functools.partial(atoll.BoundedSemaphore, value=3),
    "tracked Semaphore": functools.partial(atoll.Semaphore, value=3, tracked=True),
    "Condition": functools.partial(atoll.Condition, lock=atoll.RLock()),
    "Event": atoll.Event,
    "Barrier": functools.partial(atoll.Barrier, parties=2),
    "Latch": functools.partial(atoll.Latch, count=3),
    "Spsc": functools.partial(atoll.Spsc, type="i64", capacity=4),
    "Mpmc": functools.partial(atoll.Mpmc, type="i64", capacity=4),
    "Fanin": functools.partial(atoll.Fanin, type="i64", capacity=4, lanes=2),
}

ALL = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())


def is_same(one, other):
    """Whether two handles are to one object: what is done to one is done to the other."""
    if isinstance(one, (atoll.Lock, atoll.RLock)):
        with one:
            return other.owner() == one.owner()
    if isinstance(one, atoll.Condition):
        return _is_notified(one, other)
    if isinstance(one, atoll.RWLock):
        with one.writing():
            return other.owner() == one.owner()
    if isinstance(one, atoll.Semaphore):
        with one:
            free = other.get_value()
        return other.get_value() == free + 1
    if isinstance(one, atoll.Event):
        before = other.is_set()
        one.clear() if before else one.set()
        return other.is_set() is not before
    if isinstance(one, atoll.Barrier):
        before = other.broken
        one.reset() if before else one.abort()
        return other.broken is not before
    if isinstance(one, atoll.Latch):
        before = other.count
        one.count_down()
        return other.count == before - 1
    if isinstance(one, (atoll.Spsc, atoll.Fanin, atoll.Mpmc)):
        before = len(other)
        one.put(9)
        after = len(other)
        one.pop()
        if not isinstance(one, atoll.Mpmc):
            one.leave("producers"), one.leave("consumers")
        return after == before + 1
    if isinstance(one, atoll.Array):
        one.view().cast("B")[7] = 9
        return other.view().tobytes() == one.view().tobytes() and other.shape == one.shape
    before = _raw(other)
    one.value = one._type.decode(memoryview(bytes(byte ^ 0x55 for byte in _raw(one))))
    return before != _raw(other) == _raw(one)


def _is_notified(one, other):
    def notify():
        with one:
            other._way = one._way  # the lock of the first, if they are two
            other.notify()

    with one:
        notifier = threading.Thread(target=notify)
        notifier.start()
        came = one.wait(0.3)
    notifier.join()
    return came


def _raw(value):
    return bytes(memoryview(value._type.encode(value.value)))
