"""Events: something that has happened, until it is cleared.

Whether it has is one bit in shared memory, and read there. To wait in pieces loses nothing:
each goes on from the count of `set` calls that the first one found.
"""

from __future__ import annotations

from ctypes import byref, c_bool, c_uint32
from functools import partial

from . import _abi
from . import _accelerated as accelerated
from ._errors import check
from ._handle import Handle, lend
from ._native import bare, patient, quick
from ._object import OBJECT_SLOTS
from ._owning import NO_SLOTS
from ._polled import POLLED_SLOTS, Polled
from ._release import releasing
from ._typing import TYPE_CHECKING
from ._wait import NOW, deadline_after, wait

if TYPE_CHECKING:
    from ._arguments import Create
    from ._segment import Segment

#: The lowest number that the low half of the word is if the event is set.
_IS_SET = 1 << 31


class _Event(Polled):
    __slots__ = NO_SLOTS

    _noun = "event"

    def __init__(
        self,
        segment: Segment | None = None,
        name: str | None = None,
        *,
        create: Create = "open",
    ) -> None:
        self._obtain(segment, name, create)
        self._see()

    def _see(self) -> None:
        assert self._handle is not None
        #: The handle, where ctypes looks for it.
        self._as_parameter_ = self._handle.pointer
        #: The word in shared memory, if it can be read there.
        self._word: memoryview | None = None
        place = _abi.atoll_place()
        check(quick.atoll_event_place(self._pointer(), _abi.PLACE_CONTRACT, byref(place)))
        if place.word:
            self._word = lend(self._handle, place.word, 4).cast("I")
        self._bind(self._handle, self._handle.address)

    def _let_go(self) -> None:
        self._word = None
        self._unbind()

    def is_set(self) -> bool:
        """Whether it is set at this moment."""
        word = self._word
        return word[0] >= _IS_SET if word is not None else self._ask()

    if TYPE_CHECKING:

        def set(self) -> None: ...

        def clear(self) -> None: ...

    else:
        set = releasing(
            bare("atoll_event_set"), "set", (), "Set it, and wake all who wait. Never waits."
        )
        clear = releasing(bare("atoll_event_clear"), "clear", (), "Have it be not set.")

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set. True if it was, False if the time was up first.

        `timeout` is in seconds, None for ever; 0 and less only look. Who waits while it is
        set and cleared again has seen it set.
        """
        deadline = None if timeout is None else deadline_after(timeout)
        if self.is_set():
            return True
        pointer, sets = self._pointer(), self._sets()
        status = wait(partial(patient.atoll_event_wait_since, pointer, sets), deadline)
        if status not in (_abi.OK, _abi.TIMED_OUT):
            raise self._failure(status)
        return status == _abi.OK

    async def wait_async(self, timeout: float | None = None) -> bool:
        """`wait` for a task of asyncio: others go on meanwhile."""
        deadline = deadline_after(timeout)
        if self.is_set():
            return True
        if deadline == NOW:
            return False
        from ._asyncio import listener_for

        before = self._sets()
        return await listener_for(self).until(
            lambda: self.is_set() or self._sets() != before, deadline
        )

    def _sets(self) -> int:
        """How often it was set, in a manner of speaking: the number changes with each time."""
        out = c_uint32()
        check(quick.atoll_event_sets(self._pointer(), byref(out)))
        return out.value

    def _ask(self) -> bool:
        out = c_bool()
        check(quick.atoll_event_is_set(self._pointer(), byref(out)))
        return out.value

    def _bind(self, handle: Handle, pointer: int | None) -> None:
        """Have the accelerator know the event; there may be none."""

    def _unbind(self) -> None:
        """Have the accelerator forget it."""

    def _describe(self) -> str:
        return "set" if self.is_set() else "not set"


@accelerated.outright
class Event(accelerated.Event, _Event):
    """Something that threads of all processes that open it can wait for.

    `Event(segment, "name")` opens it, or makes it, not set. Without a name it is anonymous,
    and others get it by a pickle or a fork; `Event()` is such a one in the home segment of
    this process. Nobody ever waits for one who is dead: `set` wakes whoever lives.
    """

    __slots__ = (*OBJECT_SLOTS, *POLLED_SLOTS, "_as_parameter_", "_word")
