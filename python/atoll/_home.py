"""The home segment: where objects live for which nobody says where."""

from __future__ import annotations

import os
from ctypes import byref, c_void_p

from ._errors import check
from ._native import patient
from ._segment import Segment

_home: Segment | None = None


def home() -> Segment:
    """The home segment of this process, which is made when it is first wanted.

    It goes when the process has ended and nobody else has an object of it open.
    """
    global _home
    found = _home
    if found is None:
        pointer = c_void_p()
        check(patient.atoll_segment_home(byref(pointer)))
        _home = found = Segment._from_pointer(pointer)
    return found


def _leave_it_to_the_parent() -> None:
    global _home
    _home = None


os.register_at_fork(after_in_child=_leave_it_to_the_parent)
