"""Contexts: for one start method each, the standard library's with our classes in them.

Our objects do not care how a process came to be, so each context has the same classes. What is
not ours yet is made by the context of the standard library that has the same start method, and
is in no way different from what that makes for others.
"""

from __future__ import annotations

import multiprocessing
from functools import wraps
from multiprocessing.context import (
    AuthenticationError,
    BaseContext,
    BufferTooShort,
    ForkContext as _Fork,
    ForkServerContext as _ForkServer,
    Process,
    ProcessError,
    SpawnContext as _Spawn,
    TimeoutError,
    assert_spawning,
    get_spawning_popen,
    set_spawning_popen,
)

from . import synchronize
from .._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "AuthenticationError",
    "BaseContext",
    "BufferTooShort",
    "ForkContext",
    "ForkServerContext",
    "Process",
    "ProcessError",
    "SpawnContext",
    "TimeoutError",
    "assert_spawning",
    "get_context",
    "get_spawning_popen",
    "set_spawning_popen",
]

#: What a context of the standard library makes and gives itself to.
_THEIRS = "Array JoinableQueue Manager Pool Queue SimpleQueue Value".split()


def _made_by_theirs(name: str) -> Any:
    """A factory that leaves the work to the standard library's context."""

    @wraps(getattr(BaseContext, name))
    def make(self: BaseContext, *arguments: Any, **keywords: Any) -> Any:
        theirs = multiprocessing.get_context(self.get_start_method())
        return getattr(theirs, name)(*arguments, **keywords)

    return make


def _with_our_classes(kind: Any) -> Any:
    """The same context, with our classes for what makes them."""
    for name in _THEIRS:
        setattr(kind, name, _made_by_theirs(name))
    for name in (*synchronize.__all__, "Barrier"):
        setattr(kind, name, getattr(synchronize, name))
    return kind


class _Context(BaseContext):
    if TYPE_CHECKING:
        Lock = synchronize.Lock  # type: ignore[assignment]
        RLock = synchronize.RLock  # type: ignore[assignment]
        Semaphore = synchronize.Semaphore  # type: ignore[assignment]
        BoundedSemaphore = synchronize.BoundedSemaphore  # type: ignore[assignment]
        Condition = synchronize.Condition  # type: ignore[assignment]
        Event = synchronize.Event  # type: ignore[assignment]
        Barrier = synchronize.Barrier  # type: ignore[assignment]
        Process: Any

    def get_context(self, method: str | None = None) -> _Context:  # type: ignore[override]
        """This one, or the one for another start method."""
        return self if method is None else get_context(method)


@_with_our_classes
class ForkContext(_Context, _Fork):
    """Processes are forked."""


@_with_our_classes
class SpawnContext(_Context, _Spawn):
    """Processes are programs of their own."""


@_with_our_classes
class ForkServerContext(_Context, _ForkServer):
    """Processes are forked from a server that has no threads."""


_contexts = {kind._name: kind() for kind in (ForkContext, SpawnContext, ForkServerContext)}


def get_context(method: str | None = None) -> _Context:
    """The context for a start method; for the one that is set, if none is given."""
    return _contexts[multiprocessing.get_context(method).get_start_method()]
