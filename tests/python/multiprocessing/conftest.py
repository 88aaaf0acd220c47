"""The same tests for the standard library and for ours, so that they are right about both."""

import multiprocessing
import sys
import threading
import time
from pathlib import Path

import atoll.multiprocessing
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from actors import Peer  # noqa: E402

MODULES = {"theirs": multiprocessing, "ours": atoll.multiprocessing}
METHODS = ["fork", "spawn", "forkserver"]


@pytest.fixture(params=MODULES)
def mp(request):
    """The module, theirs or ours."""
    return MODULES[request.param]


class Together:
    """Objects of one module, here and in another process. All are as new between tests."""

    def __init__(self, module, method):
        context = module.get_context(method)
        self.objects = {
            "lock": context.Lock(),
            "rlock": context.RLock(),
            "semaphore": context.Semaphore(2),
            "bounded": context.BoundedSemaphore(2),
            "condition": context.Condition(),
            "under_lock": context.Condition(context.Lock()),
            "event": context.Event(),
            "barrier": context.Barrier(2),
            "number": context.RawValue("i"),
        }
        self.peer = Peer(context, self.objects)

    def __getattr__(self, name):
        return self.objects[name]


_together = {}


@pytest.fixture(params=[(name, method) for name in MODULES for method in METHODS], ids="-".join)
def both(request):
    """Objects that another process has too, for each module and start method. It takes long to
    start one, so there is one for all tests up to one that fails."""
    if request.param not in _together:
        name, method = request.param
        _together[request.param] = Together(MODULES[name], method)
    failed = request.session.testsfailed
    yield _together[request.param]
    if request.session.testsfailed > failed:
        _together.pop(request.param).peer.leave()


@pytest.fixture(scope="session", autouse=True)
def they_leave():
    yield
    for together in _together.values():
        together.peer.leave()


@pytest.fixture
def thread():
    """Has a function called by another thread; gives what gives its result."""
    begun = []

    def begin(function, *arguments, **keywords):
        outcome = []

        def run():
            try:
                outcome.append((function(*arguments, **keywords), None))
            except BaseException as error:
                outcome.append((None, error))

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        begun.append(thread)

        def result():
            thread.join(60)
            assert outcome, "the other thread does not end"
            value, error = outcome[0]
            if error:
                raise error
            return value

        result.is_busy = lambda: thread.is_alive()
        return result

    yield begin
    for thread in begun:
        thread.join(60)


def until(condition):
    """Wait until something is so."""
    for _ in range(6000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it never is")


@pytest.fixture(name="until")
def until_fixture():
    return until
