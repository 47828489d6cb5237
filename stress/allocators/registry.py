"""Which allocators there are, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import arenas

from .. import placements
from ..errors import UsageError
from .heap import FACES

if TYPE_CHECKING:
    from .protocol import Allocator, Choice

ABOUT: Final[dict[str, str]] = {
    "malloc": "an arenas heap, by address: malloc, calloc, realloc, aligned_alloc, free",
    "blocks": "an arenas heap, by handle: alloc, block.resize, block.free",
}
"""What each allocator is."""


def names() -> list[str]:
    """Every allocator that has a name of its own."""
    return list(FACES)


def require(choice: Choice) -> None:
    """Find out early that something is not to be had.

    Raises:
        UsageError: there is no such allocator or placement.

    """
    if choice.allocator not in FACES:
        raise UsageError(f"there is no allocator {choice.allocator!r}: choose from {', '.join(names())}")
    placements.find(choice.placement)


def open_allocator(choice: Choice) -> Allocator[Any]:
    """Make what was chosen, fresh for one run.

    Raises:
        UsageError: there is no such allocator or placement.

    """
    require(choice)
    heap = arenas.Heap(
        arenas=choice.arenas,
        placement=placements.find(choice.placement),
        limit_bytes=choice.limit_bytes,
        name=choice.name,
    )
    return FACES[choice.allocator](heap)
