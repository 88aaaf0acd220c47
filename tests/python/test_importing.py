"""What `import atoll` does, and leaves for later: no clock can say that as surely."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import atoll
import kinds
import pytest
from atoll import _abi, _native

#: What the package may import, with all that these import in turn. Each of `typing`, `re`,
#: `pathlib`, `inspect` and `enum` would take about as long as the rest.
ALLOWED = "__future__, collections, ctypes, errno, functools, math, operator, os, struct, types"


def output(code):
    """Of an interpreter that has imported as little as there can be."""
    environment = {**os.environ, "PYTHONPATH": str(Path(atoll.__file__).parents[1])}
    command = [sys.executable, "-S", "-c", code]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def imported_by(names):
    code = f"import sys; before = {{*sys.modules}}; import {names}; "
    return set(output(code + "print(*{*sys.modules} - before)").split())


def test_what_is_imported():
    added = imported_by("atoll") - imported_by(ALLOWED)
    assert "atoll._lock" in added
    assert not [name for name in added if name.split(".")[0] != "atoll"]
    assert "atoll._records" not in added


def test_what_is_imported_when_it_is_wanted():
    """`threading`, in a thread of another interpreter, keeps some versions from ending that."""
    code = "import sys, atoll; print('threading' in sys.modules, 'Barrier' in dir(atoll)); "
    assert output(code + "atoll.Broken; print('threading' in sys.modules)") == "False True\nTrue\n"
    for kind in (atoll.Barrier, atoll.Broken, atoll.Spsc, atoll.Mpmc, atoll.Empty, atoll.NoRoom):
        assert kind.__module__ == "atoll" and pickle.loads(pickle.dumps(kind)) is kind
    with pytest.raises(AttributeError, match="no attribute 'barrier'"):
        atoll.barrier


def test_nothing_is_declared_before_it_is_called():
    code = "from atoll._native import patient, quick; print(*vars(patient), *vars(quick))"
    assert output(code) == "_library _library\n"


def test_every_function_can_be_declared():
    assert len(_abi.FUNCTIONS) > 60
    for name, declaration in _abi.FUNCTIONS.items():
        for functions in (_native.patient, _native.quick):
            function = getattr(functions, name)
            assert function is getattr(functions, name)
            result, arguments = declaration()
            assert (function.restype, function.argtypes) == (result, arguments)


def test_a_function_that_is_not_there():
    with pytest.raises(AttributeError, match="libatoll has no function atoll_nothing"):
        _native.quick.atoll_nothing
    with pytest.raises(AttributeError):
        _native.quick["atoll_nothing"]


@pytest.mark.parametrize("kind", [atoll.Value, atoll.Array])
def test_generics_at_run_time(kind, segment):
    alias = kind[int]
    assert (alias.__origin__, alias.__args__) == (kind, (int,))
    more = {} if kind is atoll.Value else {"shape": 3}
    assert type(alias(segment, "x", "i64", **more)) is kind


NAMED_TUPLES = [
    kind for kind in vars(atoll).values() if isinstance(kind, type) and issubclass(kind, tuple)
]


@pytest.mark.parametrize("kind", NAMED_TUPLES)
def test_named_tuples_are_plain_ones(kind):
    assert len(NAMED_TUPLES) == 6
    assert kind.__mro__ == (kind, tuple, object)
    assert kind.__module__ == "atoll" and kind.__doc__ and not kind.__doc__.startswith(kind.__name__)
    record = kind(*kind._fields)
    assert record == kind(**{field: field for field in kind._fields}) == kind._fields
    assert record._asdict()[kind._fields[-1]] == kind._fields[-1]
    assert type(pickle.loads(pickle.dumps(record))) is kind
    with pytest.raises(TypeError):
        kind()


def test_objects_take_no_names_of_their_own(segment):
    lock = atoll.Lock(segment)
    objects = [segment, *(make(segment) for make in kinds.MAKERS.values())]
    for thing in [*objects, lock.recovering(), atoll.transaction(lock)]:
        with pytest.raises(AttributeError):
            thing.vlaue = 1
