"""Who is killed, where, and what the one who is left does then.

A scene is a generator function of a module, the standard library's or ours: it makes its objects
and gives the victim, a function that the other process runs. The victim says when it is where it
is to be killed. When it has been, the scene goes on, and returns whether anybody told it.
"""

import threading
import time

#: Until one who has begun to wait does wait.
_ASLEEP = 0.02


def holder_of_lock(module):
    return _holder(module.Lock())


def waiter_for_lock(module):
    return _waiter(module.Lock())


def holder_of_rlock(module):
    return _holder(module.RLock())


def waiter_for_rlock(module):
    return _waiter(module.RLock())


def holder_of_semaphore(module):
    return _holder(_semaphore(module))


def waiter_for_semaphore(module):
    return _waiter(_semaphore(module))


def holder_of_condition(module):
    condition = module.Condition()

    def hold(say):
        with condition:
            say()
            time.sleep(600)

    yield hold
    with condition:
        condition.notify_all()
    return _told(condition._lock)


def waiter_for_condition(module):
    condition = module.Condition()

    def wait(say):
        with condition:
            say()
            condition.wait()

    yield wait
    time.sleep(_ASLEEP)
    with condition:
        condition.notify_all()
    return False


def setter_of_event(module):
    """Killed anywhere in what it does."""
    event = module.Event()

    def pulse(say):
        say()
        while True:
            event.set()
            event.clear()

    yield pulse
    event.set()
    event.wait()
    event.clear()
    return event.is_set()


def waiter_for_event(module):
    event = module.Event()

    def wait(say):
        say()
        event.wait()

    yield wait
    event.set()
    return False


def waiter_in_barrier(module):
    barrier = module.Barrier(2)

    def look(say):
        while not barrier.n_waiting:
            time.sleep(0.001)
        say()

    def wait(say):
        # One who is killed before it is inside is nobody that a barrier could miss.
        threading.Thread(target=look, args=(say,), daemon=True).start()
        barrier.wait()

    yield wait
    try:
        barrier.wait()
    except threading.BrokenBarrierError:
        return True
    return False


SCENES = {
    ("Lock", "holder"): holder_of_lock,
    ("Lock", "waiter"): waiter_for_lock,
    ("RLock", "holder"): holder_of_rlock,
    ("RLock", "waiter"): waiter_for_rlock,
    ("Semaphore", "holder"): holder_of_semaphore,
    ("Semaphore", "waiter"): waiter_for_semaphore,
    ("Condition", "holder"): holder_of_condition,
    ("Condition", "waiter"): waiter_for_condition,
    ("Event", "setter"): setter_of_event,
    ("Event", "waiter"): waiter_for_event,
    ("Barrier", "waiter"): waiter_in_barrier,
}

#: Of these the victim is inside a call when it is killed, a moment after it has said so.
IN_A_CALL = {scene for scene in SCENES.values() if "holder" not in scene.__name__}


def _semaphore(module):
    return module.Semaphore(1, **({"tracked": True} if module.__name__[:5] == "atoll" else {}))


def _holder(lock):
    def hold(say):
        lock.acquire()
        say()
        time.sleep(600)

    yield hold
    lock.acquire()
    lock.release()
    return _told(lock)


def _waiter(lock):
    lock.acquire()

    def wait(say):
        say()
        lock.acquire()

    yield wait
    lock.release()
    lock.acquire()
    lock.release()
    return _told(lock)


def _told(lock):
    return getattr(lock, "owner_died", None) is not None
