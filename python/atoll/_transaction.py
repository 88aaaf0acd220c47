"""Changes to values and arrays that all happen, or none of them.

Ctrl-C is met as in `_lock`: a `for` statement begins the transaction, an exception that
ends a wait undoes it in case the wait had begun it, and `__exit__` is a C call from its
first instruction.
"""

from __future__ import annotations

from ctypes import byref, c_int64, c_size_t, c_void_p
from functools import partial

from . import _abi
from ._array import Array
from ._errors import InvalidArgument, OwnerDied, TimedOut, WrongKind, check
from ._lock import Lock, RLock
from ._native import bare, patient, quick
from ._release import releasing
from ._typing import TYPE_CHECKING
from ._value import Value
from ._wait import NOW, deadline_after, wait

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Iterator, TypeVar, Union

    from ._wait import Deadline

    T = TypeVar("T")
    AnyLock = Union[Lock, RLock]

_AT_ONCE = c_int64(0)
_BEGIN = bare("atoll_transaction_begin")
_undo = bare("atoll_transaction_abort")

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
    return Transaction(locks, deadline_after(timeout))


class Transaction:
    """Several changes as one. Made by `transaction(*locks)`, for one `with` block."""

    __slots__ = ("_arguments", "_as_parameter_", "_attempts", "_deadline", "_locks")

    def __init__(self, locks: tuple[AnyLock, ...], deadline: Deadline) -> None:
        for lock in locks:
            if not isinstance(lock, (Lock, RLock)):
                given = type(lock).__name__
                raise WrongKind(f"a transaction is under Locks and RLocks, not {given}")
        #: The handle, where ctypes looks for it; the call that begins fills it in.
        self._as_parameter_ = handle = c_void_p()
        count = len(locks)
        kind = _POINTERS[count] if count < len(_POINTERS) else c_void_p * count
        pointers = kind(*(lock._pointer().value for lock in locks))
        self._arguments = pointers, c_size_t(count)
        attempt = partial(_BEGIN, *self._arguments, _AT_ONCE, byref(handle))
        self._attempts: Iterator[int] = iter(attempt, None)
        self._locks = locks
        self._deadline = deadline

    def __enter__(self) -> Transaction:
        if self._as_parameter_:
            raise InvalidArgument(
                "a transaction is for one with statement: call atoll.transaction() again"
            )
        for status in self._attempts:
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
            3,
            "Commit, or undo all after an exception.",
            misuse=InvalidArgument,
        )

    def _contend(self, status: int) -> None:
        """Go on after a first attempt that did not plainly succeed."""
        if status == _abi.TIMED_OUT and self._deadline != NOW:
            status = wait(self._begin, self._deadline)
        if status == _abi.TIMED_OUT:
            raise TimedOut("the locks of the transaction could not all be had in time")
        if status == _abi.OWNER_DIED:
            raise self._news()
        check(status)

    def _begin(self, timeout_ns: c_int64) -> int:
        return patient.atoll_transaction_begin(  # type: ignore[no-any-return]
            *self._arguments, timeout_ns, byref(self._as_parameter_)
        )

    def _news(self) -> OwnerDied:
        """Who died. The locks go unmarked, so that the next one is told too."""
        for lock in self._locks:
            dead = lock.owner_died
            if dead is not None:
                break
        return lock._news(dead)

    def store(self, value: Value[T], new: T) -> None:
        """Replace a value. One of more than 8 bytes may have to wait for another writer,
        and others who write it wait for the end of the transaction."""
        if not isinstance(value, Value):
            kind = type(value).__name__
            raise WrongKind(f"store replaces a Value, not {kind}; for an Array there is modify")
        data = value._type.encode(new)
        inputs = self._pointer(), value._pointer(), data, len(data)
        status = quick.atoll_transaction_store(*inputs, 0)
        if status == _abi.TIMED_OUT:
            status = wait(partial(patient.atoll_transaction_store, *inputs), None)
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
        check(
            patient.atoll_transaction_modify(
                self._pointer(), array._pointer(), first, count, byref(c_void_p())
            )
        )
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
