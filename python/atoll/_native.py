"""The C library: found, loaded and checked once, when the package is imported.

Each function is there twice. `quick` keeps the interpreter's lock during the call:
cheaper, and right for calls that never wait. `patient` lets other threads run
meanwhile, and is for calls that may wait or take long.
"""

from __future__ import annotations

import os

try:
    import ctypes
except ImportError as error:
    raise ImportError(
        f"atoll works through ctypes, which cannot be had here ({error}): use a Python that was "
        "built with libffi, and Python 3.13 or newer for interpreters with a GIL of their own"
    ) from error

from . import _abi
from ._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

SONAME = "libatoll.so.0"


def _is_loaded(soname: str) -> bool:
    try:
        ctypes.CDLL(soname, mode=os.RTLD_NOLOAD)
    except OSError:
        return False
    return True


def _find() -> str:
    """Where the library is: what dlopen is to be given."""
    chosen = os.environ.get("ATOLL_LIBRARY")
    if chosen:
        return chosen
    # A second copy would be a second identity in the same process: locks held by
    # one would not be held in the eyes of the other.
    if _is_loaded(SONAME):
        return SONAME
    package = os.path.dirname(os.path.realpath(__file__))
    tree = os.path.dirname(os.path.dirname(package))
    places = (
        os.path.join(package, SONAME),
        os.path.join(package, "libatoll.so"),
        os.path.join(tree, "target", "release", "libatoll.so"),
    )
    for place in places:
        if os.path.exists(place):
            return place
    raise ImportError(
        "atoll finds no libatoll.so: build it (cargo build --release), or set "
        "ATOLL_LIBRARY to its path; looked at " + ", ".join(places)
    )


def _load(path: str) -> tuple[_Functions, _Functions]:
    try:
        patient, quick = ctypes.CDLL(path), ctypes.PyDLL(path)
    except OSError as error:
        raise ImportError(f"atoll cannot load its library: {error}") from error
    _check(path, patient)
    return _Functions(patient), _Functions(quick)


def _check(path: str, library: ctypes.CDLL) -> None:
    """Refuse a library whose declarations are not those of `_abi`."""
    try:
        ask = library.atoll_abi_fingerprint
    except AttributeError:
        raise ImportError(f"{path} is not an atoll library: set ATOLL_LIBRARY to one") from None
    ask.restype = ctypes.c_uint64
    if ask() != _abi.ABI_FINGERPRINT:
        raise ImportError(
            f"{path} and this package were built from different sources (ABI {ask():#018x}, "
            f"expected {_abi.ABI_FINGERPRINT:#018x}): build both from one tree "
            "(cargo build --release), or set ATOLL_LIBRARY to the matching library"
        )


class _Functions:
    """The functions of a loaded library, each declared when it is first wanted."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library

    def __getattr__(self, name: str) -> Any:
        declaration: Any = _abi.FUNCTIONS.get(name)
        if declaration is None:
            raise AttributeError(f"libatoll has no function {name}")
        function = self[name]
        function.restype, function.argtypes = declaration()
        setattr(self, name, function)
        return function

    def __getitem__(self, name: str) -> Any:
        """One of its own for who asks, without a declaration."""
        return self._library[name]


patient, quick = _load(_find())


def address(name: str) -> int:
    """Where a function of the library is in memory."""
    return ctypes.cast(quick[name], ctypes.c_void_p).value or 0


def bare(name: str) -> Any:
    """A quick function that does not check its arguments, which saves half the call.

    For calls whose arguments are made beforehand, of the right ctypes classes.
    """
    return quick[name]


def named(name: str, prototype: Any, parameters: tuple[Any, ...]) -> Any:
    """The same with names and defaults for its arguments."""
    return prototype((name, quick._library), parameters)
