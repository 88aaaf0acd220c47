"""The compiled accelerator: when it is used, and how it is built."""

import os
import shutil
import subprocess
import sys
import sysconfig
import textwrap
import time
from pathlib import Path

import atoll
import pytest
from accelerated import ACCELERATED, needed
from atoll import _abi

PACKAGE = Path(atoll.__file__).parent
WANTED = os.environ.get("ATOLL_PURE", "") in ("", "0")

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
