"""Which library is loaded, and what is said when there is none that fits."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import atoll
import pytest
from atoll import _abi, _native

PACKAGE = Path(atoll.__file__).parent
LOADED = {line.split()[-1] for line in open("/proc/self/maps") if "libatoll" in line}


def attempt(code, package=PACKAGE, **environment):
    """Standard output and error of a Python that has this package."""
    kept = {name: value for name, value in os.environ.items() if name != "ATOLL_LIBRARY"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**kept, "PYTHONPATH": str(package.parent), **environment},
        capture_output=True,
        text=True,
    )
    return done.stdout, done.stderr


@pytest.fixture
def package(tmp_path):
    """A copy of the package, without a library and outside any tree."""
    copy = tmp_path / "somewhere" / "else" / "python" / "atoll"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "*.so*"))
    return copy


@pytest.fixture
def library():
    assert len(LOADED) == 1
    return next(iter(LOADED))


WHERE = (
    "import atoll; print([l.split()[-1] for l in open('/proc/self/maps') if 'libatoll' in l][0])"
)


def test_no_library(package):
    out, err = attempt("import atoll", package)
    assert not out and "ImportError" in err and "cargo build --release" in err
    assert "ATOLL_LIBRARY" in err and str(package) in err


def test_a_library_beside_the_package(package, library):
    for name in ("libatoll.so", "libatoll.so.0"):
        shutil.copy(library, package / name)
        out, err = attempt(WHERE, package)
        assert (out.strip(), err) == (str(package / name), "")


def test_the_library_of_the_tree(package, library):
    release = package.parent.parent / "target" / "release"
    release.mkdir(parents=True)
    shutil.copy(library, release / "libatoll.so")
    assert attempt(WHERE, package) == (f"{release / 'libatoll.so'}\n", "")


def test_the_environment_comes_first(package, library, tmp_path):
    shutil.copy(library, package / "libatoll.so")
    chosen = tmp_path / "chosen.so"
    shutil.copy(library, chosen)
    code = "import atoll; print(open('/proc/self/maps').read().count('chosen.so') > 0)"
    assert attempt(code, package, ATOLL_LIBRARY=str(chosen)) == ("True\n", "")


def test_a_library_that_is_loaded_already_is_used(package, library, tmp_path):
    shutil.copy(library, package / "libatoll.so")
    first = tmp_path / "first.so"
    shutil.copy(library, first)
    code = f"import ctypes; ctypes.CDLL({str(first)!r}); import atoll; print(COPIES)"
    code = code.replace("COPIES", "atoll.platform_info().library_copies")
    assert attempt(code, package) == ("1\n", "")


@pytest.mark.parametrize("content", [None, b"", b"not a library"])
def test_a_path_that_leads_to_no_library(tmp_path, content):
    file = tmp_path / "libatoll.so"
    if content is not None:
        file.write_bytes(content)
    out, err = attempt("import atoll", ATOLL_LIBRARY=str(file))
    assert not out and "ImportError" in err and str(file) in err


def test_a_library_that_is_another_one(tmp_path):
    libm = next(line.split()[-1] for line in open("/proc/self/maps") if "libc.so" in line)
    out, err = attempt("import atoll", ATOLL_LIBRARY=libm)
    assert not out and "ImportError" in err and "not an atoll library" in err


def test_a_library_of_other_sources(package, library):
    text = (package / "_abi.py").read_text()
    wrong = f"{_abi.ABI_FINGERPRINT ^ 1:#018x}"
    assert f"{_abi.ABI_FINGERPRINT:#018x}" in text
    (package / "_abi.py").write_text(text.replace(f"{_abi.ABI_FINGERPRINT:#018x}", wrong))
    out, err = attempt("import atoll", package, ATOLL_LIBRARY=library)
    assert not out and "ImportError" in err
    assert "different sources" in err and wrong in err and f"{_abi.ABI_FINGERPRINT:#018x}" in err


def test_the_machine_is_described():
    info = atoll.platform_info()
    assert info.library_copies == 1 and info.cpus >= 1 and info.robust_list
    assert info.page_size == os.sysconf("SC_PAGE_SIZE")
    assert info.libc.startswith("glibc") and info.kernel.startswith("Linux")
    assert os.path.isdir(info.directory)


def test_version():
    assert atoll.__version__ == _native.quick.atoll_version().decode()
