"""Placements by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import arenas

from . import named
from .errors import FOREIGN, UsageError

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
    if ":" not in name:
        raise UsageError(f"there is no placement {name!r}: choose from {', '.join(PLACEMENTS)}, or name module:factory")
    factory = named.find(name, "placement")
    try:
        made = factory()
    except FOREIGN as error:  # it is anybody's
        raise UsageError(f"placement {name!r} cannot be made: {named.said(error)}") from error
    if not isinstance(made, arenas.Placement):
        raise UsageError(f"placement {name!r} makes a {type(made).__name__}, which is none")
    return factory
