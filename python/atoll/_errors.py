"""The exceptions, and the one place where a status becomes one.

Each is an `AtollError` and also what people already catch in such a case.
"""

from __future__ import annotations

import errno
from ctypes import byref

from . import _abi
from ._native import quick
from ._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any, ClassVar


class AtollError(Exception):
    """Something that the library refused or found wrong; the text says what to do.

    `status` is the number of the C library; `os_errno` is the error number of the
    operating system, or 0 where it played no part.
    """

    status: int = _abi.SYSTEM
    os_errno: int = 0


class _WithErrno(AtollError, OSError):
    """What the standard library has an OSError for; `errno` is always set."""

    usual_errno: ClassVar[int] = 0

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.errno = self.usual_errno


class TimedOut(_WithErrno, TimeoutError):
    """The time given was up first. Nothing changed."""

    status = _abi.TIMED_OUT
    usual_errno = errno.ETIMEDOUT


class NotFound(_WithErrno, FileNotFoundError):
    """There is no segment or object of that name."""

    status = _abi.NOT_FOUND
    usual_errno = errno.ENOENT


class AlreadyExists(_WithErrno, FileExistsError):
    """The name is taken."""

    status = _abi.ALREADY_EXISTS
    usual_errno = errno.EEXIST


class NoSpace(_WithErrno):
    """The segment, the file system or the table of processes is full."""

    status = _abi.NO_SPACE
    usual_errno = errno.ENOSPC


class Permission(_WithErrno, PermissionError):
    """Not allowed by the mode of the segment, or it is open read-only."""

    status = _abi.PERMISSION
    usual_errno = errno.EACCES


class WrongKind(AtollError, TypeError):
    """Another kind of object, element type or shape than asked for, or a Python
    object of the wrong type."""

    status = _abi.WRONG_KIND


class InvalidArgument(AtollError, ValueError):
    """An argument that cannot be meant."""

    status = _abi.INVALID_ARGUMENT


class Closed(AtollError, ValueError):
    """The object was closed, or the other end was."""

    status = _abi.CLOSED


class Incompatible(AtollError):
    """Not a segment, or one with another memory layout."""

    status = _abi.INCOMPATIBLE


class Corrupted(AtollError):
    """The segment is damaged: another program wrote into it."""

    status = _abi.CORRUPTED


class NotOwner(AtollError, RuntimeError):
    """This thread does not hold the lock."""

    status = _abi.NOT_OWNER


class Deadlock(AtollError, RuntimeError):
    """This thread holds the lock already and would wait for itself."""

    status = _abi.DEADLOCK


class WrongSegment(AtollError, ValueError):
    """Objects of two segments in what has to stay in one."""

    status = _abi.WRONG_SEGMENT


class Full(AtollError, ValueError):
    """No room for more: a semaphore at its maximum, a thread that reads too many locks."""

    status = _abi.FULL


class OwnerDied(AtollError, RuntimeError):
    """The last holder of a lock died holding it. The lock is not held now, unless it was a
    `Condition` that took it back.

    What it guards may be half-changed. `pid` and `name` are the process and the
    thread that died, as they called themselves.
    """

    status = _abi.OWNER_DIED
    pid: int = 0
    name: str = ""


_BY_STATUS: dict[int, type[AtollError]] = {
    kind.status: kind
    for kind in (
        TimedOut, NotFound, AlreadyExists, NoSpace, Permission, WrongKind, InvalidArgument,
        Closed, Incompatible, Corrupted, NotOwner, Deadlock, WrongSegment, Full,
    )
}  # fmt: skip


def failure(status: int | None = None) -> AtollError:
    """The exception for the last failed call of this thread, in the library's own words.

    Without a status, for calls that answer with NULL, it is the one on record.
    """
    detail = _abi.atoll_error()
    quick.atoll_last_error(byref(detail))
    if status is None:
        status = detail.status
    error = _BY_STATUS.get(status, AtollError)(detail.text.decode(errors="replace"))
    error.status = status
    error.os_errno = detail.os_errno
    return error


def check(status: int) -> int:
    """Pass success through; raise for anything else."""
    if status in (_abi.OK, _abi.OWNER_DIED):
        return status
    raise failure(status)
