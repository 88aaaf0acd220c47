#!/usr/bin/env python3
"""Builds the accelerator for the Python that runs this, if it is not there or not of these sources.

    python3 python/accelerator/build.py [COMPILER]     cc, or what $CC says

It goes into the package, under a name that only this Python looks for. Exit status 77 and a line
if that has no headers or there is no compiler: atoll then works by ctypes.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parent / "atoll"
INCLUDE = HERE.parents[1] / "include"
CANNOT_BUILD = 77

FLAGS = "-std=gnu11 -O2 -fPIC -shared -fvisibility=hidden -Wall -Wextra -Werror".split()


def product():
    """The file that this Python imports as `atoll._accelerator`."""
    return PACKAGE / f"_accelerator{sysconfig.get_config_var('EXT_SUFFIX')}"


def inputs():
    """Everything that the outcome depends on."""
    headers = [INCLUDE / "atoll.h", *INCLUDE.glob("atoll/*.h")]
    return [*HERE.glob("*.c"), *HERE.glob("*.h"), *headers, PACKAGE / "_abi.py", Path(__file__)]


def fingerprint():
    """The declarations that it is built for; Python compares them with its own."""
    return re.search("^ABI_FINGERPRINT = (0x[0-9a-f]+)", (PACKAGE / "_abi.py").read_text(), re.M)[1]


def is_fresh(file):
    return file.exists() and all(
        file.stat().st_mtime > each.stat().st_mtime for each in inputs()
    )


def build(compiler):
    """Compiles all of it at once: whole, or not at all."""
    target = product()
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    command = [
        *compiler,
        *FLAGS,
        f"-DATOLL_ABI_FINGERPRINT={fingerprint()}u",
        f"-I{INCLUDE}",
        f"-isystem{sysconfig.get_path('include')}",
        *sorted(map(str, HERE.glob("*.c"))),
        "-o",
        str(unfinished),
    ]
    try:
        subprocess.run(command, check=True)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def missing(compiler):
    """What there is not, or None."""
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        return f"no headers of Python {sysconfig.get_python_version()} (on Debian: python3-dev)"
    if not shutil.which(compiler[0]):
        return f"no C compiler {compiler[0]}"
    return None


def main(arguments):
    if sys.implementation.name != "cpython":
        lack = f"no accelerator for {sys.implementation.name}"
    else:
        compiler = arguments or shlex.split(os.environ.get("CC", "cc"))
        lack = None if is_fresh(product()) else missing(compiler)
    if lack:
        print(f"{lack}: atoll is not accelerated, and works by ctypes")
        return CANNOT_BUILD
    if not is_fresh(product()):
        build(compiler)
        print(f"built {product().name}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except subprocess.CalledProcessError as error:
        sys.exit(f"the accelerator does not compile: {' '.join(error.cmd)}")
