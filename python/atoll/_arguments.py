"""What users pass in, checked before ctypes could cut it to fit.

ctypes takes a number modulo 2^64 and ends a text at its first NUL without a word.
What only the library can judge, such as the length of a name, is left to it.
"""

from __future__ import annotations

import operator

from ._errors import InvalidArgument, WrongKind
from ._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any, Literal, Union

    #: True makes, False opens, "open" opens or makes.
    Create = Union[bool, Literal["open"]]

_VERBS: dict[Any, str] = {False: "open", True: "create", "open": "open_or_create"}


def name_bytes(name: object, noun: str) -> bytes:
    """A name as C takes it."""
    if not isinstance(name, str):
        raise WrongKind(f"the name of a {noun} is a str, not {type(name).__name__}")
    if "\0" in name:
        raise InvalidArgument(f"the name of a {noun} has a NUL in it: leave it out")
    try:
        return name.encode()
    except UnicodeEncodeError:
        raise InvalidArgument(f"the name of a {noun} is not valid Unicode: {name!r}") from None


def integer(value: object, what: str, least: int, most: int) -> int:
    """An int within its bounds."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise WrongKind(f"{what} is an int, not {type(value).__name__}") from None
    if not least <= number <= most:
        raise InvalidArgument(f"{what} must be from {least} to {most}")
    return number


def only_open(create: Create, name: object, noun: str, missing: str) -> Create:
    """What `create` means where not enough is said to make the object."""
    if create is True or (create == "open" and name is None):
        raise InvalidArgument(
            f"to make {noun}, say {missing}, by keyword where no segment is given; only opening "
            "by a name does without"
        )
    return False if create == "open" else create


def verb(create: object) -> str:
    """Which of the three ways to obtain something `create` asks for."""
    if isinstance(create, (bool, str)) and create in _VERBS:
        return _VERBS[create]
    raise InvalidArgument(
        "create must be True (make it), False (open it) or 'open' (open it, or make it "
        f"if there is none), not {create!r}"
    )
