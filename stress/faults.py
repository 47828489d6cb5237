"""What a replay found wrong in the memory it was given."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

KEPT: Final = 5
"""Descriptions kept of one replay; the rest are only counted."""


class Faults:
    """Findings of all threads of one replay."""

    def __init__(self) -> None:
        """Begin with none."""
        self._found: list[str | None] = []  # appended to by any thread: that is atomic, with and without the GIL

    def add(self, description: str) -> None:
        """Count one finding; describe it if it is among the first."""
        self._found.append(description if len(self._found) < KEPT else None)

    def __len__(self) -> int:
        """How many were found."""
        return len(self._found)

    def descriptions(self) -> list[str]:
        """The first ones, in words."""
        return [description for description in self._found if description is not None]


def overlaps(ranges: Iterable[tuple[int, int, int]]) -> list[str]:
    """Name each two neighbours among live ``(address, size, block)`` that share bytes, or an address."""
    ordered = sorted(ranges)
    return [
        f"block {block} of {size} bytes at {address:#x} overlaps block {next_block} at {next_address:#x}"
        for (address, size, block), (next_address, _, next_block) in pairwise(ordered)
        if address + max(size, 1) > next_address
    ]
