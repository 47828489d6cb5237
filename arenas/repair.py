"""An arena's books derived anew from their authority: its regions, and the spans carved from them."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from .record import Held
from .region import gaps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .region import Region
    from .table import SpanTable


def rebuild(table: SpanTable) -> None:
    """Make everything derived true again, whatever an interruption left. Under the arena's lock. O(n log n)."""
    for serial, record in list(table.live.items()):
        if table.carved.get(record.position) is not record:
            table.live.pop(serial, None)
    table.bases = [region.base for region in table.regions]
    table.parked = {r.serial: r for r in table.carved.values() if r.parked and not r.is_live}
    table.placement.clear()
    for region, spans in tiles(table):
        for position, size in gaps(region, spans):
            table.placement.add(position, size)
    table.addresses.restate(table.number, table.regions)
    _count_anew(table)


def _count_anew(table: SpanTable) -> None:
    carved = table.carved.values()
    table.reserved_bytes = sum(region.size for region in table.regions)
    table.carved_bytes = sum(record.span for record in carved)
    table.scope_bytes = sum(record.span for record in carved if record.held is Held.SCOPE)
    table.committed_bytes = sum(region.committed_bytes for region in table.regions)
    table.budget.state(table.number, table.committed_bytes)


def tiles(table: SpanTable) -> Iterator[tuple[Region, list[tuple[int, int]]]]:
    """Each region with the spans carved from it, in order. O(n log n)."""
    positions = sorted(table.carved)
    for region in table.regions:
        inside = positions[bisect_left(positions, region.base) : bisect_left(positions, region.end)]
        yield region, [(position, table.carved[position].span) for position in inside]
