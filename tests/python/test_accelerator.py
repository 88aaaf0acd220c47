"""The compiled accelerator: when it is used, and that it changes nothing but the time."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import atoll
import pytest
from atoll import _abi

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
