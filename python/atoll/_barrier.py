"""Barriers: a number of parties that wait for each other.

Who has arrived is counted, so whatever ends a wait before the barrier does has to tell the
others: they would wait for one who has gone. As in `_lock`, `for` statements say what was
done, and here it is whether this party is inside; if it is, an exception breaks the round it
is in, and no other.

This module is imported when it is first wanted: it needs `threading`, and some versions of
Python wait for ever at the end of an interpreter that has imported that in a thread.
"""

from __future__ import annotations

from ctypes import byref, c_bool
from functools import partial
from itertools import repeat, starmap
from threading import BrokenBarrierError
from time import monotonic_ns, sleep

from . import _abi
from ._arguments import integer, only_open
from ._errors import AtollError, WrongKind, check
from ._native import bare, patient, quick
from ._object import OBJECT_SLOTS, SharedObject
from ._typing import TYPE_CHECKING
from ._wait import answers, deadline_after

if TYPE_CHECKING:
    from typing import Any, Callable

    from ._arguments import Create
    from ._segment import Segment

_arrive = bare("atoll_barrier_arrive")
_release = bare("atoll_barrier_release")
_abort = bare("atoll_barrier_abort")

_MOST_PARTIES = (1 << 15) - 1

#: Seconds, for one too many, who comes while the action of a full round is under way.
_WHILE_OTHERS_ACT = 0.001


class Broken(AtollError, BrokenBarrierError):
    """A barrier that not all parties came through; `reset` makes it as new.

    `pid` is the process that died inside, or 0 if one of them gave up.
    """

    status = _abi.BROKEN
    pid: int = 0


class Barrier(SharedObject):
    """As many parties as it was made for wait for each other, again and again.

    `Barrier(segment, "name", 3)` opens it, or makes it for 3 threads, of one process or of
    several. Without a name it is anonymous, and others get it by a pickle or a fork;
    `Barrier(parties=3)` is such a one in the home segment of this process.

    `action` is what the last to arrive calls before all go on; each party has its own, and
    it goes along with a pickle. `timeout`, in seconds, is for waits that are given none.

    If a party dies inside, is interrupted there or out of time, or if its action fails, the
    barrier is broken: all in it raise `Broken`, which is also `threading.BrokenBarrierError`,
    and so does who comes, until `reset`. A dead one is named by `pid`.
    """

    __slots__ = (*OBJECT_SLOTS, "_action", "_timeout")

    _noun = "barrier"

    def __init__(
        self,
        segment: Segment | None = None,
        name: str | None = None,
        parties: int | None = None,
        action: Callable[[], object] | None = None,
        timeout: float | None = None,
        *,
        create: Create = "open",
    ) -> None:
        if parties is None:
            create = only_open(create, name, "a Barrier", "for how many parties")
        else:
            parties = integer(parties, "parties", 1, _MOST_PARTIES)
        deadline_after(timeout)  # only to see that it is one
        self._obtain(segment, name, create, *(() if create is False else (parties,)))
        self._see(action, timeout)
        if parties not in (None, self.parties):
            label, found = self._label(), self.parties
            self.close()
            raise WrongKind(f"{label} is for {found} parties, and not for {parties} as you say")

    def _see(self, action: Callable[[], object] | None, timeout: float | None) -> None:
        self._action, self._timeout = action, timeout

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the other parties. Each gets another number, from 0 to `parties - 1`.

        Raises `Broken` if they do not all come through, and breaks the barrier if the time
        is up first.
        """
        deadline = deadline_after(self._timeout if timeout is None else timeout)
        pointer, action, arrival = self._pointer(), self._action, _abi.atoll_arrival()
        hold = c_bool(action is not None)
        wait_for = partial(patient.atoll_barrier_wait, pointer)
        for status in starmap(_arrive, repeat((pointer, hold, byref(arrival)))):
            if status != _abi.FULL or (deadline is not None and deadline <= monotonic_ns()):
                break
            sleep(_WHILE_OTHERS_ACT)
        if status != _abi.OK:
            raise self._refusal(status)
        status, inside = _abi.TIMED_OUT, True
        try:
            if action is not None and arrival.last:
                action()
                _release(pointer)
            for status in answers(wait_for, deadline):
                inside = False
                break
        finally:
            if inside:
                _abort(pointer)
                status = wait_for(0)
        if status != _abi.OK:
            raise self._refusal(status)
        return arrival.index  # type: ignore[no-any-return]

    def reset(self) -> None:
        """Make it as new. Who is in it raises `Broken`."""
        check(quick.atoll_barrier_reset(self._pointer()))

    def abort(self) -> None:
        """Break it, for all who are in it and who come, until `reset`."""
        check(quick.atoll_barrier_abort(self._pointer()))

    @property
    def parties(self) -> int:
        """How many it is for."""
        return self._info().parties  # type: ignore[no-any-return]

    @property
    def n_waiting(self) -> int:
        """How many are in it at this moment."""
        return self._info().waiting  # type: ignore[no-any-return]

    @property
    def broken(self) -> bool:
        """Whether it is broken at this moment."""
        return self._info().broken  # type: ignore[no-any-return]

    def _info(self) -> _abi.atoll_barrier_info:
        out = _abi.atoll_barrier_info()
        check(quick.atoll_barrier_stat(self._pointer(), byref(out)))
        return out

    def _refusal(self, status: int) -> AtollError:
        error = self._failure(status)
        if status != _abi.BROKEN:
            return error
        broken = Broken(str(error))
        broken.pid = self._info().culprit_pid
        return broken

    def _view_to_pickle(self) -> tuple[Any, ...]:
        view = self._action, self._timeout
        return view if self._name is None else (None, *view)

    def _describe(self) -> str:
        info = self._info()
        if info.broken:
            return f"broken by the death of {info.culprit_pid}" if info.culprit_pid else "broken"
        return f"{info.waiting} of {info.parties} waiting"
