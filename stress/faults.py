"""What a run found wrong in the memory it was given."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

KEPT: Final = 5
"""Descriptions kept of one run; the rest are only counted."""


class Kind(StrEnum):
    """What a finding is called."""

    CORRUPTION = "corruption"
    """Contents are not what was written, and nothing says who did it."""
    OVERRUN = "overrun"
    """… and it looks as if the block before was written beyond its end."""
    UNDERRUN = "underrun"
    """… and it looks as if the block behind was written before its start."""
    LATE_WRITE = "write after free"
    """… and it looks as if a block that lay there before was written once more."""
    NOT_KEPT = "not kept"
    """A resize did not keep the contents."""
    NOT_ZEROED = "not zeroed"
    MISALIGNED = "misaligned"
    OVERLAP = "overlap"
    """Two live blocks on the same bytes."""
    BOOKS = "books"
    """The allocator counts otherwise than we do."""
    MISUSE = "misuse not caught"


class Faults:
    """Findings of all threads of one run."""

    def __init__(self) -> None:
        """Begin with none."""
        self._found: list[tuple[Kind, str | None]] = []  # any thread may append: one step, with and without the GIL

    def add(self, description: str, kind: Kind = Kind.CORRUPTION) -> None:
        """Count one finding; describe it if it is among the first."""
        self._found.append((kind, f"{kind}: {description}" if len(self._found) < KEPT else None))

    def __len__(self) -> int:
        """How many were found."""
        return len(self._found)

    def descriptions(self) -> list[str]:
        """The first ones, in words."""
        return [description for _, description in self._found if description is not None]

    def kinds(self) -> dict[str, int]:
        """How many there are of each kind that there is."""
        return dict(Counter(kind.value for kind, _ in self._found))


def overlaps(ranges: Iterable[tuple[int, int, int]]) -> list[str]:
    """Name each two neighbours among live ``(address, size, block)`` that share bytes, or an address."""
    ordered = sorted(ranges)
    return [
        f"block {block} of {size} bytes at {address:#x} overlaps block {next_block} at {next_address:#x}"
        for (address, size, block), (next_address, _, next_block) in pairwise(ordered)
        if address + max(size, 1) > next_address
    ]
