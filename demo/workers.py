"""The worker processes: started, seen to stop, killed, started again."""

import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PR_SET_PDEATHSIG = 1


class Worker:
    """One place among the workers, and the process that fills it at the moment."""

    def __init__(self, number, name, command):
        self.number = number
        self.name = name
        self._command = [*map(str, command)]
        self._process = None

    def start(self, segment):
        self._process = subprocess.Popen(
            [*self._command, segment, str(self.number)],
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the coordinator, which ends the others
            preexec_fn=_die_with_parent,
        )

    @property
    def pid(self):
        return self._process.pid

    def stopped(self):
        """Whether it stands still by a SIGSTOP."""
        if self.ended() is not None:
            return False
        return os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT) is not None

    def ended(self):
        """None while it runs, else its exit status, or minus the signal that ended it."""
        return self._process.poll()

    def kill(self):
        self._process.kill()

    def end(self):
        """However it stands, it is gone afterwards."""
        if self._process is not None and self.ended() is None:
            self.kill()
            self._process.wait()


def _die_with_parent():
    """Whatever ends the coordinator ends the workers, also those that stand still."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def all_of(binaries):
    """The four of them; `binaries` is where the compiled ones are."""
    python = [sys.executable, HERE / "worker.py"]
    return [
        Worker(1, "c", [Path(binaries) / "worker-c"]),
        Worker(2, "python-1", python),
        Worker(3, "c++", [Path(binaries) / "worker-cpp"]),
        Worker(4, "python-2", python),
    ]
