"""What this machine and this process offer."""

from __future__ import annotations

from ctypes import byref

from . import _abi
from ._accelerated import ACCELERATED
from ._errors import check
from ._native import patient
from ._typing import NamedTuple


class PlatformInfo(NamedTuple):
    """What is missing costs time, or a promise; docs/caveats.md says which.

    `library_copies` counts the copies of the library in this process. With more than
    one, what is locked through one is not held through the other. `accelerated` says that
    the compiled accelerator is there and used, which changes nothing but the time.
    """

    library_copies: int
    page_size: int
    cpus: int
    futex_waitv: bool
    robust_list: bool
    byte_locks: bool
    unnamed_files: bool
    membarrier: bool
    accelerated: bool
    libc: str
    kernel: str
    directory: str


_TEXTS = ("libc", "kernel", "directory")
_OURS = (*_TEXTS, "accelerated")


def platform_info() -> PlatformInfo:
    """What this machine and this process offer. Asks anew each time."""
    out = _abi.atoll_platform()
    check(patient.atoll_platform_info(byref(out)))
    texts = {name: getattr(out, name).decode(errors="replace") for name in _TEXTS}
    return PlatformInfo(
        accelerated=ACCELERATED,
        **{name: getattr(out, name) for name in PlatformInfo._fields if name not in _OURS},
        **texts,
    )
