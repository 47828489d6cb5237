"""The proof that an arena's books are true: one sentence an invariant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import CorruptionError
from .record import Held
from .region import gaps
from .repair import tiles
from .summary import summarize

if TYPE_CHECKING:
    from .region import Region
    from .table import SpanTable


def audit(table: SpanTable) -> None:
    """Raise ``CorruptionError``, with the state in its message, unless every invariant holds. O(n log n)."""
    table.placement.check()
    free = dict(table.placement)
    seen = 0
    for region, spans in tiles(table):
        seen += _audit_region(table, region, spans, free)
    # Every free span lies in a region, and so does every carved one.
    _require(table, not free, f"free spans outside every region: {sorted(free.items())[:8]}")
    _require(table, seen == len(table.carved), f"{len(table.carved) - seen} carved spans outside every region")
    # A live allocation is carved, under its own position.
    for record in list(table.live.values()):
        _require(table, table.carved.get(record.position) is record, f"live allocation {record.number} is not carved")
    # What is parked is carved, and not live.
    for record in table.parked.values():
        lost = table.carved.get(record.position) is not record or record.is_live
        _require(table, not lost, f"parked allocation {record.number} is not carved, or live")
    _audit_sums(table)


def _audit_region(table: SpanTable, region: Region, spans: list[tuple[int, int]], free: dict[int, int]) -> int:
    # Carved spans do not overlap, and none reaches over the end of its region.
    end = region.base
    for position, size in spans:
        _require(table, position >= end and size > 0, f"span {position:#x}+{size} begins before {end:#x}")
        end = position + size
        record = table.carved[position]
        _require(
            table, record.position == position and record.region is region, f"span {position:#x} knows another place"
        )
        _require(table, record.size <= record.span, f"allocation {record.number}: {record.size} bytes in {record.span}")
        _require(
            table, position % record.alignment == 0, f"allocation {record.number} is not aligned to {record.alignment}"
        )
        # Every page of what was handed out is committed.
        _require(
            table, not region.fresh_bytes(position, record.size), f"allocation {record.number} has uncommitted pages"
        )
    _require(table, end <= region.end, f"spans end at {end:#x}, the region at {region.end:#x}")
    # Carved and free spans tile the region: what is not carved is free, joined up, and nothing else is.
    for gap in gaps(region, spans):
        _require(table, free.pop(gap[0], None) == gap[1], f"gap {gap[0]:#x}+{gap[1]} is not one free span")
    return len(spans)


def _audit_sums(table: SpanTable) -> None:
    carved = list(table.carved.values())
    scope = [record for record in carved if record.held is Held.SCOPE]
    sums = {
        "reserved_bytes": sum(region.size for region in table.regions),
        "carved_bytes": sum(record.span for record in carved),
        "scope_bytes": sum(record.span for record in scope),
        "committed_bytes": sum(region.committed_bytes for region in table.regions),
    }
    # Every running sum equals what it sums up.
    for name, value in sums.items():
        _require(table, getattr(table, name) == value, f"{name} is {getattr(table, name)} instead of {value}")
    # Every byte is carved or free, and the parts shown to users add up to the whole.
    free_bytes = table.placement.free_bytes
    _require(table, sums["carved_bytes"] + free_bytes == sums["reserved_bytes"], f"free bytes are {free_bytes}")
    stats = summarize(table)
    _require(table, stats.parts_bytes == stats.reserved_bytes, f"parts sum to {stats.parts_bytes}: {stats}")
    # The budget knows what this arena has committed, and is not exceeded.
    limit = table.budget.limit_bytes
    with table.budget.lock:  # a claim is stated before it is refused
        total = table.budget.committed_bytes
    _require(table, limit is None or total <= limit, f"{total} bytes committed, the limit is {limit}")


def _require(table: SpanTable, holds: bool, what: str) -> None:  # noqa: FBT001 - reads as the sentence it checks
    if not holds:
        spans = [
            (position, record.span, record.size, record.state) for position, record in sorted(table.carved.items())
        ]
        raise CorruptionError(
            f"arena {table.number}: {what}; regions {[(region.base, region.size) for region in table.regions][:16]}, "
            f"carved {spans[:32]}, free {list(table.placement)[:32]}"
        )
