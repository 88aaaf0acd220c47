"""What every test gets: a segment of its own, a watchdog, and a look at what it left."""

from __future__ import annotations

import faulthandler
import itertools
import os
import signal
import sys
import warnings
from pathlib import Path

import pytest

try:
    import atoll
except ModuleNotFoundError:  # from the tree, without installing
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python"))
    import atoll

# Who is started in the background of a shell script is deaf to Ctrl-C, and so are its children.
signal.signal(signal.SIGINT, signal.default_int_handler)

WATCHDOG_SECONDS = 300
PREFIX = f"atoll-test-{os.getpid()}-"
_numbers = itertools.count()


@pytest.fixture(autouse=True)
def watchdog():
    """A test that hangs shows where, and ends the run."""
    faulthandler.dump_traceback_later(WATCHDOG_SECONDS, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.fixture(autouse=True)
def nothing_left():
    """No test leaves a segment behind."""
    directory = atoll.platform_info().directory
    yield
    left = [name for name in os.listdir(directory) if name.startswith(PREFIX)]
    for name in left:
        os.unlink(os.path.join(directory, name))
    assert not left


@pytest.fixture(autouse=True)
def threads_of_the_test_run():
    """A pytest plugin or NumPy may have some; what we fork does not touch them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning, message=".*fork")
        yield


@pytest.fixture
def name():
    """A name that no other segment has; unlinked afterwards if need be."""
    name = f"{PREFIX}{next(_numbers)}"
    yield name
    try:
        atoll.unlink(name)
    except atoll.NotFound:
        pass


@pytest.fixture
def segment(name):
    with atoll.Segment(name, create=True, size=1 << 20) as segment:
        yield segment


@pytest.fixture
def readonly(segment):
    """The same segment, opened to look only. Make the objects first."""
    with atoll.Segment(segment.name, readonly=True) as readonly:
        yield readonly
