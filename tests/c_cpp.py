#!/usr/bin/env python3
"""Builds and runs everything in C and C++: headers, behaviour, examples, consumers.

    tests/c_cpp.py [GROUP...]      groups: headers c sanitized cpp inlined refused both
                                            examples consumers

Prints one line per check, `ok`, `FAIL` or `skip`, and as its last line the totals. CARGO_TARGET_DIR
is honoured; cmake is looked for in .venv and on the PATH.
"""

import shutil
import sys

from checks import (
    BUILD,
    INCLUDE,
    SANITIZERS,
    STRICT,
    TARGET,
    TREE,
    behaviour,
    finish,
    report,
    run,
    segment_folder,
    succeeds,
    tests_in,
)
from consumer_projects import consumers
from cpp_variants import both, cpp, inlined, refused

# --- the library ---------------------------------------------------------------------------------


def build_library():
    """Builds with cargo; gives the flags that link against the shared library."""
    status, said = run(
        ["cargo", "build", "--release", "--lib", "--manifest-path", TREE / "Cargo.toml"]
    )
    if status:
        report("FAIL", "cargo build --release", said)
        finish()
    folder = BUILD / "lib"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ["libatoll.so", "libatoll.so.0"]:
        link = folder / name
        link.unlink(missing_ok=True)
        link.symlink_to(TARGET / "release" / "libatoll.so")
    return [f"-L{folder}", f"-Wl,-rpath,{folder}", "-latoll"]


# --- headers -------------------------------------------------------------------------------------

COMPILERS = [("gcc", "g++"), ("clang-16", "clang++-16")]


def headers(link):
    """The headers are valid in every standard they promise, alone, twice, and in two files."""
    one_by_one = [f"atoll/{path.name}" for path in sorted((INCLUDE / "atoll").glob("*.h*"))]
    for cc, cxx in COMPILERS:
        if not shutil.which(cc) or not shutil.which(cxx):
            report("skip", f"headers by {cc}: it is not installed")
            continue
        for standard in ["c99", "c11", "c17", "c2x"]:
            twice(f"atoll.h as {standard} by {cc}", [cc, f"-std={standard}"], "c", "c", link)
            alone("atoll/inline.h", "c", [cc, f"-std={standard}"])
        for standard in ["c++17", "c++20"]:
            compiler = [cxx, f"-std={standard}"]
            twice(f"atoll.hpp as {standard} by {cxx}", compiler, "cpp", "cpp", link)
            for header in one_by_one:
                alone(header, "c++", compiler)


def alone(header, language, compiler):
    """Compiles a file that includes one header and nothing else."""
    succeeds(
        f"{header} alone by {' '.join(compiler)}",
        [*compiler, *STRICT, f"-I{INCLUDE}", "-fsyntax-only", "-x", language, "-"],
        input=f"#include <{header}>\n",
    )


def twice(check, compiler, folder, ending, link):
    """Compiles, links and runs the two files of a folder that include the header twice."""
    program = BUILD / "include"
    files = [TREE / "tests" / folder / f"include_{n}.{ending}" for n in ["one", "two"]]
    command = [*compiler, *STRICT, f"-I{INCLUDE}", *files, "-o", program, *link]
    status, said = run(command)
    if status == 0:
        status, said = run([program])
    report("FAIL" if status else "ok", check, said)


# --- behaviour -----------------------------------------------------------------------------------


def c(link):
    """Every function of the C interface, and all the input it refuses."""
    for source in tests_in("c", "*.c"):
        behaviour("c", source, ["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-pthread"], link)


def sanitized(link):
    """The same, with the callers' side watched by the address and undefined sanitizers."""
    for source in tests_in("c", "*.c"):
        behaviour(
            "sanitized",
            source,
            ["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-pthread", *SANITIZERS],
            link,
        )


def examples(link):
    """The examples print what the file beside them says, built as their first lines say."""
    compilers = {".c": ["cc", "-std=c99", "-D_GNU_SOURCE"], ".cpp": ["c++", "-std=c++17"]}
    # For those that start a program in Python.
    python = {
        "PYTHON": sys.executable,
        "PYTHONPATH": str(TREE / "python"),
        "ATOLL_LIBRARY": str(BUILD / "lib" / "libatoll.so.0"),
    }
    for source in sorted((TREE / "c-examples").glob("*.c*")):
        check = f"examples/{source.name}"
        program = BUILD / source.name.replace(".", "-")
        status, said = run(
            [*compilers[source.suffix], *STRICT, f"-I{INCLUDE}", source, "-o", program, *link]
        )
        if status == 0:
            with segment_folder() as environment:
                status, said = run([program], cwd=source.parent, env={**environment, **python})
        expected = source.with_suffix(".txt").read_text()
        good = status == 0 and said == expected
        report("ok" if good else "FAIL", check, "" if good else f"{said}\nexpected:\n{expected}")


# --- main ----------------------------------------------------------------------------------------

GROUPS = [headers, c, sanitized, cpp, inlined, refused, both, examples]


def main(wanted):
    names = [group.__name__ for group in [*GROUPS, consumers]]
    if unknown := set(wanted) - set(names):
        sys.exit(f"no such group: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    link = build_library()
    for group in GROUPS:
        if not wanted or group.__name__ in wanted:
            group(link)
    if not wanted or "consumers" in wanted:
        consumers()  # each finds the library by itself
    finish()


if __name__ == "__main__":
    main(sys.argv[1:])
