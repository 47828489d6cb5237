"""Finds the package under test: ``stress`` in a checkout, ``arenas_stress`` where the wheel is installed.

Merely importing ``stress`` would not tell: this folder has that name too, and even without an ``__init__.py`` it passes
for a package. So a module inside decides.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType


def _find() -> str:
    for name in ("stress", "arenas_stress"):
        try:
            importlib.import_module(f"{name}.cli")
        except ModuleNotFoundError as error:
            if error.name not in {name, f"{name}.cli"}:
                raise  # it is there, and something it needs is not
        else:
            return name
    raise ModuleNotFoundError("neither stress nor arenas_stress can be imported")


NAME = _find()
FOLDER = Path(str(importlib.import_module(f"{NAME}.cli").__file__)).resolve().parent


def module(name: str) -> ModuleType:
    """One of the package's modules."""
    return importlib.import_module(f"{NAME}.{name}")
