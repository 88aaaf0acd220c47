"""Several interpreters in a process: each imports the package anew, and all of them are one
process to the library, of which there is one copy."""

import sys
from textwrap import dedent

import pytest
from support import run

MODULE = "_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"
pytest.importorskip(MODULE)

#: One for `make`, which makes an interpreter, and `run`, which runs a text in it.
WAYS = f"""
import {MODULE} as interpreters
if sys.version_info >= (3, 13):
    def make(own): return interpreters.create("isolated" if own else "legacy")
    def run(which, code):
        problem = interpreters.exec(which, code)
        if problem is not None:
            raise RuntimeError(problem.formatted)
else:
    def make(own): return interpreters.create(isolated=own)
    def run(which, code): interpreters.run_string(which, code)
"""

#: Whether the interpreters have a GIL of their own. Python 3.12 could make such ones, too, but
#: they refuse ctypes.
OWN_GIL = [False] if sys.version_info < (3, 13) else [False, True]

EVERYTHING = """
import atoll, pickle
segment = atoll.Segment({name!r})
held, lock = atoll.Lock(segment, 'held'), atoll.Lock()
number = pickle.loads(pickle.dumps(atoll.Value(type='i64', initial=5)))
with lock:
    assert number.add(1) == 5 and number.value == 6
with atoll.transaction(lock) as tx:
    tx.store(number, 7)
array = atoll.Array(segment, 'array', 'f64', 3)
array[1] += number.value
assert not held.acquire(False) and held.owner().alive  # this very thread has it, out there
assert atoll.platform_info().library_copies == 1
"""

MANY_TIMES = """
import atoll
segment = atoll.Segment({name!r})
lock, locked = atoll.Lock(segment, 'lock'), atoll.Value(segment, 'locked', 'i64')
added = atoll.Value(segment, 'added', 'i64')
for _ in range(3000):
    with lock:
        locked.value += 1
    added.add(1)
"""


def run_in(code, segment=None):
    return run(WAYS + dedent(code), segment)


@pytest.mark.parametrize("own", OWN_GIL)
def test_everything_works_in_an_interpreter(segment, own):
    code = f"""
    with atoll.Lock(segment, 'held'):
        for _ in range(2):
            which = make({own})
            run(which, {EVERYTHING.format(name=segment.name)!r})
            interpreters.destroy(which)
    segment.verify()
    say(atoll.Array(segment, 'array')[1])
    """
    assert run_in(code, segment) == "14.0\n"


@pytest.mark.parametrize("own", OWN_GIL)
def test_madeat_once(segment, own):
    code = f"""
    import threading
    problems = []
    def work(which):
        try:
            run(which, {MANY_TIMES.format(name=segment.name)!r})
        except BaseException as problem:
            problems.append(problem)
    made = [make({own}) for _ in range(3)]
    threads = [threading.Thread(target=work, args=(one,)) for one in made]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    for one in made: interpreters.destroy(one)
    assert not problems, problems
    say([atoll.Value(segment, name).value for name in ('locked', 'added')])
    """
    assert run_in(code, segment) == "[9000, 9000]\n"


@pytest.mark.skipif(sys.version_info[:2] != (3, 12), reason="only Python 3.12 refuses")
def test_an_interpreter_that_refuses_ctypes():
    code = """
    try:
        run(make(True), "import atoll")
    except Exception as problem:
        say("Python 3.13" in str(problem) and "ctypes" in str(problem))
    """
    assert run_in(code) == "True\n"
