"""Objects without a segment, the segments that go by themselves, names that are removed."""

import os
import pickle
import subprocess
import sys
import threading
import time

import atoll
import kinds
import pytest
from support import Child, path, run

def exists(name):
    return os.path.exists(os.path.join(atoll.platform_info().directory, name))


# --- home ----------------------------------------------------------------------------------------


@kinds.ALL
def test_an_object_without_a_segment(make):
    one, other = make(), make()
    assert one.name is None and one._segment is other._segment
    info = one._segment.stat()
    assert info.ephemeral and info.name.startswith(f"atoll-home-{os.getpid()}-")
    assert "anonymous" in repr(one) and info.name in repr(one)
    objects = info.objects
    one.close()
    del other
    assert make()._segment.stat().objects == objects - 1


def test_keywords():
    assert atoll.Value(type="f64", initial=1.5).value == 1.5
    assert atoll.Value(type="16s", initial=b"x").value == b"x" + bytes(15)
    assert atoll.Array(type="u8", shape=(2, 3)).shape == (2, 3)
    assert atoll.Array(type="u8", shape=0).shape == (0,)
    with atoll.RLock(segment=None, name=None) as taken:
        assert taken


@pytest.mark.parametrize(
    "attempt, words",
    [
        (lambda: atoll.Lock(name="x"), "a segment to be found in"),
        (lambda: atoll.Lock(create=False), "anonymous|name"),
        (lambda: atoll.Value(), "say its type"),
        (lambda: atoll.Value(create=True), "say its type"),
        (lambda: atoll.Array(type="i64"), "its type and shape"),
        (lambda: atoll.Array(shape=3), "its type and shape"),
        (lambda: atoll.Value("i64"), "by keyword"),
        (lambda: atoll.Value("i64", None, "i64"), "atoll.Segment to live in"),
        (lambda: atoll.Value(type="i64", initial=1 << 63), "does not fit"),
        (lambda: atoll.Lock(create="maybe"), "'open'"),
    ],
)
def test_what_cannot_be_meant(attempt, words):
    with pytest.raises(atoll.AtollError, match=words):
        attempt()


def test_exit_takes_the_home_along():
    code = """
        lock, value = atoll.Lock(), atoll.Value(type="i64")
        view = atoll.Array(type="u8", shape=100000).view()
        say(lock._segment.name)
    """
    assert not exists(run(code).strip())


HOME = """
    import pickle
    things = atoll.Lock(), atoll.Array(type="u8", shape=100_000), atoll.Value(type="i64", initial=5)
    say(things[0]._segment.name)
    say(pickle.dumps(things[2]).hex())
    input()
"""
GUEST = """
    import pickle
    value = pickle.loads(bytes.fromhex(input()))
    say("in")
    hang()
"""


def test_a_home_that_is_wanted_by_others_stays_for_them():
    with Child(HOME) as child:
        home = child.process.stdout.readline().strip()
        value = pickle.loads(bytes.fromhex(child.process.stdout.readline()))
        child.tell()
        child.finish()
    assert exists(home) and value.add(1) == 5 and home in repr(value)
    value.close()
    assert not exists(home)


def test_a_home_whose_processes_were_all_killed_goes_with_the_next_segment(name):
    with Child(HOME) as owner, Child(GUEST) as guest:
        home = owner.process.stdout.readline().strip()
        guest.process.stdin.write(owner.process.stdout.readline())
        guest.process.stdin.flush()
        guest.expect("in")
        owner.kill()
        atoll.Segment(name, create=True, size=1 << 16).unlink()
        assert exists(home), "one of its processes lives"
        guest.kill()
    assert exists(home)
    atoll.Segment(name, create=True, size=1 << 16).close()
    assert not exists(home)


def test_a_forked_child_keeps_its_parents_home(name):
    code = """
        value = atoll.Value(type="i64")
        say(value._segment.name)
        if os.fork() == 0:
            value.add(1)
            os.write(1, b"in" + os.linesep.encode())
            input()
            os._exit(value.add(1))
        hang()
    """
    with Child(code) as child:
        home = child.process.stdout.readline().strip()
        child.expect("in")
        child.kill()
        atoll.Segment(name, create=True, size=1 << 16).unlink()
        assert exists(home)
        child.tell()
    while exists(home):  # until it has ended, of which nobody tells us
        time.sleep(0.01)
        atoll.gc()


def test_a_forked_child_has_a_home_of_its_own():
    code = """
        value = atoll.Value(type="i64")
        home = value._segment.name
        pid = os.fork()
        if pid == 0:
            own = atoll.Value(type="i64", initial=3)
            assert own._segment.name != home
            value.add(own.value)
            del own
            sys.exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        assert value.value == 3
        assert atoll.Value(type="i64")._segment.name == home
    """
    assert run(code) == ""


def test_threads_find_one_home():
    code = """
        import threading
        gate, found = threading.Barrier(8), []
        def look():
            gate.wait()
            found.append(atoll.Lock())
        threads = [threading.Thread(target=look) for _ in range(8)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert len({lock._segment.name for lock in found}) == 1 and len(found) == 8
    """
    assert run(code) == ""


def test_threads_that_make_and_drop():
    errors = []
    home = atoll.Lock()._segment
    objects = home.stat().objects

    def churn():
        try:
            for _ in range(300):
                with atoll.Lock():
                    atoll.Value(type="40s", initial=b"x").value = b"y"
                atoll.Array(type="u8", shape=1000)[5] = 1
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=churn) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert home.stat().objects == objects
    home.verify()


# --- ephemeral segments --------------------------------------------------------------------------


def test_an_ephemeral_segment_goes_with_its_last_process(name):
    with atoll.Segment(name, create=True, size=1 << 20, ephemeral=True) as segment:
        assert segment.stat().ephemeral
        value = atoll.Value(segment, "v", "i64", 5)
        run("atoll.Value(segment, 'v').add(1)", segment)
        assert value.value == 6
    assert exists(name), "an object is open"
    value.close()
    assert not exists(name)


def test_by_default_a_segment_stays(segment):
    assert not segment.stat().ephemeral
    segment.close()
    assert exists(segment.name)


def test_gc(tmp_path):
    """In a directory of its own, where no other program reclaims what is to be reclaimed."""
    code = """
    ready, made = os.pipe()
    victim = os.fork()
    if not victim:
        segment = atoll.Segment("gone", create=True, ephemeral=True)
        os.write(made, b".")
        hang()
    os.read(ready, 1)
    reclaimed_alive = atoll.gc()
    os.kill(victim, 9)
    os.waitpid(victim, 0)
    directory = atoll.platform_info().directory
    say([reclaimed_alive, os.listdir(directory), atoll.gc(), os.listdir(directory)])
    """
    assert run(code, ATOLL_DIR=str(tmp_path)) == "[0, ['gone'], 1, []]\n"


def test_gc_from_a_shell(name, tmp_path):
    """In such a directory, too."""
    code = "segment = atoll.Segment(NAME, create=True, ephemeral=True); say('made'); hang()"
    for count, words in enumerate(["0 segments", "1 segment", "2 segments"]):
        children = [Child(code.replace("NAME", repr(f"{name}-{n}")), ATOLL_DIR=str(tmp_path))
                    for n in range(count)]  # fmt: skip
        for child in children:
            child.expect("made")
        for child in children:
            child.__exit__()
        said = _shell("gc", ATOLL_DIR=str(tmp_path))
        assert (said.returncode, said.stdout, said.stderr) == (0, f"{words} reclaimed\n", "")
        assert not os.listdir(tmp_path)
    for wrong in ([], ["collect"], ["gc", "more"]):
        said = _shell(*wrong)
        assert said.returncode == 2 and "usage: python -m atoll" in said.stderr


def _shell(*words, **environment):
    package = os.path.dirname(os.path.dirname(atoll.__file__))
    return subprocess.run(
        [sys.executable, "-m", "atoll", *words],
        env={**os.environ, "PYTHONPATH": package, **environment},
        capture_output=True,
        text=True,
    )


# --- removal -------------------------------------------------------------------------------------


@kinds.ALL
def test_a_removed_name_is_free_and_the_object_stays_for_who_has_it(segment, make):
    make(segment).close()  # what this process needs to hold anything stays
    used = segment.stat().used
    first = make(segment, "x")
    segment.remove("x")
    assert [entry.name for entry in segment.list()] in ([], [None])
    with pytest.raises(atoll.NotFound, match="x"):
        make(segment, "x", create=False)
    second = make(segment, "x", create=True)
    assert kinds.is_same(first, first) and not kinds.is_same(first, second)
    segment.remove("x")
    first.close()
    second.close()
    assert segment.stat().objects == 0 and segment.stat().used == used
    segment.verify()


@kinds.ALL
def test_what_a_dead_process_had_is_free(segment, make):
    kept = make(segment, "x")
    with Child(
        """
        for entry in segment.list():
            own = dict(lock=atoll.Lock()) if entry.kind == "Condition" else {}
            mine = getattr(atoll, entry.kind)(segment, "x", create=False, **own)
        say("open")
        hang()
        """,
        segment,
    ) as child:
        child.expect("open")
        segment.remove("x")
        kept.close()
        assert segment.stat().objects == 1
        child.kill()
    assert segment.stat().objects == 0
    segment.verify()


def test_what_cannot_be_removed(segment, readonly):
    atoll.Lock(segment, "x")
    with pytest.raises(atoll.NotFound, match="y"):
        segment.remove("y")
    for name, error in (
        (None, atoll.WrongKind),
        (5, atoll.WrongKind),
        ("", atoll.InvalidArgument),
        ("a/b", atoll.InvalidArgument),
        ("a\0b", atoll.InvalidArgument),
    ):
        with pytest.raises(error) as caught:
            segment.remove(name)
        assert len(str(caught.value)) > 15
    with pytest.raises(atoll.Permission):
        readonly.remove("x")
    segment.close()
    with pytest.raises(atoll.Closed):
        segment.remove("x")


def test_free_memory_is_told(segment):
    atoll.Lock(segment).close()  # what this process needs to hold anything stays
    info = segment.stat()
    assert 0 < info.largest_free <= info.free < info.committed
    assert info.used + info.free <= info.committed
    array = atoll.Array(segment, None, "u8", 20_000)
    assert segment.stat().used >= info.used + 20_000
    array.close()
    assert segment.stat().used == info.used
    assert os.stat(path(segment)).st_blocks * 512 >= info.committed
