"""Anybody's function by name, as ``module:function``: from what is installed, or from the current directory."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import FOREIGN, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable


def find(name: str, what: str) -> Callable[[], Any]:
    """Import it. ``what`` it should be is for the message.

    Raises:
        UsageError: it cannot be imported, or not be called.

    """
    module_name, _, path = name.partition(":")
    if not module_name or not path:
        raise UsageError(f"{what} {name!r} should be a known name, or module:function")
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        # `python -m` looks there by itself, an installed command does not. Last, so that nothing there hides anything.
        sys.path.append(here)
    try:
        found: Any = importlib.import_module(module_name)
    except FOREIGN as error:  # a module may raise anything when it is run
        raise UsageError(f"{what} {name!r}: importing {module_name} failed: {said(error)}") from error
    for attribute in path.split("."):
        if not hasattr(found, attribute):
            raise UsageError(f"{what} {name!r}: {found!r} has no {attribute!r}")
        found = getattr(found, attribute)
    if not callable(found):
        raise UsageError(f"{what} {name!r} is a {type(found).__name__}, which cannot be called")
    made: Callable[[], Any] = found
    return made


def said(error: BaseException) -> str:
    """An error in a line: its type, and what it says."""
    return f"{type(error).__name__}: {error}".rstrip(": ")
