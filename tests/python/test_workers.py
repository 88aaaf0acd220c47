"""Processes of multiprocessing end by os._exit, and an ordinary end of one is no death."""

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap

import atoll
import pytest
from support import run

METHODS = pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])


def touch(segment, array):
    atoll.Value(segment, "v").add(1)
    array[0] += 1


def fail(segment):
    atoll.Value(segment, "v").add(1)
    raise SystemExit(3)


def be_killed(segment):
    atoll.Value(segment, "v").add(1)
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture
def deaths(segment):
    """How many there were so far."""
    seen = []

    def count():
        while True:
            try:
                seen.append(segment.wait_death(len(seen), timeout=0.2))
            except atoll.TimedOut:
                return [death.pid for death in seen]

    return count


@METHODS
def test_a_worker_that_ends_is_no_death(segment, deaths, method):
    context = multiprocessing.get_context(method)
    value = atoll.Value(segment, "v", "i64")
    array = atoll.Array(segment, "a", "i64", 1)
    ends = {touch: (segment, array), fail: (segment,)}
    for target, arguments in ends.items():
        process = context.Process(target=target, args=arguments)
        process.start()
        process.join()
    assert value.value == 2 and deaths() == []
    process = context.Process(target=be_killed, args=(segment,))
    process.start()
    process.join()
    assert value.value == 3 and deaths() == [process.pid]
    segment.verify()


def nested(segment, method):
    context = multiprocessing.get_context(method)
    process = context.Process(target=fail, args=(segment,))
    process.start()
    process.join()
    atoll.Value(segment, "v").add(1)


@METHODS
def test_workers_of_workers(segment, deaths, method):
    value = atoll.Value(segment, "v", "i64")
    process = multiprocessing.get_context(method).Process(target=nested, args=(segment, method))
    process.start()
    process.join()
    assert (value.value, process.exitcode) == (2, 0) and deaths() == []


@METHODS
def test_what_a_worker_had_is_let_go(segment, method):
    kept = atoll.Value(segment, None, "i64")
    atoll.Value(segment, "v", "i64")
    context = multiprocessing.get_context(method)
    process = context.Process(target=hold, args=(segment, kept))
    process.start()
    process.join()
    assert process.exitcode == 0 and segment.stat().members == 1
    kept.close()
    assert [entry.name for entry in segment.list()] == ["v"]


def hold(segment, value):
    global held
    held = atoll.Value(segment, "v"), atoll.Array(segment, None, "i64", 5), value


SCRIPT = """
    import sys
    {imports}
    def touch(name):
        import atoll
        with atoll.Segment(name) as segment:
            global kept
            kept = atoll.Value(segment, "v")
            kept.add(1)
    if __name__ == "__main__":
        import multiprocessing
        context = multiprocessing.get_context({method!r})
        for _ in range(2):
            process = context.Process(target=touch, args=(sys.argv[1],))
            process.start()
            process.join()
        assert process.exitcode == 0
"""


@METHODS
@pytest.mark.parametrize("imports", ["", "import atoll", "import multiprocessing, atoll"])
def test_whichever_was_imported_first(segment, deaths, method, imports, tmp_path):
    """Also if atoll is imported only by the worker, when it has begun."""
    value = atoll.Value(segment, "v", "i64")
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT).format(imports=imports, method=method))
    package = os.path.dirname(os.path.dirname(atoll.__file__))
    said = subprocess.run(
        [sys.executable, script, segment.name],
        env={**os.environ, "PYTHONPATH": package},
        capture_output=True,
        text=True,
    )
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")
    assert value.value == 2 and deaths() == []


def test_multiprocessing_is_not_imported_for_it():
    code = """
        atoll.Lock()
        pid = os.fork()
        if pid == 0: os._exit("multiprocessing" in sys.modules)
        assert os.waitpid(pid, 0)[1] == 0
        assert "multiprocessing" not in sys.modules
    """
    assert run(code) == ""


def test_what_is_asked_is_asked_once():
    code = """
        import multiprocessing, multiprocessing.util
        def look():
            names = [key[2].__module__ for key in multiprocessing.util._afterfork_registry]
            assert names.count("atoll._workers") == 1, names
        for depth in range(3):
            pid = os.fork()
            if pid:
                assert os.waitpid(pid, 0)[1] == 0
                break
            look()
        sys.stdout.flush()
        os._exit(0)
    """
    assert run(code) == ""
