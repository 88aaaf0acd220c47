"""How a task of asyncio waits for a condition.

The locks of conditions belong to threads, so nobody else can wait for one in the place of the
loop's own thread: the task tries, and lets the others run between two attempts. When the wait
ends, by what it may, the lock is held again first.

This module is imported when a task first waits: it needs asyncio.
"""

from __future__ import annotations

from asyncio import CancelledError, sleep

from ._asyncio import Listener
from ._errors import failure
from ._typing import TYPE_CHECKING
from ._wait_any import wait as wait_any

if TYPE_CHECKING:
    from typing import Any, List

    from ._giving_way import Way
    from ._wait import Deadline
    from ._waiter import Waiter

#: Seconds between two attempts to take the lock back: each is twice the one before.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.0002, 0.02


async def wait_for(waiter: Waiter, way: Way, deadline: Deadline) -> bool:
    """Let go of the lock until the waiter was notified, and take it back. False if the time was
    up. The wait of `waiter` is over then."""
    gone: List[Any] = []
    assert waiter._handle is not None
    listener = Listener("waiter", waiter._handle)
    try:
        try:
            gone.extend(way.let_go())
            if not gone:
                raise failure()
            await listener.until(lambda: bool(wait_any([waiter], 0)), deadline)
        except GeneratorExit:
            _take_back_at_last(way, gone)
            raise
        except BaseException:
            await _take_back(way, gone)
            raise
        outcomes = await _take_back(way, gone)
    except BaseException:
        waiter.pass_on()
        raise
    notified = waiter.notified()
    way.judge(outcomes)
    return notified


async def _take_back(way: Way, gone: List[Any]) -> List[Any]:
    """Take it as often as there are things in the list, however often the task is cancelled."""
    cancelled, pause = None, _FIRST_PAUSE
    while gone and not (outcomes := way.try_back(gone)):
        try:
            await sleep(pause)
        except CancelledError as error:
            cancelled = error
        except GeneratorExit:
            _take_back_at_last(way, gone)
            raise
        pause = min(2 * pause, _LONGEST_PAUSE)
    if cancelled is not None:
        raise cancelled
    return outcomes if gone else []


def _take_back_at_last(way: Way, gone: List[Any]) -> None:
    """The task is thrown away, and there is no loop any more that others could run in."""
    for _ in way.take_back(gone):
        pass
