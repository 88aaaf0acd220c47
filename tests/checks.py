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


def finish():
    """The last line and the exit status."""
    print(f"{totals['ok']} passed, {totals['FAIL']} failed, {totals['skip']} skipped")
    sys.exit(1 if totals["FAIL"] else 0)
