"""Who holds a lock, and who died holding it: what is known of them, and the news of it."""

from __future__ import annotations

from ctypes import byref

from . import _abi
from ._errors import OwnerDied, check
from ._typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing import Any, Callable


class Owner(NamedTuple):
    """A thread that holds a lock, or that died holding it.

    `pid`, `tid` and `name` are what it calls itself; in another container the same
    numbers are somebody else. `owner_died` says that an owner died and nobody has
    called `mark_consistent` since.
    """

    pid: int
    tid: int
    name: str
    slot: int
    generation: int
    alive: bool
    owner_died: bool


def owner_of(question: Callable[..., int], pointer: Any) -> Owner | None:
    """What a function of the library answers that tells of one owner, or of none."""
    out = _abi.atoll_owner()
    check(question(pointer, byref(out)))
    return owner_in(out)


def owner_in(out: _abi.atoll_owner) -> Owner | None:
    """The owner that the library has put there, if it has."""
    if not out.generation:
        return None
    name = out.name.decode(errors="replace")
    return Owner(out.pid, out.tid, name, out.slot, out.generation, out.alive, out.owner_died)


def news_of(dead: Owner | None, label: str) -> OwnerDied:
    """The exception that says that this owner died holding what is called so."""
    who = f"process {dead.pid} ({dead.name})" if dead and dead.pid else "its last owner"
    news = OwnerDied(
        f"{who} died holding {label}: what it guards may be half-changed. "
        "Repair that in `with lock.recovering():`, then call lock.mark_consistent()"
    )
    if dead:
        news.pid, news.name = dead.pid, dead.name
    return news


def described(owner: Owner | None) -> str:
    """Who holds it, for `__repr__`."""
    if owner is None:
        return "free"
    state = "held by" if owner.alive else "left behind by dead"
    return f"{state} process {owner.pid} ({owner.name})"
