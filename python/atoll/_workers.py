"""A good end for the processes of multiprocessing.

Forked ones end by `os._exit`, of which the library hears nothing: to others they would
seem to have been killed. So they leave by their own list of things to do at the end.

That list is emptied when such a process begins, and filled anew by those who asked for
it beforehand. We ask when there is a fork, if multiprocessing is there by then, and so
never import it ourselves.
"""

from __future__ import annotations

import os
import sys

from ._native import patient
from ._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

#: After all others: queues have sent by then what this process had to say.
_LAST = -1_000_000

_asked = False


def _ask() -> None:
    """Have each process that begins from here on leave at its end."""
    global _asked
    util = sys.modules.get("multiprocessing.util")
    if util is not None and not _asked:
        util.register_after_fork(_leave_at_the_end, _leave_at_the_end)
        _asked = True  # and so in all processes forked from this one


def _leave_at_the_end(_: object = None) -> None:
    util: Any = sys.modules["multiprocessing.util"]
    util.Finalize(None, patient.atoll_process_leave, exitpriority=_LAST)


def _is_worker() -> bool:
    process: Any = sys.modules.get("multiprocessing.process")
    return process is not None and process.parent_process() is not None


os.register_at_fork(after_in_child=_ask)
_ask()  # for a process that imports us before it begins, as a forkserver makes them do
if _is_worker():  # and for one that has begun
    _leave_at_the_end()
