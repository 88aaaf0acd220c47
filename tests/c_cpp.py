#!/usr/bin/env python3
"""Builds and runs everything in C and C++: headers, behaviour, examples, consumers.

    tests/c_cpp.py [GROUP...]      groups: headers c sanitized cpp examples consumers

Prints one line per check, `ok`, `FAIL` or `skip`, and as its last line the totals. CARGO_TARGET_DIR
is honoured; cmake is looked for in .venv and on the PATH.
"""

import shutil
import signal
import sys

from checks import (
    BUILD,
    INCLUDE,
    TARGET,
    TREE,
    finish,
    report,
    run,
    segment_folder,
    succeeds,
    totals,
)
from consumer_projects import consumers

STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
LEAKS = f"suppressions={TREE / 'tests' / 'c' / 'leaks.supp'}:print_suppressions=0"

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
    one_by_one = [f"atoll/{path.name}" for path in sorted((INCLUDE / "atoll").glob("*.hpp"))]
    for cc, cxx in COMPILERS:
        if not shutil.which(cc) or not shutil.which(cxx):
            report("skip", f"headers by {cc}: it is not installed")
            continue
        for standard in ["c99", "c11", "c17", "c2x"]:
            twice(f"atoll.h as {standard} by {cc}", [cc, f"-std={standard}"], "c", "c", link)
        for standard in ["c++17", "c++20"]:
            compiler = [cxx, f"-std={standard}"]
            twice(f"atoll.hpp as {standard} by {cxx}", compiler, "cpp", "cpp", link)
            for header in one_by_one:
                succeeds(
                    f"{header} alone as {standard} by {cxx}",
                    [*compiler, *STRICT, f"-I{INCLUDE}", "-fsyntax-only", "-x", "c++", "-"],
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
    flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g"]
    for source in tests_in("c", "*.c"):
        behaviour(
            "sanitized", source, ["gcc", "-std=gnu11", "-D_GNU_SOURCE", "-pthread", *flags], link
        )


def cpp(link):
    """Every class of the C++ interface, in both standards and by both compilers."""
    for compiler, standard in [("g++", "c++17"), ("g++", "c++20"), ("clang++-16", "c++20")]:
        group = f"{compiler} {standard}"
        if not shutil.which(compiler):
            report("skip", f"{group}: it is not installed")
            continue
        for source in tests_in("cpp", "*.cpp"):
            behaviour(group, source, [compiler, f"-std={standard}", "-pthread"], link)


def tests_in(folder, pattern):
    files = sorted((TREE / "tests" / folder).glob(pattern))
    return [path for path in files if not path.name.startswith("include_")]


def behaviour(group, source, compiler, link):
    """Builds one test program and counts the lines it prints; see tests/c/check.h."""
    program = BUILD / f"{group} {source.stem}".replace(" ", "-")
    status, said = run([*compiler, *STRICT, "-O1", f"-I{INCLUDE}", source, "-o", program, *link])
    if status:
        return report("FAIL", f"{group}/{source.stem} compiles", said)
    with segment_folder() as environment:
        status, said = run([program], env={**environment, "LSAN_OPTIONS": LEAKS})
    detail = []
    failed_before = totals["FAIL"]
    for line in said.splitlines():
        verdict, _, name = line.partition(" ")
        if verdict in ("ok", "FAIL", "skip") and name:
            report(verdict, f"{group}/{source.stem}: {name.strip()}", "\n".join(detail))
            detail = []
        else:
            detail.append(line.strip())
    if status != 0 and totals["FAIL"] == failed_before:
        ending = signal.Signals(-status).name if status < 0 else f"status {status}"
        report("FAIL", f"{group}/{source.stem} ended with {ending}", "\n".join(detail))


def examples(link):
    """The examples print what the file beside them says, built as their first lines say."""
    compilers = {".c": ["cc", "-std=c99", "-D_GNU_SOURCE"], ".cpp": ["c++", "-std=c++17"]}
    for source in sorted((TREE / "c-examples").glob("*.c*")):
        check = f"examples/{source.name}"
        program = BUILD / source.name.replace(".", "-")
        status, said = run(
            [*compilers[source.suffix], *STRICT, f"-I{INCLUDE}", source, "-o", program, *link]
        )
        if status == 0:
            with segment_folder() as environment:
                status, said = run([program], env=environment)
        expected = source.with_suffix(".txt").read_text()
        good = status == 0 and said == expected
        report("ok" if good else "FAIL", check, "" if good else f"{said}\nexpected:\n{expected}")


# --- main ----------------------------------------------------------------------------------------

GROUPS = [headers, c, sanitized, cpp, examples]


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
