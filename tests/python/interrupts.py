"""For tests of what signals do: an exception from a handler, at any time or in a wait."""

import os
import random
import signal
import threading
import time

import pytest


class Interrupt(Exception):
    pass


def raise_interrupt(*_):
    raise Interrupt


@pytest.fixture
def handler():
    """Sets what happens at SIGALRM; undone afterwards."""
    before = signal.getsignal(signal.SIGALRM)
    yield lambda action: signal.signal(signal.SIGALRM, action)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def ended_by_ctrl_c(wait):
    """Whether Ctrl-C ends it; if something else does, Ctrl-C comes here."""
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    try:
        timer.start()
        wait()
    except KeyboardInterrupt:
        return True
    try:
        timer.join()
        time.sleep(1)
    except KeyboardInterrupt:
        pass
    return False


def interrupted_by_the_signal_of_another_thread(wait):
    """Python's handlers run in the main thread, which no signal wakes from the wait here."""
    ready = threading.Event()

    def other():
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
        ready.set()
        time.sleep(0.3)
        signal.pthread_kill(threading.get_ident(), signal.SIGALRM)

    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    thread = threading.Thread(target=other)
    try:
        with pytest.raises(Interrupt):
            thread.start()
            ready.wait()
            wait()
    finally:
        thread.join()
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def often_interrupted(use, check, rounds, soonest, latest):
    """Begin `use` anew after each exception, which comes at a time that chance picks."""
    import random

    for _ in range(rounds):
        try:
            # Once more later: Python up to 3.11 at times misses a signal until the next.
            signal.setitimer(signal.ITIMER_REAL, random.uniform(soonest, latest), 0.2)
            try:
                use()
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except Interrupt:
            check()
