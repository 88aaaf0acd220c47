"""operations.py LIBRARY: what operations take in Python. LIBRARY is made of marks.c."""

import ctypes
import gc
import os
import sys
from itertools import repeat

#: Moves what comes after it in memory, and gives classes other numbers: see count.py.
elsewhere = [
    ("x" * (number % 60) + str(number), type("Elsewhere", (), {}).__doc__)
    for number in range(97 * int(os.environ["LAYOUT"]))
]

import atoll  # noqa: E402

OPERATIONS = 500

lock = atoll.Lock()
rlock = atoll.RLock()
value = atoll.Value(type="i64")
array = atoll.Array(type="i64", shape=1000)
event = atoll.Event()
semaphore = atoll.Semaphore()
rwlock = atoll.RWLock()


def nothing(times):
    for _ in times:
        pass


def acquire_release(times):
    for _ in times:
        lock.acquire()
        lock.release()


def with_lock(times):
    for _ in times:
        with lock:
            pass


def with_rlock(times):
    for _ in times:
        with rlock:
            pass


def with_semaphore(times):
    for _ in times:
        with semaphore:
            pass


def acquire_release_semaphore(times):
    for _ in times:
        semaphore.acquire()
        semaphore.release()


def reading(times):
    for _ in times:
        with rwlock.reading():
            pass


def is_set(times):
    for _ in times:
        event.is_set()


def set_clear(times):
    for _ in times:
        event.set()
        event.clear()


def get(times):
    for _ in times:
        value.value


def set_(times):
    for _ in times:
        value.value = 7


def add(times):
    for _ in times:
        value.add(1)


def locked_add(times):
    for _ in times:
        with lock:
            value.value += 1


def element(times):
    for _ in times:
        array[500]


def set_element(times):
    for _ in times:
        array[500] = 7


def main(library):
    if "ATOLL_PURE" not in os.environ and not atoll.platform_info().accelerated:
        sys.exit(77)
    mark = ctypes.CDLL(library).mark
    gc.disable()
    for name, work in [
        ("a turn of the loop", nothing),
        ("lock acquire, release", acquire_release),
        ("with lock", with_lock),
        ("with rlock", with_rlock),
        ("semaphore acquire, release", acquire_release_semaphore),
        ("with semaphore", with_semaphore),
        ("with rwlock.reading()", reading),
        ("event is_set", is_set),
        ("event set, clear", set_clear),
        ("value get", get),
        ("value set", set_),
        ("value add", add),
        ("with lock: value += 1", locked_add),
        ("array element get", element),
        ("array element set", set_element),
    ]:
        work(repeat(None, OPERATIONS))  # the first ones find nothing prepared
        once, twice = repeat(None, OPERATIONS), repeat(None, 2 * OPERATIONS)
        mark(b"")
        work(once)
        mark(f"{OPERATIONS} {name}".encode())
        work(twice)
        mark(f"{2 * OPERATIONS} {name}".encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
