"""What type checkers read, and what of it a running program needs.

To import `typing` takes longer than the rest of the package. No annotation here is ever
evaluated, so what only annotations name is imported under `if TYPE_CHECKING`. A few names
make something when the program runs; these are here, and light.
"""

from __future__ import annotations

#: Type checkers take it for true, by its name.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Generic as Generic
    from typing import NamedTuple as NamedTuple
    from typing import TypeVar as TypeVar
    from typing import overload as overload
else:
    from collections import namedtuple
    from types import GenericAlias

    class _Fields(type):
        """Makes a named tuple of what looks like a class."""

        def __new__(kind, name, bases, body):
            if not bases:
                return super().__new__(kind, name, bases, body)
            fields = body["__annotations__"]
            defaults = [body[field] for field in fields if field in body]
            made = namedtuple(name, fields, defaults=defaults, module=body["__module__"])
            made.__doc__ = body.get("__doc__")
            return made

    class NamedTuple(metaclass=_Fields):
        """Its subclasses become plain named tuples."""

    class Generic:
        """Its subclasses can be written with the type of what is in them."""

        __slots__ = ()

        __class_getitem__ = classmethod(GenericAlias)

    def TypeVar(name):
        return name

    def overload(function):
        return function
