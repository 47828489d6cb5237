"""An arena's books summed up, for statistics."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from .record import Held, Record
from .stats import Stats

if TYPE_CHECKING:
    from .table import SpanTable

# Python memory that comes with each carved span: its record, the record's list of roots, and four integers.
_RECORD_BYTES = sys.getsizeof(Record(0, 0, 1, None)) + sys.getsizeof([]) + 4 * sys.getsizeof(1 << 40)


def summarize(table: SpanTable) -> Stats:
    """The statistics. Under the arena's lock. O(regions), and O(spans) while some are parked or on their way back."""
    carved = table.carved if len(table.carved) > len(table.live) else {}
    # Claims need no lock: what is live is asked once for each record, so that the parts add up whatever happens
    # meanwhile.
    freed = [record for record in carved.values() if not record.is_live]
    parked = sum(record.span for record in freed if record.parked)
    mailed = sum(record.span for record in freed if not record.parked)
    scope = sum(record.span for record in freed if record.held is Held.SCOPE)
    live = table.asked_bytes - sum(record.size for record in freed if record.held is not Held.SCOPE)
    table.peak_live_bytes = max(table.peak_live_bytes, live)
    return Stats(
        reserved_bytes=table.reserved_bytes,
        live_bytes=live,
        rounding_bytes=table.carved_bytes - table.cached_bytes - parked - mailed + scope - live,
        cached_bytes=table.cached_bytes - scope,
        mailbox_bytes=mailed,
        parked_bytes=parked,
        free_bytes=table.placement.free_bytes,
        committed_bytes=table.committed_bytes,
        resident_bytes=_resident_bytes(table),
        largest_free_bytes=table.placement.largest_bytes,
        live_blocks=len(table.live) - _chunks(table),
        regions=len(table.regions),
        metadata_bytes=_metadata_bytes(table),
        peak_live_bytes=table.peak_live_bytes,
        allocations=table.allocations,
        frees=table.frees,
        remote_frees=table.remote_frees,
        dropped=table.dropped,
        resizes_in_place=table.resizes_in_place,
        resizes_moved=table.resizes_moved,
        contended=table.contended,
        returned_bytes=table.returned_bytes,
    )


def _chunks(table: SpanTable) -> int:
    if not table.cached_bytes:
        return 0
    return sum(record.held is Held.SCOPE for record in table.live.copy().values())


def _resident_bytes(table: SpanTable) -> int | None:
    measured = [region.mapping.resident_bytes() for region in table.regions if region.mapping is not None]
    return None if None in measured else sum(filter(None, measured))


def _metadata_bytes(table: SpanTable) -> int:
    tables = sum(map(sys.getsizeof, (table.carved, table.live, table.parked, table.recent, table.regions)))
    regions = sum(region.metadata_bytes for region in table.regions)
    return tables + len(table.carved) * _RECORD_BYTES + table.placement.metadata_bytes + regions
