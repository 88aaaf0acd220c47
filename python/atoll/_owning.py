"""What owns a handle: it can be closed, and after that says so."""

from __future__ import annotations

from ._errors import Closed, failure
from ._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, TypeVar

    from ._errors import AtollError
    from ._handle import Handle

    Self = TypeVar("Self", bound="Closing")


#: What has a C type beside it as a base cannot have slots of its own: both would say where
#: in an object things are. Who derives from both has them, and so these are names only.
NO_SLOTS = tuple[str, ...]()
OWNING_SLOTS = ("__weakref__", "_handle")


class Owning:
    """Something that lives in shared memory, as this process holds it."""

    __slots__ = NO_SLOTS

    _handle: Handle | None

    @property
    def closed(self) -> bool:
        """Whether `close` was called. What lives in shared memory is still there."""
        return self._handle is None

    def close(self) -> None:
        """Let go of it; it stays where it is, for others and for later. Twice is allowed."""
        self._handle = None

    def _pointer(self) -> Any:
        """The handle as C takes it; raises `Closed` if there is none any more."""
        if self._handle is None:
            raise self._is_closed()
        return self._handle.pointer

    def _address(self) -> int:
        """The handle as a number; raises `Closed` if there is none any more."""
        if self._handle is None:
            raise self._is_closed()
        return self._handle.address

    def _failure(self, status: int) -> AtollError:
        """Why a call with this handle did not succeed."""
        return self._is_closed() if self._handle is None else failure(status)

    def _is_closed(self) -> Closed:
        return Closed(f"{self._label()} is closed: open it again")

    def _label(self) -> str:
        """How sentences call it."""
        raise NotImplementedError


class Closing(Owning):
    """What `with` closes at its end."""

    __slots__ = NO_SLOTS

    def __enter__(self: Self) -> Self:
        self._pointer()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
