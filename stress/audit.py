"""Proving a heap's books after everything has been freed. Each function returns what is wrong, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import arenas

PARTS: Final = (
    "live_bytes",
    "rounding_bytes",
    "guard_bytes",
    "cached_bytes",
    "mailbox_bytes",
    "parked_bytes",
    "quarantined_bytes",
    "free_bytes",
)
"""What ``reserved_bytes`` falls into. Not taken from the heap: an auditor keeps a list of his own."""


def sums(stats: arenas.Stats, where: str) -> list[str]:
    """The parts add up to what is reserved."""
    total = sum(getattr(stats, part) for part in PARTS)
    if total == stats.reserved_bytes:
        return []
    parts = ", ".join(f"{part} {getattr(stats, part):,}" for part in PARTS if getattr(stats, part))
    return [f"{where}: the parts sum to {total:,} bytes, {stats.reserved_bytes:,} are reserved ({parts})"]


def nothing_live(stats: arenas.Stats) -> list[str]:
    """No block and no byte is live, parked or held back."""
    suspects = ("live_blocks", "live_bytes", "guard_bytes", "parked_bytes", "quarantined_bytes")
    return [
        f"{suspect} is {getattr(stats, suspect):,} after every block was freed"
        for suspect in suspects
        if getattr(stats, suspect)
    ]


def whole(stats: arenas.Stats, where: str) -> list[str]:
    """Everything reserved is free, and none of it in pieces: one free span a region.

    The longest of n spans that tile a range is at least the n-th part of it. For the usual single region this is exact.
    """
    wrong = []
    if stats.free_bytes != stats.reserved_bytes:
        wrong.append(f"{where}: {stats.free_bytes:,} of {stats.reserved_bytes:,} bytes are free after trim()")
    regions = max(stats.regions, 1)
    if stats.largest_free_bytes * regions < stats.reserved_bytes:
        wrong.append(
            f"{where}: {stats.reserved_bytes:,} bytes in {regions} regions are in pieces after trim(): "
            f"the largest free span has {stats.largest_free_bytes:,}"
        )
    return wrong


def books(heap: arenas.Heap) -> list[str]:
    """Audit a heap all of whose blocks have been freed; trims it on the way."""
    before = heap.stats()
    wrong = nothing_live(before) + _sums_everywhere(before)
    heap.trim()
    after = heap.stats()
    wrong += _sums_everywhere(after)
    if after.committed_bytes:
        wrong.append(f"{after.committed_bytes:,} bytes are still committed after everything was freed and trimmed")
    for number, arena in enumerate(after.arenas):
        wrong += whole(arena, f"arena {number}")
    return wrong


def _sums_everywhere(stats: arenas.Stats) -> list[str]:
    wrong = sums(stats, "heap")
    for number, arena in enumerate(stats.arenas):
        wrong += sums(arena, f"arena {number}")
    return wrong
