"""Other processes for the tests: real ones, that run a text of Python."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import atoll

_PROLOGUE = """
import os, sys, time
import atoll
def say(word): print(word, flush=True)
def hang(): time.sleep(600)
segment = atoll.Segment(sys.argv[1]) if len(sys.argv) > 1 else None
"""


class Child:
    """A Python process that has the segment open as `segment`.

    Its code calls `say` to tell how far it is, and `hang` to be killed there. To leave
    the `with` block kills what still runs.
    """

    def __init__(self, code: str, segment: object = None, **environment: str) -> None:
        command = [sys.executable, "-c", _PROLOGUE + textwrap.dedent(code)]
        if segment is not None:
            command.append(segment.name)
        paths = [str(Path(atoll.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), **environment},
        )
        self.pid = self.process.pid

    def expect(self, word: str) -> None:
        """Wait until it says this, and nothing else first."""
        line = self.process.stdout.readline().strip()
        if line != word:
            self.kill()
            raise AssertionError(f"{line!r}, not {word!r}:\n{self.process.stderr.read()}")

    def tell(self) -> None:
        """Let it go on from an `input()`."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        """As the kernel does it: no last words. Returns when it is gone."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def finish(self) -> str:
        """Wait for its end, which must be a good one and without a word of complaint."""
        out, err = self.process.communicate()
        assert self.process.returncode == 0 and not err, (self.process.returncode, err)
        return out

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.kill()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()


def run(code: str, segment: object = None, **environment: str) -> str:
    """The output of a Python process that ends well and says nothing on stderr."""
    with Child(code, segment, **environment) as child:
        return child.finish()


def sleeps(pid: int) -> bool:
    """Whether a process that has one thread sleeps in the kernel."""
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(") ")[2].startswith("S")


def path(segment: object) -> str:
    """The file that a segment is."""
    return os.path.join(atoll.platform_info().directory, segment.name)


def is_mapped(inode: int) -> bool:
    """Whether any of a file is mapped into this process."""
    with open("/proc/self/maps") as lines:
        return any(int(line.split()[4]) == inode for line in lines)
