"""Methods that let go of locks, as C calls from their first instruction.

Python looks for signals when a function written in Python begins. If Ctrl-C came while
the body of a `with` block was busy in C, a Python `__exit__` would be interrupted right
there, before it released anything, and the lock would stay held by code that is gone.
So `release` and `__exit__` are functions of the library, called through ctypes: they
take the handle from the object's `_as_parameter_`, which is how ctypes lets any object
stand for an argument, and nothing of theirs is Python unless they fail.
"""

from __future__ import annotations

import ctypes
from operator import attrgetter

from . import _abi
from ._errors import Closed, failure
from ._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from ._errors import AtollError

_as_method = ctypes.pythonapi["PyInstanceMethod_New"]
_as_method.argtypes, _as_method.restype = (ctypes.py_object,), ctypes.py_object


class _Itself:
    """The receiver: its handle."""

    from_param = attrgetter("_as_parameter_")


class _Whether:
    """What `with` tells its `__exit__` about an exception, as a number: its class can be
    called, and None cannot. Most functions leave it unread."""

    from_param = callable


class _Outcome(dict):  # type: ignore[type-arg]
    """From a status to what the method returns; a failure is what it does not have."""

    def __init__(self, misuse: type[AtollError]) -> None:
        super().__init__({_abi.OK: None})
        self._misuse = misuse

    def __missing__(self, status: int) -> None:
        error = failure(status)
        raise self._misuse(str(error)) if status == _abi.INVALID_ARGUMENT else error


def releasing(
    function: Any, name: str, ignored: int, doc: str, misuse: type[AtollError] = Closed
) -> Any:
    """A function of the library, which is changed, as a method that takes `ignored` more
    arguments. `misuse` is what it raises if there is no such handle: with most, that is
    only after `close`."""
    function.argtypes = (_Itself, *[_Whether] * ignored)
    function.restype = _Outcome(misuse).__getitem__
    function.__name__, function.__doc__ = name, doc
    return _as_method(function)
