"""Growing an arena, and how long its next region is: one rule a class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from .region import ALL_MARKS
from .search import look_at_some
from .sizes import size_class
from .system import HUGE_PAGE_BYTES

if TYPE_CHECKING:
    from .protocols import Mapping, Placement
    from .record import Record
    from .table import SpanTable

# An arena's first region is at least this long, unless the heap's `region_bytes` is less.
FIRST_REGION_BYTES = 128 << 10


class Growth(Protocol):
    """Decides the length of regions. Under the arena's lock."""

    def ranges(self, span: int, alignment: int) -> tuple[tuple[int, int], ...]:
        """Lengths and alignments to ask the backing for when a request does not fit: one after the other, until it has
        one.
        """

    def grew(self, mapping: Mapping, span: int) -> None:
        """A region was mapped, and is of use for a request of this span."""

    def hoards(self, placement: Placement, carved_bytes: int) -> bool:
        """Whether idle regions should go back before another is mapped."""


class Doubling:
    """Each region twice as long as the one before, up to ``region_bytes``: few regions, and a small one to begin
    with.
    """

    def __init__(self, region_bytes: int) -> None:
        self._longest = region_bytes
        self._next = min(FIRST_REGION_BYTES, region_bytes)

    def ranges(self, span: int, alignment: int) -> tuple[tuple[int, int], ...]:
        """The next length; for a request that is longer, or a system that has not so much, the request's own."""
        return (max(span, self._next), alignment), (span, alignment)

    def grew(self, mapping: Mapping, span: int) -> None:
        """The next one is twice as long."""
        del mapping, span
        self._next = min(2 * self._next, self._longest)

    def hoards(self, placement: Placement, carved_bytes: int) -> bool:
        """Never: any free span serves some request."""
        del placement, carved_bytes
        return False


class Exact:
    """Each region as long as the request, rounded up to one of eight lengths a doubling."""

    def ranges(self, span: int, alignment: int) -> tuple[tuple[int, int], ...]:
        """The request's length, at a huge page if one fits in."""
        aligned = max(alignment, HUGE_PAGE_BYTES) if span >= HUGE_PAGE_BYTES else alignment
        return (size_class(span), aligned), (span, alignment)

    def grew(self, mapping: Mapping, span: int) -> None:
        """It is filled from its beginning, so that whole huge pages of it are one block's."""
        prefer = getattr(mapping, "prefer_huge_pages", None)  # what only memory can do
        if prefer is not None and span >= HUGE_PAGE_BYTES:
            prefer(span)

    def hoards(self, placement: Placement, carved_bytes: int) -> bool:
        """When more is idle than in use: regions of lengths that were asked for once."""
        return placement.free_bytes > carved_bytes


def place_in_new_region(table: SpanTable, growth: Growth, record: Record) -> bool:
    """Carve a request for which there is no room, from a new region. Under the arena's lock."""
    if not table.backing.growable or table.closed:
        return False
    if look_at_some(table) and table.place(record):
        return True
    mapping = _map(table, growth, record)
    if mapping is None:
        return False
    wanted = record.span
    region = table.add_region(mapping)
    if not table.place(record):
        # The budget refused the pages: the region is of no use.
        table.drop_region(region)
        return False
    growth.grew(mapping, wanted)
    return True


def _map(table: SpanTable, growth: Growth, record: Record) -> Mapping | None:
    if growth.hoards(table.placement, table.carved_bytes):
        table.return_pages(ALL_MARKS, enough_bytes=record.span)  # one in, one out: the others stay warm
    for length, alignment in growth.ranges(record.span, record.alignment):
        try:
            return table.backing.map(length, alignment)
        except (OSError, MemoryError, OverflowError):
            continue
    return None
