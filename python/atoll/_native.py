"""The C library: found, loaded and checked once, when the package is imported.

Each function is there twice. `quick` keeps the interpreter's lock during the call:
cheaper, and right for calls that never wait. `patient` lets other threads run
meanwhile, and is for calls that may wait or take long.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Any

from . import _abi

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
    package = Path(__file__).resolve().parent
    places = (
        package / SONAME,
        package / "libatoll.so",
        package.parent.parent / "target" / "release" / "libatoll.so",
    )
    for place in places:
        if place.exists():
            return str(place)
    raise ImportError(
        "atoll finds no libatoll.so: build it (cargo build --release), or set "
        "ATOLL_LIBRARY to its path; looked at " + ", ".join(map(str, places))
    )


def _load(path: str) -> tuple[ctypes.CDLL, ctypes.PyDLL]:
    try:
        patient, quick = ctypes.CDLL(path), ctypes.PyDLL(path)
    except OSError as error:
        raise ImportError(f"atoll cannot load its library: {error}") from error
    _check(path, patient)
    _abi.declare(patient)
    _abi.declare(quick)
    return patient, quick


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


patient, quick = _load(_find())


def bare(name: str) -> Any:
    """A quick function that does not check its arguments, which saves half the call.

    For calls whose arguments are made beforehand, of the right ctypes classes.
    """
    return quick[name]
