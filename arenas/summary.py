"""An arena's books summed up, for statistics."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from operator import attrgetter
from typing import TYPE_CHECKING

from .record import Handle, Held, Record, terms
from .stats import Stats

if TYPE_CHECKING:
    from .table import SpanTable

_SIZE = attrgetter("size")
_SPAN = attrgetter("span")

# Python memory that comes with each carved span: its record and two integers, the position and the serial (its size is
# the caller's, its length its stock's); with each live one a handle; with each that was viewed the list of its owners,
# and one owner.
_RECORD_BYTES = sys.getsizeof(Record(0, 0, terms(Held.HANDLE, 1, None))) + 2 * sys.getsizeof(1 << 40)
_HANDLE_BYTES = sys.getsizeof(Handle())
_ROOTS_BYTES = sys.getsizeof([None]) + sys.getsizeof((ctypes.c_ubyte * 0)())


def summarize(table: SpanTable) -> Stats:
    """The statistics. Under the arena's lock. O(regions + live allocations)."""
    # Threads claim, and take from their caches, without the lock: who is live is asked once, so that the parts add up
    # whatever happens meanwhile. What is carved and not live is parked, mailed, or else with a cache.
    live = list(table.live.copy().values())
    scope = [record.span for record in live if record.held is Held.SCOPE] if table.scope_bytes else []
    live_bytes = sum(map(_SIZE, live))
    idle = max(0, table.carved_bytes - sum(map(_SPAN, live)))
    parked = min(idle, sum(record.span for record in table.parked.values() if not record.is_live))
    mailed = min(idle - parked, sum(map(_SPAN, _mail(table))))
    cached = idle - parked - mailed + sum(scope)
    table.peak_live_bytes = max(table.peak_live_bytes, live_bytes)
    allocations = table.allocations + sum(cache.allocations for cache in table.caches)
    return Stats(
        reserved_bytes=table.reserved_bytes,
        live_bytes=live_bytes,
        rounding_bytes=table.carved_bytes - cached - parked - mailed - live_bytes,
        cached_bytes=cached,
        mailbox_bytes=mailed,
        parked_bytes=parked,
        free_bytes=table.placement.free_bytes,
        committed_bytes=table.committed_bytes,
        resident_bytes=_resident_bytes(table),
        largest_free_bytes=table.placement.largest_bytes,
        live_blocks=len(live) - len(scope),
        regions=len(table.regions),
        metadata_bytes=_metadata_bytes(table),
        peak_live_bytes=table.peak_live_bytes,
        allocations=allocations,
        frees=allocations - len(live) + len(scope),
        remote_frees=table.remote_frees + sum(cache.remote_frees for cache in table.caches),
        dropped=table.dropped + sum(cache.dropped for cache in table.caches),
        resizes_in_place=table.resizes_in_place,
        resizes_moved=table.resizes_moved,
        contended=table.contended,
        returned_bytes=table.returned_bytes,
    )


def _mail(table: SpanTable) -> list[Record]:
    while True:
        # Without the GIL a deque that grows meanwhile cannot be copied.
        with contextlib.suppress(RuntimeError):
            return list(table.mailbox)


def _resident_bytes(table: SpanTable) -> int | None:
    measured = [region.mapping.resident_bytes() for region in table.regions if region.mapping is not None]
    return None if None in measured else sum(filter(None, measured))


def _metadata_bytes(table: SpanTable) -> int:
    tables: int = sum(map(sys.getsizeof, (table.carved, table.live, table.parked, table.recent, table.regions)))
    tables += sum(cache.metadata_bytes for cache in table.caches)
    regions = sum(region.metadata_bytes + len(region.roots) * _ROOTS_BYTES for region in table.regions)
    records: int = len(table.carved) * _RECORD_BYTES + len(table.live) * _HANDLE_BYTES
    return tables + records + table.placement.metadata_bytes + regions
