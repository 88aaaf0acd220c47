"""The compiled accelerator: when it is used, and that it changes nothing but the time."""

import contextlib
import ctypes
import decimal
import fractions
import functools
import gc
import inspect
import math
import os
import shutil
import signal
import struct
import subprocess
import sys
import sysconfig
import textwrap
import threading
import time
import weakref
from pathlib import Path

import atoll
import pytest
from atoll import _abi, _array, _lock, _value
from support import Child

PACKAGE = Path(atoll.__file__).parent
WANTED = os.environ.get("ATOLL_PURE", "") in ("", "0")
ACCELERATED = atoll.platform_info().accelerated

needed = pytest.mark.skipif(not ACCELERATED, reason="this run is by ctypes")

IS_USED = "import atoll; print(atoll.platform_info().accelerated)"


def attempt(code, package=PACKAGE, **environment):
    """Standard output and error of a Python that has this package."""
    library = next(line.split()[-1] for line in open("/proc/self/maps") if "libatoll" in line)
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(package.parent), "ATOLL_LIBRARY": library, **environment},
        capture_output=True,
        text=True,
    )
    return done.stdout, done.stderr


@pytest.fixture
def package(tmp_path):
    """A copy of the package, with its accelerator if there is one."""
    copy = tmp_path / "atoll"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "libatoll*"))
    return copy


def accelerator(package):
    return package / f"_accelerator{sysconfig.get_config_var('EXT_SUFFIX')}"


def test_this_run_is_what_it_says():
    """If it should be accelerated and is not: make build, and look at what that says."""
    assert ACCELERATED is WANTED


@needed
@pytest.mark.parametrize(
    "pure, used", [("", True), ("0", True), ("1", False), ("yes", False), ("00", False)]
)
def test_the_environment_turns_it_off(pure, used):
    assert attempt(IS_USED, ATOLL_PURE=pure) == (f"{used}\n", "")


@needed
def test_without_it_all_is_done_by_ctypes_and_nothing_is_said(package):
    accelerator(package).unlink()
    assert attempt(IS_USED, package) == ("False\n", "")


@needed
def test_one_that_was_built_for_another_library_is_not_used(package):
    fingerprint = _abi.ABI_FINGERPRINT.to_bytes(8, sys.byteorder)
    binary = accelerator(package).read_bytes()
    assert fingerprint in binary
    accelerator(package).write_bytes(binary.replace(fingerprint, bytes(8)))
    out, err = attempt(IS_USED, package)
    assert out == "False\n"
    assert "RuntimeWarning" in err and "other sources" in err and "make build" in err
    assert attempt(IS_USED, package, ATOLL_PURE="1") == ("False\n", "")


@needed
def test_one_that_cannot_be_loaded_is_not_used(package):
    accelerator(package).write_bytes(b"not a library")
    out, err = attempt(IS_USED, package)
    assert out == "False\n" and "RuntimeWarning" in err and "make build" in err


# --- the same as by ctypes -----------------------------------------------------------------------
# Behind the accelerator's methods stand those in Python, so that both can be asked here.

NUMBERS = [f"{kind}{size}" for kind in "iu" for size in (8, 16, 32, 64)] + ["f32", "f64", "bool"]
EDGES = [sign * (1 << bits) + more for bits in (7, 8, 15, 16, 31, 32, 63, 64, 70) for sign in (1, -1)
         for more in (-1, 0, 1)]  # fmt: skip
FLOATS = [0.0, -0.0, 0.1, 1e10, 1e39, 1e300, -1e300, math.inf, -math.inf, math.nan]


class Index:
    """Stands for a number, or fails in the attempt."""

    def __init__(self, outcome):
        self.outcome = outcome

    def __index__(self):
        if isinstance(self.outcome, int):
            return self.outcome
        raise self.outcome

    __float__ = __bool__ = __index__


OTHERS = [
    0, 1, 2, 5, -3, True, None, "1", b"1", [1], 10**400, Index(3), Index(1 << 80), Index(KeyError("k")),
    Index(TypeError("t")), Index(KeyboardInterrupt()), fractions.Fraction(1, 2), decimal.Decimal("2"),
]  # fmt: skip
OPERANDS = OTHERS + EDGES + FLOATS


def outcome(call, *arguments):
    """What a call gives or raises, so that two can be compared."""
    try:
        result = call(*arguments)
    except BaseException as error:
        return type(error), str(error)
    if isinstance(result, float):
        return float, struct.pack("d", result)
    if isinstance(result, memoryview):
        return memoryview, result.format, result.shape, result.tobytes()
    return type(result), result


def same(ours, theirs, state, call, *arguments):
    """Do the same to two objects in two ways: the same comes of it, and both are alike after."""
    one, other = outcome(call(ours), *arguments), outcome(call(theirs), *arguments)
    assert one == other, (call, arguments)
    assert state(ours) == state(theirs), (call, arguments)


@needed
@pytest.mark.parametrize("type", NUMBERS)
@pytest.mark.parametrize("readonly", [False, True])
def test_values_do_the_same(segment, type, readonly):
    atoll.Value(segment, "ours", type), atoll.Value(segment, "theirs", type)
    with atoll.Segment(segment.name, readonly=readonly) as where:
        ours, theirs = atoll.Value(where, "ours"), atoll.Value(where, "theirs")
        theirs._name = "ours"  # for the sentences

        def state(value):
            return bytes(value._word)

        def by(name):
            # In Python for theirs, whatever stands before.
            return lambda value: (
                getattr(value, name)
                if value is ours
                else functools.partial(getattr(_value._Value, name), value)
            )

        def read(value):
            return functools.partial(
                (atoll.Value if value is ours else _value._Value).value.__get__, value
            )

        def assign(value):
            return functools.partial(
                (atoll.Value if value is ours else _value._Value).value.__set__, value
            )

        for operand in OPERANDS:
            for name in ("add", "sub", "min", "max", "and_", "or_", "xor", "swap"):
                same(ours, theirs, state, by(name), operand)
            same(ours, theirs, state, by("compare_exchange"), operand, 1)
            same(ours, theirs, state, by("compare_exchange"), theirs.value, operand)
            same(ours, theirs, state, read)
            same(ours, theirs, state, assign, operand)
        for count in (0, 1, 3):
            same(ours, theirs, state, by("compare_exchange"), *[1] * count)


@needed
@pytest.mark.parametrize("type", [*NUMBERS, "3s"])
@pytest.mark.parametrize("shape", [(5,), (2, 3), (0,), (2, 1, 3)])
@pytest.mark.parametrize("readonly", [False, True])
def test_arrays_do_the_same(segment, type, shape, readonly):
    for name in ("ours", "theirs"):
        atoll.Array(segment, name, type, shape)
    with atoll.Segment(segment.name, readonly=readonly) as where:
        ours, theirs = atoll.Array(where, "ours"), atoll.Array(where, "theirs")
        theirs._name = "ours"

        def by(name):
            return lambda array: functools.partial(
                getattr(atoll.Array if array is ours else _array._Array, name), array
            )

        def state(array):
            return bytes(array._bytes)

        indices = [0, 1, -1, 4, 5, -5, -6, 1 << 70, True, Index(1), Index(KeyError("k")), 1.0, None]
        keys = [
            *indices, slice(1, 3), slice(None, None, 2), "x", (), (0,), (1, 2), (-1, -1), (0, 0, 0, 0),
            (1, 3), (-3, 0), (1, -1, 2), (1, 0, 3), (0, 1, 0), (1, Index(1)), (1, slice(2)), (1.0, 0),
        ]  # fmt: skip
        same(ours, theirs, state, by("__len__"))
        for key in keys:
            for value in (1, 0.5, 1 << 40, -1, None, [1, 2], b"ab", Index(2), Index(KeyError("v"))):
                same(ours, theirs, state, by("__setitem__"), key, value)
                same(ours, theirs, state, by("__getitem__"), key)
                same(ours, theirs, state, by("__delitem__"), key)


@needed
def test_objects_that_are_made_anew_forget_what_they_were(segment):
    value, array = atoll.Value(segment, "v", "i64"), atoll.Array(segment, "a", "i64", 4)
    atoll.Value(segment, "other v", "u8", 200)
    atoll.Array(segment, "other a", "u8", (2, 2))[1, 1] = 9
    value.__init__(segment, "other v")
    array.__init__(segment, "other a")
    assert (value.value, value.add(60), value.value) == (200, 200, 4)
    assert array[1, 1] == 9 and len(array) == 2 and outcome(array.__getitem__, 3)[0] is IndexError
    assert atoll.Value(segment, "v").value == 0
    for old, use in ((value, lambda: value.value), (array, lambda: array[1, 1])):
        old.close()
        assert outcome(use)[0] is atoll.Closed


@needed
def test_an_operand_that_closes_the_object_finds_it_closed(segment):
    value, array = atoll.Value(segment, "v", "i64"), atoll.Array(segment, "a", "i64", 3)

    class Closing:
        def __init__(self, what):
            self.what = what

        def __index__(self):
            self.what.close()
            return 5

    assert outcome(value.add, Closing(value))[0] is atoll.Closed
    assert outcome(array.__setitem__, 1, Closing(array))[0] is atoll.Closed
    assert atoll.Value(segment, "v").value == 0 and atoll.Array(segment, "a")[1] == 0


# --- objects, threads, interpreters --------------------------------------------------------------


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
    for kind, behind, name in methods:
        ours, theirs = getattr(kind, name), getattr(behind, name)
        assert ours.__doc__ and ours.__doc__ == theirs.__doc__
        if kind is atoll.Value and name != "value":
            assert list(inspect.signature(ours).parameters) == list(
                inspect.signature(theirs).parameters
            )


@needed
def test_what_was_never_opened_says_so():
    for kind, uses in (
        (atoll.Lock, ("release", "_wait", "__enter__")), (atoll.Value, ("value", "_bind")),
    ):  # fmt: skip
        for use in uses:
            with pytest.raises((AttributeError, TypeError)):
                getattr(kind.__new__(kind), use)()
    for use in (lambda a: a[0], len, lambda a: a.__setitem__(0, 1)):
        with pytest.raises(AttributeError):
            use(atoll.Array.__new__(atoll.Array))
    with pytest.raises(AttributeError):
        atoll.Value.__new__(atoll.Value).add(1)


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
    for each in (atoll.Lock(segment, "l"), atoll.Value(segment, "v"), atoll.Array(segment, "a")):
        each.close()
        outcome(lambda: each.value if isinstance(each, atoll.Value) else each[0, 0])


def test_nothing_is_left_of_objects_that_are_gone(segment):
    for _ in range(300):  # after which it is known what is kept for the next one
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


def test_threads_share_what_is_accelerated(segment):
    lock, value = atoll.RLock(segment, "l"), atoll.Value(segment, "v", "i64")
    array = atoll.Array(segment, "a", "i64", 2)

    def work():
        for _ in range(2000):
            with lock, lock:
                array[0] = array[0] + 1
            value.add(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(interval)
    assert value.value == array[0] == 8000 and not lock.locked()


def test_a_forked_child_holds_nothing_and_can_lock(segment):
    lock, value = atoll.Lock(segment, "l"), atoll.Value(segment, "v", "i64")
    lock.acquire()
    pid = os.fork()
    if pid == 0:
        try:
            with pytest.raises(atoll.NotOwner):
                lock.release()
            assert lock.acquire(False) is False
            with lock:
                value.add(1)
        except BaseException:
            os._exit(1)
        os._exit(0)
    time.sleep(0.2)
    assert value.value == 0
    lock.release()
    assert os.waitpid(pid, 0)[1] == 0
    assert value.value == 1 and not lock.locked()


def test_processes_change_values_at_the_same_time(segment):
    """Long enough to meet, now that an operation takes no time."""
    whole, real = atoll.Value(segment, "w", "u16"), atoll.Value(segment, "r", "f64")
    guarded = atoll.Array(segment, "g", "i64", (1, 1))
    rounds = 50_000 if ACCELERATED else 4_000
    code = f"""
        lock, guarded = atoll.Lock(segment, "l"), atoll.Array(segment, "g")
        whole, real = atoll.Value(segment, "w"), atoll.Value(segment, "r")
        say("ready")
        input()
        for _ in range({rounds}):
            whole.add(3)
            real.sub(0.5)
            with lock: guarded[0, 0] += 1
    """
    with Child(code, segment) as one, Child(code, segment) as two:
        for child in (one, two):
            child.expect("ready")
        one.tell(), two.tell()
        one.finish(), two.finish()
    assert whole.value == 6 * rounds % (1 << 16)
    assert (real.value, guarded[0, 0]) == (-1.0 * rounds, 2 * rounds)


class Died(Exception):
    pass


@pytest.mark.skipif(sys.version_info < (3, 10), reason="3.9 listens in more places")
def test_a_handler_that_raises_at_the_death_of_the_holder_leaves_nothing_held(segment):
    """It is called when the wait has got the lock, and before it has been settled that it has."""

    def raise_died(*_):
        raise Died

    lock = atoll.Lock(segment, "l")
    heard, before = 0, signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        for _ in range(60):
            locked, say_locked = os.pipe()
            pid = os.fork()
            if pid == 0:
                lock.acquire(recover=True)
                os.write(say_locked, b".")
                time.sleep(0.005)
                os._exit(0)
            os.read(locked, 1)
            os.close(locked), os.close(say_locked)
            try:
                signal.signal(signal.SIGCHLD, raise_died)
                with contextlib.suppress(atoll.OwnerDied), lock:
                    pass
                time.sleep(0.2)  # at times it is heard only now
            except Died:
                heard += 1
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.waitpid(pid, 0)
            assert not lock.locked()
        assert heard  # not always: a child may be gone before anybody listens
    finally:
        signal.signal(signal.SIGCHLD, before)


@pytest.mark.skipif(sys.version_info < (3, 13), reason="ctypes is for one interpreter only before")
def test_interpreters_have_accelerators_of_their_own(segment):
    interpreters = pytest.importorskip("_interpreters")
    code = f"""
        import sys
        sys.path[:0] = {sys.path!r}
        import atoll
        segment = atoll.Segment({segment.name!r})
        assert atoll.platform_info().accelerated is {ACCELERATED}
        lock, value = atoll.Lock(segment, "l"), atoll.Value(segment, "v", "i64")
        for _ in range(1000):
            with lock:
                value.value += 1
        try:
            lock.release()
        except atoll.NotOwner:
            value.add(1)
    """
    lock, value = atoll.Lock(segment, "l"), atoll.Value(segment, "v", "i64")
    for _ in range(3):
        interpreter = interpreters.create()
        problem = interpreters.exec(interpreter, textwrap.dedent(code))
        interpreters.destroy(interpreter)
        assert problem is None, problem
    with lock:
        assert value.value == 3003


# --- how it is built -----------------------------------------------------------------------------

TREE = PACKAGE.parents[1]
HEADERS = Path(sysconfig.get_path("include"), "Python.h").exists()


@pytest.fixture
def tree(tmp_path):
    """A copy of what it is built from, in which it is not built yet."""
    if not (TREE / "python" / "accelerator").exists():
        pytest.skip("this package is not in its tree")
    for folder in ("python", "include"):
        ignore = shutil.ignore_patterns("__pycache__", "_accelerator.*")
        shutil.copytree(TREE / folder, tmp_path / folder, ignore=ignore)
    return tmp_path


def build(tree, **environment):
    """Exit status, output and errors of the build."""
    command = [sys.executable, str(tree / "python" / "accelerator" / "build.py")]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.skipif(not HEADERS, reason="this Python has no headers")
@pytest.mark.parametrize("compiler", ["cc", "gcc", "clang", "clang-16"])
def test_every_compiler_builds_it(tree, compiler):
    if not shutil.which(compiler):
        pytest.skip(f"there is no {compiler} here")
    assert build(tree, CC=compiler) == (0, f"built {accelerator(Path()).name}\n", "")
    code = """
        import atoll
        assert atoll.platform_info().accelerated
        lock, value = atoll.RLock(), atoll.Value(type="u16", initial=0xFFFF)
        array = atoll.Array(type="f32", shape=(2, 2))
        with lock, lock:
            array[1, 1] = value.add(2)
        print(value.value, array[1, 1])
    """
    assert attempt(textwrap.dedent(code), tree / "python" / "atoll") == ("1 65535.0\n", "")


@pytest.mark.skipif(not HEADERS, reason="this Python has no headers")
@pytest.mark.skipif(not shutil.which("cc"), reason="there is no compiler")
def test_it_is_built_again_when_a_source_changes(tree):
    assert build(tree)[1] != ""
    assert build(tree) == (0, "", "")
    source = tree / "python" / "accelerator" / "value.c"
    os.utime(source, (time.time() + 10,) * 2)
    assert build(tree)[1] != ""
    source.write_text("this is not C\n")
    os.utime(source, (time.time() + 20,) * 2)
    status, _, err = build(tree)
    assert status == 1 and "does not compile" in err


def test_without_a_compiler_it_says_so_and_goes_on(tree):
    status, out, err = build(tree, CC="no-such-compiler")
    assert (status, err) == (77, "") and "works by ctypes" in out
    assert attempt(IS_USED, tree / "python" / "atoll") == ("False\n", "")
