#!/usr/bin/env python3
"""Builds and runs everything in C and C++: headers, behaviour, examples, consumers.

    tests/c_cpp.py [GROUP...]      groups: headers c sanitized cpp examples consumers

Prints one line per check, `ok`, `FAIL` or `skip`, and as its last line the totals. CARGO_TARGET_DIR
is honoured; cmake is looked for in .venv and on the PATH.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

TREE = Path(__file__).resolve().parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", TREE / "target")).absolute()
BUILD = TARGET / "c_cpp"
INCLUDE = TREE / "include"
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
LEAKS = f"suppressions={TREE / 'tests' / 'c' / 'leaks.supp'}:print_suppressions=0"
SHARE_TARGET = {**os.environ, "CARGO_TARGET_DIR": str(TARGET)}  # so that CMake rebuilds nothing
WATCHDOG = 300  # seconds; only a program that hangs ever meets it

totals = Counter()


def report(verdict, check, detail=""):
    """One line per check; what went wrong follows, indented."""
    totals[verdict] += 1
    print(f"{verdict:4} {check}", flush=True)
    for line in detail.strip().splitlines()[-40:]:
        print(f"     {line}", flush=True)


def run(command, **options):
    """Runs a command; gives its exit status and all it said."""
    command = [str(word) for word in command]
    try:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=WATCHDOG,
            **options,
        )
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired as hung:
        return -signal.SIGKILL, f"{(hung.stdout or b'').decode(errors='replace')}\nit hung"


def succeeds(check, command, **options):
    """A check that is one command."""
    status, said = run(command, **options)
    report(
        "FAIL" if status else "ok",
        check,
        f"$ {' '.join(map(str, command))}\n{said}" if status else "",
    )
    return status == 0


@contextmanager
def segment_folder():
    """A folder like /dev/shm for segments, gone afterwards; programs learn it as ATOLL_DIR."""
    folder = tempfile.mkdtemp(prefix="atoll-test-", dir="/dev/shm")
    os.chmod(folder, 0o1777)
    try:
        yield {**os.environ, "ATOLL_DIR": folder}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
    """Every class of the C++ interface, in both standards."""
    for standard in ["c++17", "c++20"]:
        for source in tests_in("cpp", "*.cpp"):
            behaviour(standard, source, ["g++", f"-std={standard}", "-pthread"], link)


def tests_in(folder, pattern):
    files = sorted((TREE / "tests" / folder).glob(pattern))
    return [path for path in files if not path.name.startswith("include_")]


def behaviour(group, source, compiler, link):
    """Builds one test program and counts the lines it prints; see tests/c/check.h."""
    program = BUILD / f"{group}-{source.stem}"
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
    for source in sorted((TREE / "c-examples").glob("*.c")):
        check = f"examples/{source.stem}"
        program = BUILD / source.stem
        status, said = run(
            [
                "cc",
                "-std=c99",
                "-D_GNU_SOURCE",
                *STRICT,
                f"-I{INCLUDE}",
                source,
                "-o",
                program,
                *link,
            ]
        )
        if status == 0:
            with segment_folder() as environment:
                status, said = run([program], env=environment)
        expected = source.with_suffix(".txt").read_text()
        good = status == 0 and said == expected
        report("ok" if good else "FAIL", check, "" if good else f"{said}\nexpected:\n{expected}")


# --- consumers -----------------------------------------------------------------------------------


def consumers(link):
    """Projects outside the tree find, build against and run with the library in every way."""
    del link  # each consumer finds the library by itself
    with tempfile.TemporaryDirectory(prefix="atoll-consumers-") as folder:
        work = Path(folder) / "projects"
        shutil.copytree(TREE / "tests" / "consumers", work)
        by_hand(work)
        cmake = shutil.which("cmake", path=f"{TREE / '.venv' / 'bin'}:{os.environ['PATH']}")
        if cmake is None:
            return report("skip", "consumers with CMake: cmake is not installed")
        default_target_folder(cmake, work)
        prefix = installed(cmake, work)
        if prefix:
            found_by_pkg_config(work, prefix)
            found_by_cmake(cmake, work, prefix)
        inside_cmake(cmake, work)


def by_hand(work):
    """No build system: the compiler, the headers and the library."""
    library = TARGET / "release"
    soname = BUILD / "lib"
    for compiler, program in [("cc", "program.c"), ("c++", "program.cpp")]:
        compile_and_run(
            f"{compiler} {program}, shared",
            work,
            "shared",
            [compiler, program, f"-I{INCLUDE}", f"-L{library}", "-latoll"],
            soname,
        )
        compile_and_run(
            f"{compiler} {program}, static",
            work,
            "static",
            [compiler, program, f"-I{INCLUDE}", library / "libatoll.a", "-lpthread", "-ldl", "-lm"],
        )


def installed(cmake, work):
    """Installs, then moves the whole prefix elsewhere: nothing in it may know where it was."""
    build, first, prefix = work / "build-atoll", work / "first", work / "prefix"
    configure = [cmake, "-S", TREE, "-B", build, f"-DCMAKE_INSTALL_PREFIX={first}"]
    with unchanged_tree("cmake --build"):
        good = succeeds("cmake configures", configure, env=SHARE_TARGET) and succeeds(
            "cmake --build", [cmake, "--build", build]
        )
    if not (good and succeeds("cmake --install", [cmake, "--install", build])):
        return None
    first.rename(prefix)
    return prefix


def default_target_folder(cmake, work):
    """Unless told otherwise by CARGO_TARGET_DIR, cargo builds inside the build tree."""
    build = work / "build-default"
    alone = {name: word for name, word in os.environ.items() if name != "CARGO_TARGET_DIR"}
    _, said = run([cmake, "-S", TREE, "-B", build, "-LA"], env=alone)
    inside = f"ATOLL_CARGO_TARGET_DIR:PATH={build}/cargo" in said
    report("ok" if inside else "FAIL", "cargo builds in the build tree", "" if inside else said)


@contextmanager
def unchanged_tree(what):
    """Building must not write to the source tree (but for the folder that cargo was given)."""

    def listing():
        skip = {TARGET, TREE / ".git", TREE / "target", TREE / ".venv"}
        found = {}
        for folder, folders, files in os.walk(TREE):
            folders[:] = [
                name for name in folders if Path(folder, name) not in skip and name != "__pycache__"
            ]
            found[folder] = sorted(files)
        return found

    before = listing()
    yield
    same = listing() == before
    report("ok" if same else "FAIL", f"{what} leaves the source tree alone")


def found_by_pkg_config(work, prefix):
    if not shutil.which("pkg-config"):
        return report("skip", "consumers with pkg-config: it is not installed")
    environment = {**os.environ, "PKG_CONFIG_PATH": str(next(prefix.glob("lib*/**/pkgconfig")))}

    def flags(*arguments):
        return run(["pkg-config", *arguments, "atoll"], env=environment)[1].split()

    library = flags("--variable=libdir")[0]
    for compiler, program in [("cc", "program.c"), ("c++", "program.cpp")]:
        compile_and_run(
            f"pkg-config, {program}, shared",
            work,
            "shared",
            [compiler, program, *flags("--cflags", "--libs")],
            library,
        )
        compile_and_run(
            f"pkg-config --static, {program}",
            work,
            "static",
            [compiler, "-static", program, *flags("--static", "--cflags", "--libs")],
        )


def found_by_cmake(cmake, work, prefix):
    build = project(cmake, work, "find_package", [f"-DCMAKE_PREFIX_PATH={prefix}"])
    if build:
        run_programs("find_package", build)
    status, said = run(
        [
            cmake,
            "-S",
            work / "both_at_once",
            "-B",
            work / "build-both",
            f"-DCMAKE_PREFIX_PATH={prefix}",
        ]
    )
    refused = status != 0 and "ATOLL_LINKAGE" in said
    report(
        "ok" if refused else "FAIL",
        "find_package refuses shared and static in one program",
        "" if refused else said,
    )


def inside_cmake(cmake, work):
    """As part of another project; the libraries are those that cargo has built already."""
    for how in ["add_subdirectory", "fetch_content"]:
        build = project(cmake, work, how, [f"-DATOLL_SOURCE={TREE}"], env=SHARE_TARGET)
        if build:
            run_programs(how, build)


def project(cmake, work, name, definitions, **options):
    build = work / f"build-{name}"
    good = succeeds(
        f"{name} configures", [cmake, "-S", work / name, "-B", build, *definitions], **options
    ) and succeeds(f"{name} builds", [cmake, "--build", build], **options)
    return build if good else None


def run_programs(check, build):
    for name in ["c_shared", "c_static", "cpp_shared", "cpp_static"]:
        if (build / name).exists():
            run_program(f"{check}: {name}", build / name, linkage=name.split("_")[1])


def compile_and_run(check, work, linkage, command, library_path=None):
    program = work / "a.out"
    program.unlink(missing_ok=True)
    status, said = run([*command, "-o", program], cwd=work)
    if status:
        return report("FAIL", check, f"$ {' '.join(map(str, command))}\n{said}")
    run_program(check, program, linkage, library_path)


def run_program(check, program, linkage, library_path=None):
    """Runs a consumer, after a look at whether it really needs the shared library or does not."""
    needs_it = "libatoll.so.0" in run(["readelf", "-d", program])[1]
    if needs_it != (linkage == "shared"):
        return report("FAIL", check, f"it is not linked {linkage}")
    with segment_folder() as environment:
        if library_path:
            environment["LD_LIBRARY_PATH"] = str(library_path)
        status, said = run([program, "atoll-test-consumer"], env=environment)
    good = status == 0 and said.endswith(": 42\n")
    report("ok" if good else "FAIL", check, "" if good else said)


# --- main ----------------------------------------------------------------------------------------

GROUPS = [headers, c, sanitized, cpp, examples, consumers]


def finish():
    print(f"{totals['ok']} passed, {totals['FAIL']} failed, {totals['skip']} skipped")
    sys.exit(1 if totals["FAIL"] else 0)


def main(wanted):
    names = [group.__name__ for group in GROUPS]
    if unknown := set(wanted) - set(names):
        sys.exit(f"no such group: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    link = build_library()
    for group in GROUPS:
        if not wanted or group.__name__ in wanted:
            group(link)
    finish()


if __name__ == "__main__":
    main(sys.argv[1:])
