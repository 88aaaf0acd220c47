"""atoll.hpp in both of its variants, by both compilers, in each standard: what it does, what it
becomes, what it refuses.
"""

import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from itertools import product

from checks import (
    BUILD,
    INCLUDE,
    SANITIZERS,
    STRICT,
    TREE,
    checks_of,
    compile_command,
    compiled,
    report,
    run,
    segment_folder,
    tests_in,
)

COMPILERS = ["g++", "clang++-16"]
STANDARDS = ["c++17", "c++20"]
VARIANTS = {
    "throwing": [],
    "returning": ["-DATOLL_NO_EXCEPTIONS", "-fno-exceptions", "-fno-rtti"],
}
BUILDS = TREE / "tests" / "cpp" / "builds"


def compilers():
    """Those that are here."""
    for compiler in COMPILERS:
        if shutil.which(compiler):
            yield compiler
        else:
            report("skip", f"C++ by {compiler}: it is not installed")


def cpp(link):
    """Every class of the C++ interface. Every two of compiler, standard and variant meet: all
    three would take twice as long."""
    jobs = [
        (
            f"{compiler} {standard} {variant}",
            source,
            [compiler, f"-std={standard}", *VARIANTS[variant]],
        )
        for number, compiler in enumerate(compilers())
        for variant, standard in zip(VARIANTS, STANDARDS if number == 0 else STANDARDS[::-1])
        for source in tests_in("cpp", "*.cpp")
        if not source.name.startswith(tuple(VARIANTS.keys() - {variant}))
    ]
    jobs += [
        ("sanitized C++", source, ["g++", "-std=c++17", *SANITIZERS])
        for source in tests_in("cpp", "*.cpp")
        if not source.name.startswith("returning")
    ]
    # The first standard with operator[] for more than one index.
    jobs += [("g++ c++23", BUILDS.parent / "array.cpp", ["g++", "-std=c++23"])]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        ways = {group: [*compiler, "-pthread"] for group, _, compiler in jobs}
        headers = dict(zip(ways, pool.map(precompiled, ways, ways.values())))
        built = [
            (
                group,
                source,
                pool.submit(compiled, group, source, [*ways[group], *headers[group]], link),
            )
            for group, source, _ in jobs
        ]
        for group, source, program in built:
            checks_of(group, source, *program.result())


def precompiled(group, compiler):
    """Compiles once for all tests of a group what every one of them includes first; gives the
    options by which they find it. It takes as long as all the rest of a test."""
    folder = BUILD / f"{group} headers".replace(" ", "-")
    folder.mkdir(parents=True, exist_ok=True)
    header = folder / "first.hpp"
    header.write_text(f'#include "{BUILDS.parent / "check.hpp"}"\n')
    ready = f"{header}.{'pch' if compiler[0].startswith('clang') else 'gch'}"
    status, said = run([*compile_command(compiler), "-x", "c++-header", header, "-o", ready])
    if status:
        report("FAIL", f"{group}: check.hpp compiles", said)
    return ["-include", header, "-Winvalid-pch"]


# --- what it becomes -----------------------------------------------------------------------------

ATOMIC = re.compile(r"\t(lock|xchg\w*|mfence)\b")
EXPECTED = re.compile(r"// atomics: (\d+)\n.*? (\w+)\(")


def inlined(_link):
    """The short ways are in the caller's own code, as few atomic instructions as can be."""
    if os.uname().machine != "x86_64":
        return report("skip", "inlined: no machine but x86-64 has short ways")
    source = BUILDS / "inlined.cpp"
    expected = {name: int(n) for n, name in EXPECTED.findall(source.read_text())}
    for compiler, (variant, options) in product(compilers(), VARIANTS.items()):
        output = BUILD / "inlined.s"
        command = [compiler, "-std=c++17", "-O2", "-S", "-fno-asynchronous-unwind-tables", *options]
        status, said = run([*command, *STRICT, f"-I{INCLUDE}", source, "-o", output])
        if status:
            report("FAIL", f"{compiler} {variant}/inlined compiles", said)
            continue
        bodies = functions(output.read_text())
        for name, number in expected.items():
            found = [line for line in bodies[name] if ATOMIC.match(line)]
            report(
                "ok" if len(found) == number else "FAIL",
                f"{compiler} {variant}: {name} has {number} atomic instructions",
                "" if len(found) == number else "\n".join(bodies[name]),
            )


def functions(assembly):
    """The lines of each function, by its name."""
    bodies, body = {}, []
    for line in assembly.splitlines():
        if start := re.match(r"(\w+):", line):
            body = bodies.setdefault(start[1], [])
        elif line.startswith("\t.size"):
            body = []
        body.append(line)
    return bodies


def both(link):
    """Files of both variants in one program. Without inlining, and as one by the linker, which
    looks for definitions that differ."""
    for compiler, how in [
        ("g++", ["-O0"]),
        ("clang++-16", ["-O0"]),
        ("g++", ["-O2", "-flto", "-Werror=odr", "-Werror=lto-type-mismatch"]),
    ]:
        check = f"both variants in one program, {compiler} {how[0]}"
        if not shutil.which(compiler):
            report("skip", f"{check}: it is not installed")
            continue
        program = BUILD / "both"
        sources = sorted(BUILDS.glob("both_*.cpp"))
        command = [compiler, "-std=c++17", *how, *STRICT, f"-I{INCLUDE}", *sources]
        status, said = run([*command, "-o", program, *link])
        if status == 0:
            with segment_folder() as environment:
                status, said = run([program, "atoll-test-both"], env=environment)
        report("FAIL" if status else "ok", check, said if status else "")


# --- what it refuses -----------------------------------------------------------------------------

PART = re.compile(r"^// (refused|allowed):(.*?)(?:\[(.*)\])?$", re.MULTILINE)


def refused(_link):
    """What must not compile does not, and the compiler's words say why."""
    beginning, *parts = PART.split((BUILDS / "refused.cpp").read_text())
    for compiler in compilers():
        for verdict, words, options, code in zip(*[iter(parts)] * 4):
            command = [compiler, "-std=c++17", *STRICT, f"-I{INCLUDE}", "-fsyntax-only"]
            status, said = run(
                [*command, *(options or "").split(), "-x", "c++", "-"], input=beginning + code
            )
            good = (status != 0 and words.strip() in said) if verdict == "refused" else status == 0
            what = " ".join(f"{words} {options or ''} {code}".split())[:70]
            report("ok" if good else "FAIL", f"{compiler}, {verdict}: {what}", "" if good else said)
