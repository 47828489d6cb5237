"""The child that measures a heap: ``python -m ….footprint FOLDER SLOTS PLACEMENT``."""

from __future__ import annotations

import bisect
import json
import sys
from typing import TYPE_CHECKING

import arenas

from .. import placements
from .replay import Work, without_huge_pages

if TYPE_CHECKING:
    from arenas.backing.memory import MappedMemory


class Watched(arenas.AnonymousMemory):
    """Remembers which ranges it handed out: a heap's regions."""

    def __init__(self) -> None:
        """None yet."""
        super().__init__()
        self.ranges: list[tuple[int, int]] = []

    def map(self, size: int, alignment: int) -> MappedMemory:
        """As the base class does."""
        mapping = super().map(size, alignment)
        self.ranges.append((mapping.offset, mapping.size))
        return mapping


class OfHeap:
    """A heap as C sees it."""

    def __init__(self, heap: arenas.Heap) -> None:
        """See it so."""
        self._heap = heap
        self.free = heap.free

    def allocate(self, size: int, alignment: int) -> int:
        """``malloc`` or ``aligned_alloc``."""
        return self._heap.aligned_alloc(alignment, size) if alignment else self._heap.malloc(size)

    def zeroed(self, size: int) -> int:
        """``calloc``."""
        return self._heap.calloc(size)

    def resize(self, address: int, size: int) -> int:
        """``realloc`` to at least 1 byte."""
        resized = self._heap.realloc(address, max(size, 1))
        assert resized is not None, "only a size of 0 gives no address"
        return resized


def in_use(ranges: list[tuple[int, int]], spans: list[tuple[int, int]]) -> int:
    """Bytes of each range from its start to the end of the last of the ``(address, size)`` that lie in it.

    A range given back may have been mapped anew, by a longer or shorter one: the later one counts.
    """
    kept: list[tuple[int, int]] = []
    for start, size in reversed(ranges):
        place = bisect.bisect(kept, (start,))
        overlaps = (place and sum(kept[place - 1]) > start) or (place < len(kept) and kept[place][0] < start + size)
        if not overlaps:
            kept.insert(place, (start, size))
    ends: dict[int, int] = {}
    for address, size in spans:
        start, _ = kept[bisect.bisect(kept, (address + 1,)) - 1]
        ends[start] = max(ends.get(start, 0), address + size)
    return sum(end - start for start, end in ends.items())


def main() -> int:
    """Measure, and print the figures as JSON."""
    folder, slots, placement = sys.argv[1:]
    without_huge_pages()
    backing = Watched()
    heap = arenas.Heap(backing=backing, placement=placements.find(placement), arenas=1, alignment=16, decay_seconds=0)
    Work(folder, int(slots)).carry_out(OfHeap(heap))
    stats = heap.stats()
    carved = [(span.offset, span.span) for span in heap.snapshot().spans if span.state != "free"]
    figures = {
        "span_bytes": in_use(backing.ranges, carved),
        "resident_bytes": stats.resident_bytes,
        "metadata_bytes": stats.metadata_bytes,
    }
    sys.stdout.write(json.dumps(figures) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
