"""Changes to values and arrays that all happen, or none of them.

Ctrl-C is met as in `_lock`: a `for` statement begins the transaction, an exception that
ends a wait undoes it in case the wait had begun it, and `__exit__` is a C call from its
first instruction.

Calls go without a declaration of what they take, which ctypes would follow in Python's own
way for each argument of each call. They are given what it would have come to.
"""

from __future__ import annotations

from ctypes import byref, c_int64, c_size_t, c_uint64, c_void_p
from functools import partial
from itertools import starmap
from operator import attrgetter

from . import _abi
from ._array import Array
from ._errors import InvalidArgument, TimedOut, WrongKind, check
from ._lock import Lock, RLock
from ._native import bare, patient
from ._owner import news_of
from ._release import END_OF_WITH, releasing
from ._typing import TYPE_CHECKING
from ._value import Value
from ._wait import NOW, deadline_after, wait

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, TypeVar, Union

    from ._errors import OwnerDied
    from ._wait import Deadline

    T = TypeVar("T")
    AnyLock = Union[Lock, RLock]

_AT_ONCE = None  # as an argument that is all zeros, and costs nothing
_begin = bare("atoll_transaction_begin")
_store = bare("atoll_transaction_store")
_modify = patient["atoll_transaction_modify"]  # what is copied may be much
_undo = bare("atoll_transaction_abort")

_address = attrgetter("_handle.address")

#: Kept, because to make such a type takes longer than a transaction.
_POINTERS = [c_void_p * count for count in range(9)]

#: In place of the handle when there is none any more.
_ENDED = c_void_p()


def transaction(*locks: AnyLock, timeout: float | None = None) -> Transaction:
    """Change several things of a segment together: all of it happens, or nothing.

        with atoll.transaction(lock) as tx:
            tx.store(balance, balance.value - 5)
            tx.modify(ledger, 0, 3)[:] = entry

    The block holds the locks, 1 to 8 of one segment; they are taken in an order in which
    nobody waits for each other for ever. At its end all changes made through `tx` are
    final in one step. If an exception leaves the block, or the process is killed in it,
    everything is as it was before. Who looks without the locks may see changes before
    their time.

    `timeout` is for all locks together: `TimedOut` if they could not be had in time.
    Raises `OwnerDied` with none of them held if an owner of one died outside of a
    transaction: repair what it guards as after any such death. A thread has one
    transaction at a time.
    """
    return Transaction(locks, None if timeout is None else deadline_after(timeout))


def _together(locks: tuple[AnyLock, ...]) -> tuple[Any, ...]:
    """What begins a transaction under several locks."""
    count = len(locks)
    pointers = _POINTERS[count] if count < len(_POINTERS) else c_void_p * count
    return pointers(*map(_address, locks)), c_size_t(count), _AT_ONCE


class Transaction:
    """Several changes as one. Made by `transaction(*locks)`, for one `with` block."""

    __slots__ = ("_arguments", "_as_parameter_", "_deadline", "_locks")

    def __init__(self, locks: tuple[AnyLock, ...], deadline: Deadline) -> None:
        for lock in locks:
            if not isinstance(lock, (Lock, RLock)):
                given = type(lock).__name__
                raise WrongKind(f"a transaction is under Locks and RLocks, not {given}")
            if lock._handle is None:
                raise lock._is_closed()
        #: The handle, where ctypes looks for it; the call that begins fills it in.
        self._as_parameter_ = handle = c_void_p()
        under = locks[0]._alone if len(locks) == 1 else _together(locks)
        self._arguments = (*under, byref(handle))
        self._locks = locks
        self._deadline = deadline

    def __enter__(self) -> Transaction:
        if self._as_parameter_:
            raise InvalidArgument(
                "a transaction is for one with statement: call atoll.transaction() again"
            )
        for status in starmap(_begin, (self._arguments,)):
            break
        if status != _abi.OK:
            try:
                self._contend(status)
            except BaseException:
                _undo(self)  # does nothing if it had not begun
                raise
        return self

    if TYPE_CHECKING:

        def __exit__(
            self,
            kind: type[BaseException] | None,
            error: BaseException | None,
            traceback: TracebackType | None,
        ) -> None: ...

    else:
        # Not a quick one: what is undone may be much.
        __exit__ = releasing(
            patient["atoll_transaction_end"],
            "__exit__",
            END_OF_WITH,
            "Commit, or undo all after an exception.",
            misuse=InvalidArgument,
        )

    def _contend(self, status: int) -> None:
        """Go on after a first attempt that did not plainly succeed."""
        if status == _abi.TIMED_OUT and self._deadline != NOW:
            status = wait(self._begin_until, self._deadline)
        if status == _abi.TIMED_OUT:
            raise TimedOut("the locks of the transaction could not all be had in time")
        if status == _abi.OWNER_DIED:
            raise self._news()
        check(status)

    def _begin_until(self, timeout_ns: int) -> int:
        return patient.atoll_transaction_begin(  # type: ignore[no-any-return]
            self._arguments[0], len(self._locks), timeout_ns, self._arguments[-1]
        )

    def _news(self) -> OwnerDied:
        """Who died. The locks go unmarked, so that the next one is told too."""
        for lock in self._locks:
            dead = lock.owner_died
            if dead is not None:
                break
        return news_of(dead, lock._label())

    def store(self, value: Value[T], new: T) -> None:
        """Replace a value. One of more than 8 bytes may have to wait for another writer,
        and others who write it wait for the end of the transaction."""
        if not isinstance(value, Value):
            kind = type(value).__name__
            raise WrongKind(f"store replaces a Value, not {kind}; for an Array there is modify")
        element = value._type
        data = element.encode(new)
        status = _store(self, value._pointer(), data, element.size_argument, _AT_ONCE)
        if status == _abi.TIMED_OUT:
            inputs = self._pointer(), value._pointer(), data, len(data)
            status = wait(partial(patient.atoll_transaction_store, *inputs), None)
        if status != _abi.OK:
            self._pointer()  # of an ended one it knows better what is wrong
            check(status)

    def modify(self, array: Array[Any], start: int = 0, stop: int | None = None) -> memoryview:
        """The view `array[start:stop]`, for writing until the end of the block.

        What lies there is copied first, so name what you are going to change and no
        more. You may write to these elements by other views, too, such as
        `array[start] = x` or `array.numpy()`.
        """
        if not isinstance(array, Array):
            kind = type(array).__name__
            raise WrongKind(f"modify is for an Array, not {kind}; a Value is replaced by store")
        first, count, view = array._range(start, stop)
        place = c_uint64.from_param(first), c_uint64.from_param(count), byref(c_void_p())
        status = _modify(self, array._pointer(), *place)
        if status != _abi.OK:
            self._pointer()  # as above
            check(status)
        return view

    def abort(self) -> None:
        """Undo everything and give the locks back now. The block goes on without them."""
        pointer = self._pointer()
        check(patient.atoll_transaction_abort(pointer))
        self._as_parameter_ = _ENDED

    def _pointer(self) -> c_void_p:
        pointer = self._as_parameter_
        if pointer is _ENDED:
            raise InvalidArgument("the transaction was aborted: begin another")
        if not pointer:
            raise InvalidArgument("begin it first: with atoll.transaction(...) as tx:")
        return pointer
