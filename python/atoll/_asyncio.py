"""How tasks of asyncio wait: one reader for an object in a loop, however many tasks wait there.

A ring only wakes. What there is to be had is taken by the task itself, in the step in which
it returns, so one that is cancelled never has anything; the descriptor stays readable while
there is something, and wakes the next. A time that is up is the loop's own alarm.

This module is imported when a task first waits: it needs asyncio.
"""

from __future__ import annotations

import os
from asyncio import Future, get_running_loop
from threading import RLock
from time import monotonic_ns
from weakref import WeakKeyDictionary

from ._errors import WrongKind
from ._polled import descriptor
from ._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from typing import Callable, Dict, Final, Mapping, MutableMapping, Tuple

    from ._handle import Handle
    from ._polled import Ready
    from ._wait import Deadline

    Turn = Future[bool]

_NONE: Final[Mapping[AbstractEventLoop, Listener]] = {}


def listener_for(polled: Ready, one_at_a_time: bool = False) -> Listener:
    """What tasks of the running loop wait by for an object."""
    loop, listeners = get_running_loop(), _listeners_of(polled)
    listener = listeners.get(loop)
    if listener is None:
        handle = polled._another_handle()
        listener = Listener(polled._noun, handle, one_at_a_time, polled._end)
        with _tables:
            listeners[loop] = listener
        polled._pointer()  # who closes it after this finds the listener
    return listener


def end_all(polled: Ready) -> None:
    """The object was closed: have all tasks that wait for it look again, by whatever thread this
    is called."""
    with _tables:
        listeners = list(polled._listeners.values())
    for listener in listeners:
        listener.end()


#: Who changes the table of an object holds it, or reads all of it: tasks may be those of several
#: threads. What is collected meanwhile may be closed.
_tables = RLock()


def _let_go_in_child() -> None:
    """Of what another thread of the parent held when it forked."""
    global _tables
    _tables = RLock()


os.register_at_fork(after_in_child=_let_go_in_child)


def _listeners_of(polled: Ready) -> MutableMapping[AbstractEventLoop, Listener]:
    """The table of an object, from now on the same for all."""
    if not hasattr(polled, "_listeners"):
        with _tables:
            if not hasattr(polled, "_listeners"):
                polled._listeners = WeakKeyDictionary()
    return polled._listeners


def is_waited_for(polled: Ready) -> bool:
    """Whether tasks of the running loop wait already, whose turn is first."""
    listener = getattr(polled, "_listeners", _NONE).get(get_running_loop())
    return listener is not None and bool(listener._turns)


class Listener:
    """The tasks of one loop that wait for one object.

    A ring wakes the one who has waited longest, if what there is is enough for one, or all.
    """

    def __init__(
        self, noun: str, handle: Handle, one_at_a_time: bool = False, end: Tuple[int, ...] = ()
    ) -> None:
        self._noun = noun
        self._end = end
        self._handle = handle
        self._one_at_a_time = one_at_a_time
        #: In the order in which they came; each keeps its place when it was woken for nothing.
        self._turns: Dict[object, Turn] = {}
        self._descriptor = -1
        self._ended = False

    async def until(self, attempt: Callable[[], bool], deadline: Deadline) -> bool:
        """Wait until `attempt` gives true, which is made when there may be a reason; and once
        more when the time is up."""
        loop, place = get_running_loop(), object()
        try:
            while True:
                turn = self._turns[place] = loop.create_future()
                self._listen(loop)
                # It may have been closed after it was looked at and before there was this turn.
                in_time = self._ended or await _before(deadline, turn)
                if attempt():
                    return True
                if not in_time:
                    return False
        finally:
            del self._turns[place]
            if not self._turns:
                self._stop(loop)

    def end(self) -> None:
        """Have all look again, by whatever thread this is called, from now on at once."""
        self._ended = True
        for turn in list(self._turns.values()):
            loop = turn.get_loop()
            if not loop.is_closed():
                loop.call_soon_threadsafe(_end, turn, True)

    def _listen(self, loop: AbstractEventLoop) -> None:
        """Arm the descriptor, and have the loop look at it. If the object is ready it rings.

        It is another one if the program has closed it, or the process has left meanwhile."""
        now = descriptor(self._noun, self._handle.pointer, *self._end)
        if now == self._descriptor:
            return
        self._stop(loop)
        try:
            loop.add_reader(now, self._rung)
        except NotImplementedError:
            kind = type(loop).__name__
            raise WrongKind(
                f"the event loop {kind} cannot watch descriptors (add_reader): use one that can, "
                "or wait in a thread (asyncio.to_thread)"
            ) from None
        self._descriptor = now

    def _rung(self) -> None:
        """Arm it again, for those who come too late for this ring, and wake."""
        try:
            self._listen(get_running_loop())
        except Exception as error:  # to those who wait, and not to the log of the loop
            for turn in self._turns.values():
                if not turn.done():
                    turn.set_exception(error)
            return
        for turn in self._turns.values():
            if not turn.done():
                turn.set_result(True)
                if self._one_at_a_time:
                    break

    def _stop(self, loop: AbstractEventLoop) -> None:
        """Have the loop look no longer. In a forked child that takes nothing from its parent's
        epoll: the descriptor was closed there by the fork."""
        watched, self._descriptor = self._descriptor, -1
        if watched >= 0 and not loop.is_closed():
            loop.remove_reader(watched)


async def _before(deadline: Deadline, turn: Turn) -> bool:
    """Wait for a turn; false if the time was up."""
    if deadline is None:
        return await turn
    left = deadline - monotonic_ns()
    alarm = turn.get_loop().call_later(max(0, left) / 1e9, _end, turn, False)
    try:
        # The alarm is behind a descriptor that is always readable, and never comes.
        return await turn and left > 0
    finally:
        alarm.cancel()


def _end(turn: Turn, in_time: bool) -> None:
    """Wake the task that waits for its turn, unless something else has."""
    if not turn.done():
        turn.set_result(in_time)
