"""How a `Condition` lets go of its lock, wholly, and takes it back, whatever lock that is.

Ctrl-C may come at any moment, and the `with` block around expects its lock to be held at
its end. So both ways are iterators, from which one C call (`list.extend`) makes all happen:
Python does not look for signals in between. What was let go of stands in a list, from which
to take it back, and nothing else.
"""

from __future__ import annotations

from ctypes import c_uint32
from functools import partial
from itertools import repeat, starmap, takewhile
from operator import itemgetter, not_
from os import getpid
from _thread import get_native_id

from . import _abi
from ._errors import WrongKind, check
from ._lock import Lock, RLock
from ._native import bare, patient
from ._owner import news_of
from ._semaphore import UNBOUNDED, Semaphore
from ._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any, ClassVar, Iterator

    Calls = Iterator[Any]

_unlock = bare("atoll_mutex_unlock")
_release = bare("atoll_semaphore_release")
_INTERRUPTED = _abi.INTERRUPTED
_ONE = c_uint32(1)

_first, _second = itemgetter(0), itemgetter(1)


def way_of(lock: Any) -> Way:
    """How to let go of a lock of this kind."""
    if isinstance(lock, (Lock, RLock)):
        return _OfLock(lock)
    if isinstance(lock, Semaphore):
        return _OfSemaphore(lock)
    if all(callable(getattr(lock, name, None)) for name in ("acquire", "release", "__enter__")):
        return _OfAnother(lock)
    kind = type(lock).__name__
    raise WrongKind(f"a Condition needs a lock that can be acquired and released, not {kind}")


class Way:
    """Lets go of a lock and takes it back."""

    def __init__(self, lock: Any) -> None:
        self.lock = lock

    def is_held(self) -> bool:
        """Whether this thread holds it, as far as can be seen."""
        raise NotImplementedError

    def let_go(self) -> Calls:
        """Gives something for each time that it was held."""
        raise NotImplementedError

    def take_back(self, gone: list[Any]) -> Calls:
        """Takes it as often as there are things in the list by then, and waits for ever."""
        raise NotImplementedError

    def try_back(self, gone: list[Any]) -> list[Any]:
        """The same, if it can be had at once; else nothing is changed, and nothing given."""
        raise NotImplementedError

    def insist(self, missing: int) -> None:
        """Take it so much oftener, after a handler has ended that."""

    def judge(self, outcomes: list[Any]) -> None:
        """Raise what there is to say of how it was taken back."""


class _Ours(Way):
    """By calls of the library, which no handler ends."""

    _name_of_take: ClassVar[str]

    def take_back(self, gone: list[Any]) -> Calls:
        take = partial(getattr(patient, self._name_of_take), self.lock._as_parameter_)
        taken = filter(_INTERRUPTED.__ne__, map(take, repeat(_abi.FOREVER)))
        return map(_second, zip(gone, taken))

    def try_back(self, gone: list[Any]) -> list[int]:
        first = getattr(patient, self._name_of_take)(self.lock._as_parameter_, 0)
        if first in (_INTERRUPTED, _abi.TIMED_OUT):
            return []
        return [first, *self.take_back(gone[1:])]

    def judge(self, outcomes: list[int]) -> None:
        if _abi.OWNER_DIED in outcomes:
            raise news_of(self.lock.owner_died, self.lock._label())
        check(max(outcomes))


class _OfLock(_Ours):
    """It may be held more than once."""

    _name_of_take = "atoll_mutex_lock"

    def is_held(self) -> bool:
        owner = self.lock.owner()
        return owner is not None and (owner.pid, owner.tid) == (getpid(), get_native_id())

    def let_go(self) -> Calls:
        return takewhile(not_, starmap(_unlock, repeat((self.lock._as_parameter_,))))


class _OfSemaphore(_Ours):
    """One permit of it. Whose that is nobody knows."""

    _name_of_take = "atoll_semaphore_acquire"

    def is_held(self) -> bool:
        info = self.lock._info()
        return info.value < (info.max if info.max < UNBOUNDED else 1)  # type: ignore[no-any-return]

    def let_go(self) -> Calls:
        return takewhile(not_, starmap(_release, ((self.lock._as_parameter_, _ONE),)))


class _OfAnother(Way):
    """A lock of `threading` or `multiprocessing`, or one that behaves like these."""

    def is_held(self) -> bool:
        of_multiprocessing = getattr(self.lock, "_semlock", None)
        ask = getattr(self.lock, "_is_owned", getattr(of_multiprocessing, "_is_mine", None))
        if ask is not None:
            return bool(ask())
        if self.lock.acquire(False):
            self.lock.release()
            return False
        return True

    def let_go(self) -> Calls:
        if hasattr(self.lock, "_release_save"):
            return starmap(self.lock._release_save, ((),))
        of_multiprocessing = getattr(self.lock, "_semlock", None)
        times = of_multiprocessing._count() if of_multiprocessing else 1
        return starmap(self.lock.release, repeat((), times))

    def take_back(self, gone: list[Any]) -> Calls:
        if hasattr(self.lock, "_acquire_restore"):
            return map(self.lock._acquire_restore, gone)
        return starmap(self.lock.acquire, map(_first, zip(repeat(()), gone)))

    def try_back(self, gone: list[Any]) -> list[Any]:
        if not self.lock.acquire(False):
            return []
        if hasattr(self.lock, "_acquire_restore"):
            self.lock.release()  # how often it was held only this knows
            return list(self.take_back(gone))
        return [True, *self.take_back(gone[1:])]

    def insist(self, missing: int) -> None:
        while missing:
            try:
                for _ in starmap(self.lock.acquire, ((),)):
                    missing -= 1
            except BaseException:
                pass  # one is under way already
