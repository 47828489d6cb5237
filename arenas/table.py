"""The books of one arena: what is carved, from which regions, and what follows from that. No lock: the arena's covers
it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from math import inf
from typing import TYPE_CHECKING, Any

from .record import Held, Nobody, Phase, Record, Stock
from .region import ALL_MARKS, Region, base_after
from .repair import rebuild
from .sizes import round_up

if TYPE_CHECKING:
    from .address_map import AddressMap
    from .backing import Budget
    from .protocols import Backing, Mapping, Placement

# So many freed raw addresses are remembered, to tell a double free from a free of what never was.
_RECENT = 1024


class SpanTable:
    """Regions, the spans carved from them, and the free rest.

    **One authority.** ``regions`` and ``carved`` are the truth; a record is live while its serial is in ``live``. The
    placement, the counters and the address map follow from them, and ``rebuild`` makes them anew after an
    interruption. So every verb changes the truth in single steps, each of which leaves a table that can be rebuilt.
    """

    def __init__(
        self,
        number: int,
        backing: Backing,
        placement: Placement,
        budget: Budget,
        addresses: AddressMap,
        *,
        first_serial: int = 0,
    ) -> None:
        self.number = number
        self.backing = backing
        self.budget = budget
        self.addresses = addresses
        self.regions: list[Region] = []  # in order of base
        self.carved: dict[int, Record] = {}  # position -> record, until the span is returned
        # serial -> record, until a free claims the allocation, without the lock
        self.live: dict[int, Record] = {}
        self.mailbox: deque[Record] = deque()  # claimed records, left by threads that do not own the arena
        self.unstocked = Stock(Nobody(self.live, self.mailbox), 0, 0)  # of what was not taken through a cache
        self.recent: deque[int] = deque(maxlen=_RECENT)  # raw addresses freed lately
        self.hints: dict[int, Any] = {}  # serial -> the weak reference that tells of an array's end
        self.caches: list[Any] = []  # of the threads that take from here, past ones too: a layer above
        self.last_serial = first_serial
        self.closed = False
        self.eager = False  # whether free pages go back at once
        self.generation = 1  # mark of the pages freed now
        # Derived:
        self.bases: list[int] = []  # of the regions
        self.placement = placement
        self.parked: dict[int, Record] = {}  # serial -> record freed while something could see it
        self.doubtful: dict[int, Record] = {}  # serial -> array still seen by something when word came of its end
        self.reserved_bytes = self.carved_bytes = self.scope_bytes = self.committed_bytes = 0
        # Counters, exact except for what an interruption cut short.
        self.allocations = self.remote_frees = self.dropped = self.resizes_in_place = self.resizes_moved = 0
        self.contended = self.returned_bytes = self.peak_live_bytes = 0

    # Regions

    def add_region(self, mapping: Mapping) -> Region:
        """Take in a range of the backing, wholly free."""
        base = base_after(self.regions, mapping.offset if mapping.address is None else mapping.address)
        region = Region(
            mapping, base=base, page_bytes=self.backing.page_bytes, arena_number=self.number, live=self.live
        )
        region.awaited = self.budget.limit_bytes is not None or not self.backing.growable
        self.regions.append(region)
        self.bases.append(base)
        self.addresses.add(region)
        self.placement.add(base, region.size)
        self.reserved_bytes += region.size
        self.peak_live_bytes = max(self.peak_live_bytes, sum(r.size for r in self.live.copy().values()))
        return region

    def drop_region(self, region: Region) -> None:
        """Give a wholly free region back to its backing."""
        self.regions.remove(region)
        self.bases.remove(region.base)
        self.addresses.remove(region)
        self.placement.remove(region.base, region.size)
        self.reserved_bytes -= region.size
        self._state_committed(-region.committed_bytes)
        region.mapping = None

    def region_at(self, position: int) -> Region:
        """The region around a position. O(log regions)."""
        return self.regions[bisect_right(self.bases, position) - 1]

    # Spans

    def place(self, record: Record) -> bool:
        """Carve a free span for a request, if one fits and the budget grants its pages."""
        found = self.placement.take(record.span, record.terms.alignment)
        if found is None:
            return False
        return self._enter(record, *found) or self._place_on_committed(record)

    def place_at(self, record: Record, position: int) -> bool:
        """Carve exactly this span for a request, if it is free and aligned."""
        if position % record.alignment or not self.placement.take_at(position, record.span):
            return False
        return self._enter(record, position, record.span)

    def bump(self, chunk: Record, record: Record) -> bool:
        """Carve a request from the end of a scope's chunk, downwards: so that shrinking the chunk is one step."""
        end = chunk.position + chunk.span
        position = (end - record.span) // record.alignment * record.alignment
        if chunk.serial not in self.live or position < chunk.position:
            return False
        self._fill(record, position, end - position, chunk.region)
        if position == chunk.position:
            self.carved[position] = record
            self.live.pop(chunk.serial, None)
        else:
            chunk.span = position - chunk.position
            self.carved[position] = record
        self.scope_bytes -= record.span
        self.allocations += 1
        self.live[record.serial] = record
        return True

    def put_back(self, record: Record) -> bool:
        """Return a claimed span, or park it while anything can see it. Harmless when it was returned already."""
        if self.carved.get(record.position) is not record:
            return False
        held = record.terms.held
        if record.phase is not _PARKED:
            self.dropped += held is _DROPPED
            self.resizes_moved += held is _MOVED
        if record.roots and record.visible():
            record.phase = _PARKED
            self.parked.pop(record.serial, None)  # to the end: a search that looks at some of them goes round
            self.parked[record.serial] = record
            return False
        region = record.region
        assert region is not None
        region.mark_freed(record.position, record.span, self.generation)
        if held is _ADDRESS:
            self.recent.append(record.address or 0)
        del self.carved[record.position]
        for kept in (self.parked, self.doubtful, self.hints):
            if kept:
                kept.pop(record.serial, None)
        region.roots.pop(record.position, None)
        self.carved_bytes -= record.span
        if held is _SCOPE:
            self.scope_bytes -= record.span
        self._give(record.position, record.span)
        return True

    def _give(self, position: int, size: int) -> None:
        start, length = self.placement.give(position, size)
        if self.eager:
            self._return_span(start, length, ALL_MARKS)

    def put_back_unseen(self, serial: int, record: Record) -> bool:
        """End an allocation held by an array, unless something still sees it; then it is looked at again later."""
        self.doubtful.pop(serial, None)
        if serial not in self.live:
            return False
        if record.visible():
            self.doubtful[serial] = record
            return False
        return record.claim(serial) and self.put_back(record)

    def resize(self, record: Record, size: int, span: int) -> bool:
        """Change a live record's size at its position, if there is room behind it and the budget grants it. Nothing
        may see it.
        """
        region = record.region
        assert region is not None
        record.stock = self.unstocked  # before anything: its length is about to change
        # A span that is longer than need be stays whole while the block grows into it.
        extra = max(0, span - record.span) if size >= record.size else span - record.span
        end = record.position + record.span
        if extra > 0 and not self.placement.take_at(end, extra):
            return False
        fresh_bytes = region.fresh_bytes(record.position, span)
        if fresh_bytes and not self._commit(region, record.position, span, fresh_bytes):
            if extra > 0:
                self.placement.give(end, extra)
            return False
        self.carved_bytes += extra
        if extra >= 0:
            record.span += extra
            record.size = size
        else:
            record.size = size  # before the span: a size never exceeds it
            record.span += extra
            # An owner reaches as far as the block did.
            record.roots = None
            region.roots.pop(record.position, None)
            region.mark_freed(end + extra, -extra, self.generation)
            self._give(end + extra, -extra)
        self.resizes_in_place += 1
        return True

    # Pages

    def return_pages(self, expired: bytes, *, enough_bytes: float = inf) -> int:
        """Give back the pages of free spans that have ``expired`` marks, until it is enough. Bytes given back."""
        returned = 0
        for position, size in list(self.placement):
            if returned < enough_bytes:
                returned += self._return_span(position, size, expired)
        return returned

    def _return_span(self, position: int, size: int, expired: bytes) -> int:
        region = self.region_at(position)
        if self.backing.growable and size == region.size and region.is_idle(expired):
            returned = region.committed_bytes
            self.drop_region(region)
        else:
            returned = region.decommit(position, size, expired)
            self._state_committed(-returned)
        self.returned_bytes += returned
        return returned

    def close(self) -> None:
        """Let go of every region. Memory that something still sees stays mapped until that is gone."""
        self.closed = True
        for record in self.carved.values():
            record.roots = None
        for region in self.regions:
            self.addresses.remove(region)
            region.mapping = None
            region.roots.clear()
        self.hints.clear()
        self.carved.clear()
        self.parked.clear()
        self.doubtful.clear()
        self.regions.clear()
        rebuild(self)

    # The single steps

    def _place_on_committed(self, record: Record) -> bool:
        # The budget refused the best fit its pages. Another free span may need fewer, or none.
        left = self.budget.left_bytes or 0
        for start, size in list(self.placement):
            position = round_up(start, record.alignment)
            fits = position + record.span <= start + size
            if fits and self.region_at(position).fresh_bytes(position, record.span) <= left:
                return self.place_at(record, position)
        return False

    def _enter(self, record: Record, position: int, span: int) -> bool:
        region = self.regions[bisect_right(self.bases, position) - 1]
        fresh_bytes, fresh = region.fresh(position, record.span)
        if fresh_bytes and not self._commit(region, position, record.span, fresh_bytes):
            self.placement.give(position, span)
            return False
        self._fill(record, position, span, region)
        record.phase = _FRESH if fresh else None
        self.carved[position] = record
        self.carved_bytes += span
        if record.terms.held is _SCOPE:
            self.scope_bytes += span
        else:
            self.allocations += 1
            record.stock = self.unstocked
        # Last: from here on the allocation can be claimed by whoever frees it.
        self.live[record.serial] = record
        return True

    def _fill(self, record: Record, position: int, span: int, region: Region | None) -> None:
        self.last_serial = record.serial = self.last_serial + 1
        record.position = position
        record.span = span
        record.region = region

    def _commit(self, region: Region, position: int, size: int, fresh_bytes: int) -> bool:
        if not self.budget.grant(self.number, self.committed_bytes + fresh_bytes):
            return False
        self.committed_bytes += fresh_bytes
        region.commit(position, size, self.generation)
        return True

    def _state_committed(self, change: int) -> None:
        self.committed_bytes += change
        self.budget.state(self.number, self.committed_bytes)


# On 3.11 an enumeration's attribute takes ten times as long as a global.
_SCOPE, _ADDRESS, _DROPPED, _MOVED = Held.SCOPE, Held.ADDRESS, Held.DROPPED, Held.MOVED
_FRESH, _PARKED = Phase
