"""A protocol by its name: of those that come with this, or ``module:Class`` of somebody else's."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import FOREIGN, UsageError
from .protocol import Protocol
from .protocols import PROTOCOLS
from .turns import NAMES

if TYPE_CHECKING:
    from .schedule import Schedule


def find(name: str) -> type[Protocol]:
    """The protocol of that name. Raises ``UsageError``, which names those there are."""
    if ":" in name:
        return _theirs(name)
    if name not in PROTOCOLS:
        raise UsageError(f"there is no protocol {name!r}; there are {', '.join(PROTOCOLS)}; your own is module:Class")
    return PROTOCOLS[name]


def missing(protocol: type[Protocol]) -> list[str]:
    """Packages that it needs, and that are not installed."""
    return [package for package in protocol.needs if importlib.util.find_spec(package) is None]


def refuse_unfit(schedule: Schedule, name: str, protocol: type[Protocol]) -> None:
    """Raise ``UsageError`` if a schedule is of threads that the protocol does not have."""
    threads = protocol.threads()
    for turn in schedule.turns:
        if turn.thread >= len(threads):
            raise UsageError(f"{name} has the threads {', '.join(threads)}, and not {NAMES[turn.thread]}")


def _theirs(name: str) -> type[Protocol]:
    module_name, _, class_name = name.partition(":")
    here = str(Path.cwd())
    if here not in sys.path and not sys.flags.safe_path:
        sys.path.insert(0, here)  # as `python -m` has it; an installed command has not
    try:
        found = getattr(importlib.import_module(module_name), class_name, None)
    except FOREIGN as error:  # whatever somebody's module does
        raise UsageError(f"{name}: {module_name!r} cannot be imported: {type(error).__name__}: {error}") from error
    if not isinstance(found, type) or not issubclass(found, Protocol):
        raise UsageError(f"{name}: {module_name} has no class {class_name!r} made of {Protocol.__module__}.Protocol")
    if not found.threads():
        raise UsageError(f"{name} has no threads: they are its generators a, b, c and d")
    return found
