"""Placements by name."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final, cast

import arenas

from .errors import UsageError

if TYPE_CHECKING:
    from arenas.protocols import PlacementFactory

PLACEMENTS: Final[dict[str, PlacementFactory]] = {"BestFit": arenas.BestFit}
DEFAULT: Final = "BestFit"


def find(name: str) -> PlacementFactory:
    """What makes a placement: by one of the names in `PLACEMENTS`, or ``module:factory``.

    Raises:
        UsageError: there is none of that name.

    """
    if name in PLACEMENTS:
        return PLACEMENTS[name]
    module, colon, factory = name.partition(":")
    if not colon:
        raise UsageError(f"there is no placement {name!r}: choose from {', '.join(PLACEMENTS)}, or name module:factory")
    try:
        found = getattr(importlib.import_module(module), factory)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(f"there is no placement {name!r}: {error}") from None
    if not callable(found):
        raise UsageError(f"the placement {name!r} is a {type(found).__name__}, which cannot be called")
    return cast("PlacementFactory", found)
