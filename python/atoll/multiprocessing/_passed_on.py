"""What is the standard library's, until there is something of ours: the same modules, under names
beside ours, so that each class there is one class."""

from __future__ import annotations

import sys
from importlib import import_module


def pass_on(name: str) -> None:
    """Have whoever imports this module of ours get the one that it stands for.

    Python gives what it finds in `sys.modules` when the module has run.
    """
    sys.modules[name] = import_module(f"multiprocessing.{name.rpartition('.')[2]}")
