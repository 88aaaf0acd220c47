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
from functools import partial
from operator import attrgetter, is_not

from . import _abi
from ._arguments import integer
from ._errors import AtollError, Closed, NotOwner, failure
from ._native import named
from ._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

_as_method = ctypes.pythonapi["PyInstanceMethod_New"]
_as_method.argtypes, _as_method.restype = (ctypes.py_object,), ctypes.py_object


class _Itself:
    """The receiver: its handle."""

    from_param = attrgetter("_as_parameter_")


class _Whether:
    """What `with` tells its `__exit__` about an exception, as a number: its class can be
    called, and None cannot. Most functions leave it unread."""

    from_param = callable


class _One:
    """In place of whatever it is: 1."""

    from_param = partial(is_not, object())


class _Counts(dict):  # type: ignore[type-arg]
    """From how many to how ctypes takes it. What is no such number is 0, which does nothing."""

    def __missing__(self, count: object) -> ctypes.c_uint32:
        try:
            return ctypes.c_uint32(integer(count, "n", 1, _MOST))
        except AtollError:
            return ctypes.c_uint32(0)


class _Count:
    """How many; the usual one is not looked at in Python."""

    from_param = _Counts({1: ctypes.c_uint32(1)}).__getitem__


_MOST = (1 << 32) - 1

#: What is given to `__exit__`: to be read as it is, or as the one that it gives back.
END_OF_WITH = (_Whether, _Whether, _Whether)
END_OF_ONE = (_One, _Whether, _Whether)


class _Outcome(dict):  # type: ignore[type-arg]
    """From a status to what the method returns; a failure is what it does not have."""

    def __init__(self, kinds: dict[int, type[Exception]]) -> None:
        super().__init__({_abi.OK: None})
        self._kinds = kinds

    def __missing__(self, status: int) -> None:
        error = failure(status)
        raise self._kinds[status](str(error)) if status in self._kinds else error


def releasing(
    function: Any,
    name: str,
    takes: tuple[Any, ...],
    doc: str,
    misuse: type[AtollError] = Closed,
    unheld: type[Exception] = NotOwner,
) -> Any:
    """A function of the library, which is changed, as a method that takes more arguments, or
    none. `misuse` is what it raises if there is no such handle: with most, that is only
    after `close`; and `unheld` if there is nothing to let go of."""
    function.argtypes = (_Itself, *takes)
    function.restype = _Outcome(
        {_abi.INVALID_ARGUMENT: misuse, _abi.NOT_OWNER: unheld}
    ).__getitem__
    function.__name__, function.__doc__ = name, doc
    return _as_method(function)


def releasing_some(function: str, name: str, doc: str) -> Any:
    """A function of the library as a method that takes `n`, which is 1 if it is not given."""
    prototype: Any = ctypes.PYFUNCTYPE
    takes = prototype(ctypes.c_int32, _Itself, _Count)
    some = named(function, takes, ((1, "self"), (1, "n", 1)))
    some.errcheck = _some_were_released
    some.__name__, some.__doc__ = name, doc
    return _as_method(some)


def _some_were_released(status: int, _: object, arguments: tuple[Any, object]) -> None:
    """Python again, but when it is done."""
    object, count = arguments
    if count != 1:
        integer(count, "n", 1, _MOST)
    if status != _abi.OK:
        raise object._failure(status)
