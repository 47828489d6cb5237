"""Which region an address lies in: the page table of raw addresses."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .region import Region


class AddressMap:
    """Every region of a heap by its first address. Without a lock: usable from any thread, signal handler or finalizer.

    The dict is the authority, and each change of it is one atomic step. The sorted addresses are derived on the first
    look after a change, and believed only while the stamp they were made under is the current one.
    """

    __slots__ = ("_region_at", "_sorted", "_stamp")

    def __init__(self) -> None:
        self._region_at: dict[int, Region] = {}  # first address -> region
        self._stamp = object()
        self._sorted: tuple[object, list[int]] = (self._stamp, [])

    def add(self, region: Region) -> None:
        """Enter a region. O(1)."""
        if region.address is not None:
            self._region_at[region.address] = region
            self._stamp = object()

    def remove(self, region: Region) -> None:
        """Forget a region, which may have been forgotten already. O(1)."""
        if region.address is not None and self._region_at.get(region.address) is region:
            self._region_at.pop(region.address, None)
            self._stamp = object()

    def restate(self, arena_number: int, regions: Iterable[Region]) -> None:
        """Make these the arena's regions, whatever an interruption left."""
        kept = list(regions)
        known = set(map(id, kept))
        for region in self._region_at.copy().values():
            if region.arena_number == arena_number and id(region) not in known:
                self.remove(region)
        for region in kept:
            self.add(region)

    def find(self, address: int) -> Region | None:
        """The region around an address. O(log n); O(n log n) for n regions on the first call after one came or went."""
        stamp, starts = self._sorted
        if stamp is not self._stamp:
            # The stamp is read before the copy: a change after it makes what is stored here stale at once.
            stamp = self._stamp
            starts = sorted(self._region_at.copy())
            self._sorted = (stamp, starts)
        index = bisect_right(starts, address) - 1
        region = self._region_at.get(starts[index]) if index >= 0 else None
        if region is None or region.address is None or address >= region.address + region.size:
            return None
        return region
