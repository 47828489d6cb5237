"""Best fit that never splits: for large blocks, each in a region of its own."""

from __future__ import annotations

from ..sizes import round_up
from .best_fit import POSITION_BITS, POSITION_MASK, BestFit


class WholeFit(BestFit):
    """The smallest free span that fits, taken whole if at most ``slack`` of the request, or the rest of a page, is
    wasted.

    A freed region serves the next request of about its size, warm, and goes back to the system undivided. What a
    region has beyond the request is address space, not memory: its pages are not committed until they are handed out.

    ``take`` is O(log n + misaligned spans of fitting size) for n free spans; all else is as in :class:`BestFit`.
    """

    __slots__ = ("_page_bytes", "_slack")

    def __init__(self, *, slack: float = 0.5, page_bytes: int = 1) -> None:
        """``slack``: the part of a request by which a span may exceed it; regions are whole pages of ``page_bytes``."""
        super().__init__()
        self._slack = slack
        self._page_bytes = page_bytes

    def take(self, size: int, alignment: int) -> tuple[int, int] | None:
        """Take the smallest span within the slack that begins at a multiple of ``alignment``, all of it."""
        largest = round_up(int(size * (1 + self._slack)), self._page_bytes)
        index = self._index
        for place in range(index.bisect_left(size << POSITION_BITS), len(index)):
            key = index[place]
            position, length = key & POSITION_MASK, key >> POSITION_BITS
            if length > largest:
                return None
            if position % alignment == 0:
                del index[place]
                del self._size_at[position]
                del self._start_before[position + length]
                self._free_bytes -= length
                return position, length
        return None
