"""A region: one contiguous range obtained from a backing, its place among positions, and which of its pages are
committed.
"""

from __future__ import annotations

import functools
import itertools
import sys
from typing import TYPE_CHECKING, Any

from .sizes import MAXIMUM_ALIGNMENT, round_down

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .protocols import Mapping
    from .record import Record

# A page's mark is 0 while it is not committed; else the generation in which it was last freed (or the oldest: never
# freed).
CLEAN = 0

ALL_MARKS = bytes(range(1, 256))  # every mark a committed page can have


class Region:
    """One range of a backing. All but the constructor under the arena's lock.

    ``pages`` holds a mark a page and is the authority on what is committed: a page is marked before it is handed out,
    and unmarked after it was given back, so that an interruption can only ever count too much, never hand out a dirty
    page as fresh.
    """

    __slots__ = (
        "address",
        "arena_number",
        "awaited",
        "base",
        "live",
        "mapping",
        "offset",
        "page_bytes",
        "pages",
        "roots",
        "size",
    )

    def __init__(
        self, mapping: Mapping, *, base: int, page_bytes: int, arena_number: int, live: dict[int, Record] | None = None
    ) -> None:
        """``base`` is the region's first position, in the arena's numbering; ``live`` the arena's live allocations."""
        self.mapping: Mapping | None = mapping  # None once the heap was closed
        self.base = base
        self.size = mapping.size
        self.address = mapping.address
        self.offset = mapping.offset
        self.arena_number = arena_number
        self.live = {} if live is None else live
        self.awaited = False  # whether somebody may come to wait for its memory
        # position -> the owners of the views of what lies there. Without a lock: entered by `setdefault`.
        self.roots: dict[int, list[Any]] = {}
        self.page_bytes = page_bytes
        self.pages = bytearray(-(-mapping.size // page_bytes) if page_bytes else 0)

    @property
    def end(self) -> int:
        """The position just after the last."""
        return self.base + self.size

    @property
    def committed_bytes(self) -> int:
        """Bytes of committed pages."""
        return (len(self.pages) - self.pages.count(CLEAN)) * self.page_bytes

    @property
    def metadata_bytes(self) -> int:
        """Python memory of this object and its marks."""
        return sys.getsizeof(self) + sys.getsizeof(self.pages) + sys.getsizeof(self.roots)

    def fresh_bytes(self, position: int, size: int) -> int:
        """How many bytes' worth of pages would be newly committed by handing out this span."""
        first, last = self._touched(position, size)
        return self.pages.count(CLEAN, first, last) * self.page_bytes

    def fresh(self, position: int, size: int) -> tuple[int, bool]:
        """As :meth:`fresh_bytes`, and whether no byte of the span was ever handed out since its page was last given
        back.
        """
        page_bytes = self.page_bytes
        if not page_bytes:
            return 0, False
        start = position - self.base
        first, last = start // page_bytes, -(-(start + size) // page_bytes)
        clean = self.pages.count(CLEAN, first, last)
        return clean * page_bytes, clean == last - first

    def commit(self, position: int, size: int, generation: int) -> None:
        """Mark the span's pages as handed out."""
        first, last = self._touched(position, size)
        if self.pages.count(CLEAN, first, last) == last - first:
            self.pages[first:last] = bytes((generation,)) * (last - first)
        else:
            self.pages[first:last] = self.pages[first:last].replace(bytes((CLEAN,)), bytes((generation,)))

    def mark_freed(self, position: int, size: int, generation: int) -> None:
        """Note when the span's committed pages were last used."""
        first, last = self._touched(position, size)
        pages = self.pages
        if pages.count(generation, first, last) != last - first:  # most are used and freed within one step of the clock
            pages[first:last] = pages[first:last].translate(_remarking(generation))

    def decommit(self, position: int, size: int, expired: bytes) -> int:
        """Give back the free span's whole pages whose marks are in ``expired``; the bytes given back."""
        if not self.page_bytes or self.mapping is None:
            return 0
        first = -(-(position - self.base) // self.page_bytes)
        last = (position + size - self.base) // self.page_bytes
        if position + size == self.end:
            last = len(self.pages)  # the end of a file's range may be part of a page
        returned = 0
        for start, stop in _runs(self.pages, first, last, expired):
            try:
                done = self.mapping.decommit(start * self.page_bytes, (stop - start) * self.page_bytes)
            except (OSError, MemoryError):
                done = False  # the pages stay committed, and are tried again
            if done:
                self.pages[start:stop] = bytes(stop - start)
                returned += (stop - start) * self.page_bytes
        return returned

    def is_idle(self, expired: bytes) -> bool:
        """Whether every page is clean or has a mark in ``expired``."""
        return not self.pages.translate(None, expired + bytes((CLEAN,)))

    def _touched(self, position: int, size: int) -> tuple[int, int]:
        if not self.page_bytes:
            return 0, 0
        start = position - self.base
        return start // self.page_bytes, -(-(start + size) // self.page_bytes)


@functools.cache
def _remarking(generation: int) -> bytes:
    # What each mark becomes: a clean page stays clean.
    return bytes((CLEAN, *(generation,) * 255))


@functools.lru_cache(maxsize=256)
def _flags(expired: bytes) -> bytes:
    # For each mark, whether its page is kept.
    return bytes(mark not in expired for mark in range(256))


def _runs(pages: bytearray, first: int, last: int, expired: bytes) -> Iterator[tuple[int, int]]:
    """The longest runs ``[start, stop)`` of pages in ``[first, last)`` whose marks are in ``expired``."""
    if last <= first:
        return
    flags = pages[first:last].translate(_flags(expired))
    place = flags.find(0)
    while place >= 0:
        stop = flags.find(1, place)
        if stop < 0:
            stop = len(flags)
        yield first + place, first + stop
        place = flags.find(0, stop)


def base_after(regions: list[Region], origin: int) -> int:
    """A first position for a new region: beyond all others with a gap between, and congruent to its origin.

    The origin is the address, or the offset where there are none. Positions keep it modulo ``MAXIMUM_ALIGNMENT`` (an
    arena's first region keeps all of it), so that a multiple of an alignment among positions is one among addresses.
    """
    if not regions:
        return origin
    end = regions[-1].end
    base = round_down(end, MAXIMUM_ALIGNMENT) + origin % MAXIMUM_ALIGNMENT
    return base if base > end else base + MAXIMUM_ALIGNMENT


def gaps(region: Region, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """What of a region the sorted, disjoint spans leave uncovered."""
    edges = [region.base, *itertools.chain.from_iterable((start, start + size) for start, size in spans), region.end]
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return [(start, end - start) for start, end in pairs if end > start]
