#!/usr/bin/env python3
"""Everything that has to hold: runs the parts, passes on what they say, and adds up their counts.

    make test [PYTHONS="3.9 3.13"]
    tests/run.py [PART...]          only the parts whose names begin with one of these

A part is a program that says in one of the ways of `COUNTS` how its checks went, and whose exit
status is 0, or 77 if this machine cannot run it, or something else.
"""

import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

TREE = Path(__file__).resolve().parent.parent
TARGET = Path(os.environ["CARGO_TARGET_DIR"])
CANNOT_RUN = 77
#: Parts that run at a time.
LANES = min(2, len(os.sched_getaffinity(0)))

#: Lines that count checks; each number in them counts for what its word means.
COUNTS = re.compile(
    r"test result: .*|"  # cargo test
    r"(=+ )?\d+ \w+(, \d+ \w+)* in [\d.]+s.*|"  # pytest
    r"(models|mutants): .*|"
    r"(\w+: )?\d+ passed, \d+ failed(, \d+ skipped)?"
)
#: So says the stepping harness of an operation, which is one check.
OPERATION = re.compile(r"\w+ (?:points=\d+ \w+|states=\d+ second=\d+) failures=(\d+)")
MEANINGS = {
    "passed": ("passed", "scenarios hold", "mutants caught"),
    "failed": ("failed", "error", "errors", "UNEXPECTED"),
    "skipped": ("skipped", "ignored", "deselected"),
}


class Skipped(Exception):
    """This machine cannot run a part; the text says why."""


# --- the parts -----------------------------------------------------------------------------------


def parts():
    """Names, and functions that give the commands."""
    yield "format", lambda: cargo("fmt", "--check")
    yield "lints", lambda: cargo("clippy", "--all-targets", "--", "-D", "warnings")
    yield "rust-examples", lambda: cargo("build", "--examples")
    yield "rust", lambda: cargo("test", "--no-fail-fast", "--lib", *rust_tests())
    yield "rust-docs", lambda: cargo("test", "--doc")
    yield "c-and-c++", lambda: [sys.executable, "tests/c_cpp.py"]
    pythons = {"python": lambda: sys.executable}
    for version in os.environ.get("PYTHONS", "").split():
        pythons[f"python-{version}"] = functools.partial(environment_of, version)
    oldest = list(pythons)[min(1, len(pythons) - 1)]  # `PYTHONS` begins with it
    for name, python in pythons.items():
        yield name, lambda python=python: pytest(accelerated(python()))
        # By ctypes in one of them: it is the same code in all, and the oldest has the most of it.
        if name == oldest:
            yield f"{name}-pure", lambda python=python: ["env", "ATOLL_PURE=1", *pytest(python())]
    yield "instructions", lambda: [sys.executable, "benches/instructions/count.py"]
    yield "models", lambda: ["models/run", "--quick"]
    yield "crash", lambda: cargo("test", "--test", "crash")
    yield "mutants", lambda: ["tests/mutants/run", "--quick"]
    yield "storm", lambda: [sys.executable, "tests/storm/run"]
    yield "soak", lambda: cargo("test", "--test", "soak")
    yield "demo", lambda: [sys.executable, "tests/demo.py"]


def cargo(command, *arguments):
    """A cargo command, if this toolchain has it: rustfmt and clippy are components of their own."""
    if subprocess.run(["cargo", command, "--help"], capture_output=True).returncode:
        raise Skipped(f"cargo has no {command} here: rustup component add {command}")
    return ["cargo", command, *arguments]


def rust_tests():
    """All but those that are parts of their own."""
    ask = ["cargo", "metadata", "--no-deps", "--format-version=1"]
    [package] = json.loads(subprocess.run(ask, stdout=subprocess.PIPE, check=True).stdout)[
        "packages"
    ]
    names = [target["name"] for target in package["targets"] if target["kind"] == ["test"]]
    return [word for name in names if name not in ("crash", "soak") for word in ("--test", name)]


def pytest(python):
    return [python, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "tests/python"]


def accelerated(python):
    """The same Python, once the package has its accelerator there."""
    built = subprocess.run([python, "python/accelerator/build.py"], cwd=TREE)
    if built.returncode == CANNOT_RUN:
        raise Skipped("there is no accelerator to test")
    built.check_returncode()
    return python


def environment_of(version):
    """The Python of an environment of that version, with what the tests need; made if need be."""
    python = TARGET / f"python-{version}" / "bin" / "python"
    complete = python.parent.parent / "complete"
    if not complete.exists():
        interpreter = interpreter_of(version)
        subprocess.run([interpreter, "-m", "venv", "--clear", python.parent.parent], check=True)
        quiet = ["--quiet", "--disable-pip-version-check"]
        subprocess.run([python, "-m", "pip", "install", *quiet, "numpy", "pytest"], check=True)
        complete.touch()
    return str(python)


def interpreter_of(version):
    """The path of an interpreter, by its name on the PATH or by pyenv."""
    tries = [([f"python{version}"], {})]
    if shutil.which("pyenv"):
        listed = subprocess.run(["pyenv", "versions", "--bare"], capture_output=True, text=True)
        full = [name for name in listed.stdout.split() if name.startswith(f"{version}.")]
        tries += [(["pyenv", "exec", "python3"], {"PYENV_VERSION": name}) for name in full]
    ask = "import sys; print('%d.%d' % sys.version_info[:2], sys.executable)"
    for command, environment in tries:
        if shutil.which(command[0]):
            asked = subprocess.run(
                [*command, "-c", ask],
                env={**os.environ, **environment},
                capture_output=True,
                text=True,
            )
            found, _, path = asked.stdout.strip().partition(" ")
            if asked.returncode == 0 and found == version:
                return path
    raise Skipped(f"there is no Python {version} here, neither as python{version} nor by pyenv")


@contextmanager
def surroundings(part):
    """The environment of a part. Tests in Python look what segments there are, and make theirs where
    the environment says; the others see to that themselves."""
    if not part.startswith("python"):
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="atoll-test-", dir="/dev/shm") as folder:
        os.chmod(folder, 0o1777)
        yield {**os.environ, "ATOLL_DIR": folder}


# --- running and counting ------------------------------------------------------------------------


def run(name, make_command):
    """Runs one part; gives what it said, its counts and how many seconds it took."""
    print(f"... {name}", flush=True)
    begin = time.monotonic()
    counts = Counter()
    said = [f"\n=== {name} ===\n"]
    try:
        command = make_command()
        said.append(f"$ {' '.join(map(str, command))}\n")
        with surroundings(name) as environment, subprocess.Popen(
            command,
            cwd=TREE,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as process:
            for line in process.stdout:
                said.append(line)
                counts.update(counted(name, line.strip()))
        status = process.returncode
    except Skipped as reason:
        said.append(f"{reason}\n")
        status = CANNOT_RUN
    except (OSError, subprocess.CalledProcessError) as error:
        said.append(f"{error}\n")
        status = 1
    return "".join(said), verdict(status, counts), time.monotonic() - begin


def counted(part, line):
    """What a line counts; nothing if it is no such line."""
    operation = OPERATION.fullmatch(line) if part == "crash" else None
    if operation:
        return Counter(["passed" if operation[1] == "0" else "failed"])
    if not COUNTS.fullmatch(line):
        return Counter()
    counts = Counter()
    for meaning, words in MEANINGS.items():
        for word in words:
            counts[meaning] += sum(map(int, re.findall(rf"(\d+) {word}\b", line)))
    return counts


def verdict(status, counts):
    """The counts of a part, made to agree with its exit status."""
    if status == CANNOT_RUN:
        return Counter(skipped=1)
    if status != 0 and not counts["failed"]:
        counts["failed"] = 1
    if status == 0 and not counts:
        counts["passed"] = 1  # a part that is one check
    return counts


def main(wanted):
    chosen = [(n, c) for n, c in parts() if not wanted or n.startswith(tuple(wanted))]
    if not chosen:
        sys.exit(f"no such part: {' '.join(wanted)}; there are {', '.join(n for n, _ in parts())}")
    total, table = Counter(), []
    # Most parts keep one processor busy. What a part says comes when it has ended, so that
    # two of them do not talk at once.
    with ThreadPoolExecutor(LANES) as lanes:
        running = {name: lanes.submit(run, name, command) for name, command in chosen}
        try:
            for name, outcome in running.items():
                said, counts, seconds = outcome.result()
                print(said, end="", flush=True)
                table.append((name, counts, seconds))
                total += counts
        except KeyboardInterrupt:
            lanes.shutdown(wait=False, cancel_futures=True)
            raise
    print(f"\n{'part':<18} {'passed':>7} {'failed':>7} {'skipped':>8} {'seconds':>8}")
    for name, counts, seconds in table:
        numbers = f"{counts['passed']:7} {counts['failed']:7} {counts['skipped']:8} {seconds:8.0f}"
        print(f"{name:<18} {numbers}{'  FAILED' if counts['failed'] else ''}")
    print(
        f"total: {total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped",
        flush=True,
    )
    return 1 if total["failed"] else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("interrupted")
