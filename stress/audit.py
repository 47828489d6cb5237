"""Proving a heap's books, and the heap whole, after everything has been freed. Each function says what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import arenas

from .errors import MisbehaviourError
from .faults import overlaps

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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

_IDLE: Final = frozenset({"free", "cached"})
"""What a heap without blocks may consist of, before it is trimmed."""


def books(heap: arenas.Heap, limit_bytes: int | None = None) -> list[str]:
    """Audit a heap all of whose blocks have been freed: all idle; trimmed, whole; and all of it to be had again.

    Allocates as much as the heap had, without touching it, and trims it.
    """
    stats, spans = at_rest(heap)
    wrong = nothing_live(stats) + sums_everywhere(stats) + idle(spans, stats)
    heap.trim()
    wrong += nothing_left(heap)
    if wrong:
        return wrong
    regions = [sum(span.span for span in region) for region in _runs(spans)]
    wrong += all_again(heap, regions, limit_bytes)
    heap.trim()
    return wrong + nothing_left(heap)


def at_rest(heap: arenas.Heap) -> tuple[arenas.Stats, tuple[arenas.SpanInfo, ...]]:
    """Its statistics and its spans, of one moment: any call may bring home what was freed elsewhere before."""
    stats = heap.stats()
    for _ in range(_PATIENCE):
        spans = heap.snapshot().spans
        before, stats = stats, heap.stats()
        if all(getattr(before, name) == getattr(stats, name) for name in (*PARTS, "reserved_bytes", "regions")):
            return stats, spans
    raise MisbehaviourError(f"the heap does not come to rest though nobody calls it: {stats}")


def sums(stats: arenas.Stats, where: str) -> list[str]:
    """The parts add up to what is reserved."""
    total = sum(getattr(stats, part) for part in PARTS)
    if total == stats.reserved_bytes:
        return []
    parts = ", ".join(f"{part} {getattr(stats, part):,}" for part in PARTS if getattr(stats, part))
    return [f"{where}: the parts sum to {total:,} bytes, {stats.reserved_bytes:,} are reserved ({parts})"]


def sums_everywhere(stats: arenas.Stats) -> list[str]:
    """The same of the heap and of each arena; while nobody else calls."""
    wrong = sums(stats, "heap")
    for number, arena in enumerate(stats.arenas):
        wrong += sums(arena, f"arena {number}")
    return wrong


def limited(stats: arenas.Stats, limit_bytes: int | None) -> list[str]:
    """No more is committed than may be; while nobody else calls."""
    if limit_bytes is None or stats.committed_bytes <= limit_bytes:
        return []
    return [f"{stats.committed_bytes:,} bytes are committed, the limit is {limit_bytes:,}"]


def nothing_live(stats: arenas.Stats) -> list[str]:
    """No block and no byte is live, parked or held back."""
    suspects = ("live_blocks", "live_bytes", "guard_bytes", "parked_bytes", "quarantined_bytes")
    return [
        f"{suspect} is {getattr(stats, suspect):,} after every block was freed"
        for suspect in suspects
        if getattr(stats, suspect)
    ]


def idle(spans: Sequence[arenas.SpanInfo], stats: arenas.Stats) -> list[str]:
    """The spans tile their regions, and are free or cached, all of them."""
    wrong = []
    for number, known in enumerate(stats.arenas):
        of_arena = [span for span in spans if span.arena == number]
        where = f"arena {number}"
        wrong += [
            f"{where}: {span.span:,} bytes at {span.offset:#x} are {span.state} after every block was freed"
            for span in of_arena
            if span.state not in _IDLE
        ]
        total = sum(span.span for span in of_arena)
        if total != known.reserved_bytes:
            wrong.append(f"{where}: its spans have {total:,} bytes, {known.reserved_bytes:,} are reserved")
        pieces = len(list(_runs(of_arena)))
        if pieces > known.regions:
            wrong.append(f"{where}: its spans lie in {pieces:,} pieces, and it has {known.regions:,} regions")
    return wrong


def nothing_left(heap: arenas.Heap) -> list[str]:
    """Trimmed, nothing is committed, and each region that remains is one free span."""
    stats, spans = at_rest(heap)
    wrong = sums_everywhere(stats)
    if stats.committed_bytes:
        wrong.append(f"{stats.committed_bytes:,} bytes are still committed after everything was freed and trimmed")
    for number, known in enumerate(stats.arenas):
        mine = [span for span in spans if span.arena == number]
        free = sum(span.span for span in mine if span.state == "free")
        if free != known.reserved_bytes:
            wrong.append(f"arena {number}: {free:,} of {known.reserved_bytes:,} bytes are free after trim()")
        if len(mine) != known.regions:
            wrong.append(
                f"arena {number}: {known.regions:,} regions are in pieces after trim(): {len(mine):,} spans, "
                f"the first {', '.join(f'{span.span:,} {span.state}' for span in mine[:_SHOWN])}"
            )
    return wrong


def all_again(heap: arenas.Heap, regions: Iterable[int], limit_bytes: int | None) -> list[str]:
    """A block as long as each region that was there, all live at once; within the limit, if there is one."""
    page = heap.backing.page_bytes or 1
    left = limit_bytes
    blocks: list[arenas.Block] = []
    wrong = []
    for region in sorted(regions, reverse=True):  # the longest first: nothing else has room for it
        size = region if left is None else min(region, left // page * page)
        if not size:
            break
        try:
            blocks.append(heap.alloc(size))
        except arenas.OutOfMemoryError as error:
            wrong.append(f"{size:,} bytes, which it had before, are not to be had again: {error}")
            break
        if left is not None:
            left -= -(-size // page) * page
    wrong += overlaps((block.offset, block.size, number) for number, block in enumerate(blocks))
    stats = heap.stats()
    wrong += limited(stats, limit_bytes)
    asked = sum(block.size for block in blocks)
    if (stats.live_blocks, stats.live_bytes) != (len(blocks), asked):
        wrong.append(
            f"all allocated again: {stats.live_blocks:,} blocks of {stats.live_bytes:,} bytes are live, "
            f"handed out are {len(blocks):,} of {asked:,}"
        )
    for block in blocks:
        block.free()
    return wrong


_SHOWN: Final = 4
_PATIENCE: Final = 100


def _runs(spans: Iterable[arenas.SpanInfo]) -> Iterable[list[arenas.SpanInfo]]:
    """Spans that lie end to end in one arena."""
    run: list[arenas.SpanInfo] = []
    for span in spans:
        if run and (run[-1].arena != span.arena or run[-1].offset + run[-1].span != span.offset):
            yield run
            run = []
        run.append(span)
    if run:
        yield run
