"""What the checks of the C and C++ faces share: places, reports, commands that cannot hang."""

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
WATCHDOG = 900  # seconds; only what hangs ever meets it

STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
# Without optimisation, which takes such code twice as long to compile and hides accesses.
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g", "-O0"]
LEAKS = f"suppressions={TREE / 'tests' / 'c' / 'leaks.supp'}:print_suppressions=0"

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


def tests_in(folder, pattern):
    """The test programs in a folder; files that others of their kind include are none."""
    files = sorted((TREE / "tests" / folder).glob(pattern))
    return [path for path in files if not path.name.startswith("include_")]


def behaviour(group, source, compiler, link):
    """Builds one test program and counts the lines it prints; see tests/c/check.h."""
    checks_of(group, source, *compiled(group, source, compiler, link))


def compiled(group, source, compiler, link):
    """Builds one test program; gives its path, the compiler's status, and what that said."""
    program = BUILD / f"{group} {source.stem}".replace(" ", "-")
    return program, *run([*compile_command(compiler), source, "-o", program, *link])


def compile_command(compiler):
    """How whatever belongs to a test program is compiled; a compiler's own options win."""
    return [compiler[0], *STRICT, "-O1", f"-I{INCLUDE}", *compiler[1:]]


def checks_of(group, source, program, status, said):
    """Runs one test program that was compiled, or says why it was not."""
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


def finish():
    """The last line and the exit status."""
    print(f"{totals['ok']} passed, {totals['FAIL']} failed, {totals['skip']} skipped")
    sys.exit(1 if totals["FAIL"] else 0)
