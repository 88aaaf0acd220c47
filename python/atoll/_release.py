"""Methods that let go of a lock, as C calls from their first instruction.

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
from typing import Any

from . import _abi
from ._errors import Closed, failure
from ._native import bare

_as_method = ctypes.pythonapi["PyInstanceMethod_New"]
_as_method.argtypes, _as_method.restype = (ctypes.py_object,), ctypes.py_object


class _Itself:
    """The receiver: its handle."""

    from_param = attrgetter("_as_parameter_")


class _Whatever:
    """What `with` tells its `__exit__` about an exception, which C leaves unread. It
    becomes a harmless number; `callable` can make one of any object."""

    from_param = callable


class _Outcome(dict):  # type: ignore[type-arg]
    """From a status to what the method returns; a failure is what it does not have."""

    def __missing__(self, status: int) -> None:
        error = failure(status)
        # The one argument is the handle, and nobody but `close` spoils it.
        raise Closed(str(error)) if status == _abi.INVALID_ARGUMENT else error


_RETURN_NONE = _Outcome({_abi.OK: None}).__getitem__


def releasing(name: str, ignored: int, doc: str) -> Any:
    """`atoll_mutex_unlock` as a method that takes and ignores some arguments."""
    function = bare("atoll_mutex_unlock")
    function.argtypes = (_Itself, *[_Whatever] * ignored)
    function.restype = _RETURN_NONE
    function.__name__, function.__doc__ = name, doc
    return _as_method(function)
