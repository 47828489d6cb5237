"""Address-ordered best fit over a sorted list."""

from __future__ import annotations

import itertools
import sys
from typing import TYPE_CHECKING

from sortedcontainers import SortedList

from ..errors import CorruptionError, InvalidRequestError
from ..sizes import round_up

if TYPE_CHECKING:
    from collections.abc import Iterator

# A span's key is one integer, `size << POSITION_BITS | position`: faster to compare than a tuple, and spans of one
# size sort by address. Positions grow by at most 2^30 beyond its size for each region ever mapped, so 80 bits outlast
# any process.
POSITION_BITS = 80
POSITION_MASK = (1 << POSITION_BITS) - 1

# Python memory of a key: its entry in the sorted list, and the three integers that stand in the list and the maps.
_SPAN_BYTES = 8 + 3 * sys.getsizeof(1 << POSITION_BITS)

# With an alignment beyond that of the spans, so many spans that might fit are tried before asking for one that surely
# does.
_TRIES = 16


class BestFit:
    """The smallest free span that fits, the lowest address among equals.

    Index: a ``SortedList`` of ``(size, position)`` keys, and two boundary maps (by a span's first position, by its
    end) that find the neighbours to join with. The list is not thread-safe; the arena's lock covers it.

    ``take`` and ``give`` are O(log n) comparisons for n free spans, with list moves bounded by sortedcontainers' load
    factor. A request aligned beyond the spans may meet many that are long enough but begin badly: after 16 of them it
    gets the smallest that is sure to fit, so that no request walks the whole list while there is such a one. The part
    of a span that is not needed is split off unless it is smaller than ``split_bytes``.

    Knuth, The Art of Computer Programming 1, 2.5; address order among equals after Wilson, Johnstone, Neely and
    Boles, "Dynamic Storage Allocation" (1995). Worst case, Robson (1977): memory of about live bytes times largest ÷
    smallest block.
    """

    __slots__ = ("_free_bytes", "_index", "_size_at", "_split_bytes", "_start_before")

    def __init__(self, *, split_bytes: int = 1) -> None:
        """``split_bytes``: the smallest remainder worth splitting off; a smaller one stays with the block, as
        rounding.
        """
        if split_bytes < 1:
            raise InvalidRequestError(f"split_bytes must be positive: {split_bytes}")
        self._split_bytes = split_bytes
        self.clear()

    def clear(self) -> None:
        """Forget every span."""
        self._index: SortedList[int] = SortedList()
        self._size_at: dict[int, int] = {}  # first position of a free span -> its size
        self._start_before: dict[int, int] = {}  # position just after a free span -> its first position
        self._free_bytes = 0

    def add(self, position: int, size: int) -> None:
        """Take in a free range that touches no other."""
        self._insert(position, size)

    def take(self, size: int, alignment: int) -> tuple[int, int] | None:
        """Carve the best fit for ``size`` at a multiple of ``alignment``."""
        index = self._index
        first = index.bisect_left(size << POSITION_BITS)
        if first == len(index):
            return None
        key = index.pop(first)
        start = key & POSITION_MASK
        if start % alignment:
            index.add(key)
            return self._take_aligned(first, size, alignment)
        # The usual case, with no call that can be spared: this and `give` are what requests wait for.
        length = key >> POSITION_BITS
        del self._size_at[start]
        rest = length - size
        if rest >= self._split_bytes:
            following = start + size
            index.add(rest << POSITION_BITS | following)
            self._size_at[following] = rest
            self._start_before[start + length] = following
        else:
            size = length
            del self._start_before[start + length]
        self._free_bytes -= size
        return start, size

    def _take_aligned(self, first: int, size: int, alignment: int) -> tuple[int, int] | None:
        found = self._find(first, size, alignment)
        if found is None:
            return None
        start, length = found
        self._discard(start, length)
        position = round_up(start, alignment)
        if position > start:
            self._insert(start, position - start)
        rest = start + length - position - size
        if rest >= self._split_bytes:
            self._insert(position + size, rest)
        else:
            size += rest
        return position, size

    def take_at(self, position: int, size: int) -> bool:
        """Carve exactly ``[position, position + size)`` if it is free. O(1) at the start of a span, else O(n)."""
        start = position if position in self._size_at else self._start_around(position)
        if start is None or start + self._size_at[start] < position + size:
            return False
        length = self._size_at[start]
        self._discard(start, length)
        if position > start:
            self._insert(start, position - start)
        if rest := start + length - position - size:
            self._insert(position + size, rest)
        return True

    def give(self, position: int, size: int) -> tuple[int, int]:
        """Take a span back, joined with the free spans before and after it; the joined span."""
        index, size_at, start_before = self._index, self._size_at, self._start_before
        end = position + size
        start = start_before.pop(position, None)
        if start is None:
            start = position
        else:
            index.remove(position - start << POSITION_BITS | start)
        after_size = size_at.pop(end, None)
        if after_size is not None:
            index.remove(after_size << POSITION_BITS | end)
            end += after_size
        length = end - start
        index.add(length << POSITION_BITS | start)
        size_at[start] = length
        start_before[end] = start
        self._free_bytes += size
        return start, length

    def remove(self, position: int, size: int) -> None:
        """Forget a range that is one whole free span."""
        if self._size_at.get(position) != size:
            raise CorruptionError(
                f"span {position:#x}+{size} is not wholly free: {self._size_at.get(position)} bytes are"
            )
        self._discard(position, size)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """The free spans in order of position. O(n log n)."""
        return iter(sorted(self._size_at.items()))

    @property
    def free_bytes(self) -> int:
        """Sum of the free spans. O(1)."""
        return self._free_bytes

    @property
    def largest_bytes(self) -> int:
        """Size of the largest free span. O(1)."""
        return self._index[-1] >> POSITION_BITS if self._index else 0

    @property
    def metadata_bytes(self) -> int:
        """Python memory of the index: its list, both maps, and three integers a span."""
        maps = sys.getsizeof(self._size_at) + sys.getsizeof(self._start_before)
        return sys.getsizeof(self._index) + maps + _SPAN_BYTES * len(self._index)

    def check(self) -> None:
        """Prove that the three indexes tell the same spans, and that no two of them touch."""
        spans = list(self)
        if sorted(size << POSITION_BITS | position for position, size in spans) != list(self._index):
            raise CorruptionError(f"index and boundary map differ: {len(self._index)} keys, {len(spans)} spans")
        if {position + size: position for position, size in spans} != self._start_before:
            raise CorruptionError(f"boundary maps differ: {spans[:8]} against {sorted(self._start_before.items())[:8]}")
        if sum(size for _, size in spans) != self._free_bytes:
            raise CorruptionError(
                f"free bytes miscounted: {self._free_bytes} instead of {sum(size for _, size in spans)}"
            )
        for (position, size), (following, _) in itertools.pairwise(spans):
            if position + size >= following:
                raise CorruptionError(f"free spans touch or overlap: {position:#x}+{size} and {following:#x}")

    def _find(self, first: int, size: int, alignment: int) -> tuple[int, int] | None:
        index = self._index
        for key in index.islice(first, first + _TRIES):
            start, length = key & POSITION_MASK, key >> POSITION_BITS
            if round_up(start, alignment) + size <= start + length:
                return start, length
        if first + _TRIES >= len(index):
            return None
        # Any span this long fits wherever it starts; only without one are all the candidates worth a look.
        certain = index.bisect_left((size + alignment - 1) << POSITION_BITS)
        for key in index.islice(certain if certain < len(index) else first + _TRIES):
            start, length = key & POSITION_MASK, key >> POSITION_BITS
            if round_up(start, alignment) + size <= start + length:
                return start, length
        return None

    def _start_around(self, position: int) -> int | None:
        return next((start for start, size in self._size_at.items() if start < position < start + size), None)

    def _insert(self, position: int, size: int) -> None:
        self._index.add(size << POSITION_BITS | position)
        self._size_at[position] = size
        self._start_before[position + size] = position
        self._free_bytes += size

    def _discard(self, position: int, size: int) -> None:
        self._index.remove(size << POSITION_BITS | position)
        del self._size_at[position]
        del self._start_before[position + size]
        self._free_bytes -= size
