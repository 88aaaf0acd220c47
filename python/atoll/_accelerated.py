"""What the compiled accelerator has, or nothing in its place: chosen here, once.

It is not needed for anything, and found if `make build` could build it for this Python. Its
types are bases that stand before the classes written in Python: they do the usual case of
an operation, and pass on the rest. `ATOLL_PURE=1` in the environment (anything but 0 and
nothing) leaves it out.
"""

from __future__ import annotations

import os

from . import _abi
from ._native import address
from ._typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from typing import Any

Class = TypeVar("Class")


def _find() -> Any:
    """The accelerator, if it is wanted, there, and made for the library that is loaded."""
    if os.environ.get("ATOLL_PURE", "") not in ("", "0"):
        return None
    try:
        # Not `from . import`, which says the same of what is not there and of what is broken.
        from ._accelerator import use  # type: ignore[import-not-found]
    except ModuleNotFoundError:
        return None
    except ImportError as error:
        return _unfit(str(error))
    from . import _accelerator

    if _accelerator.ABI_FINGERPRINT != _abi.ABI_FINGERPRINT:
        return _unfit("it was built from other sources than the package")
    use(address)
    return _accelerator


def _unfit(reason: str) -> None:
    import warnings

    warnings.warn(
        f"the accelerator of atoll cannot be used ({reason}), so atoll is slower: build it "
        "again (make build), or set ATOLL_PURE=1 to do without",
        RuntimeWarning,
        stacklevel=2,
    )


_accelerator = _find()

#: Whether the accelerator is used.
ACCELERATED = _accelerator is not None

if TYPE_CHECKING or not ACCELERATED:

    class Mutex:
        __slots__ = ()

    class Value:
        __slots__ = ()

    class Array:
        __slots__ = ()

    class Event:
        __slots__ = ()

    class Semaphore:
        __slots__ = ()

    class SemLock:
        __slots__ = ()

    class Ring:
        __slots__ = ()

else:
    Mutex = _accelerator.Mutex
    Value = _accelerator.Value
    Array = _accelerator.Array
    Event = _accelerator.Event
    Semaphore = _accelerator.Semaphore
    SemLock = _accelerator.SemLock
    Ring = _accelerator.Ring


def outright(kind: Class) -> Class:
    """Give a class the methods of its C base as its own.

    Python calls what is written in C by a shorter way if the object is of the very class
    that the method was made for, and not of one derived from it.
    """
    if ACCELERATED:
        _accelerator.give_methods(kind)
    return kind
