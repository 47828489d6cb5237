"""A heap as NumPy sees it: arrays, whose memory comes back when the last view of it has died."""

from __future__ import annotations

from typing import Any

from .heap import OfHeap
from .protocol import ANYTHING


class Holder:
    """The only references to an array and to a slice of it."""

    __slots__ = ("address", "alignment", "array", "rest")

    def __init__(self, array: Any, alignment: int) -> None:  # noqa: ANN401 - NumPy is optional
        """Whoever makes it must keep no other."""
        self.array = array
        self.alignment = alignment
        self.rest = array[1:]
        self.address: int = array.__array_interface__["data"][0]


class HeapArrays(OfHeap):
    """Tokens hold an array and a slice of it; to free them is to forget both."""

    def allocate(self, size: int, alignment: int) -> Holder:
        """``heap.ndarray``."""
        return Holder(self.heap.ndarray(size, "u1", alignment=alignment or None), alignment)

    def zeroed(self, size: int) -> Holder:
        """``heap.zeros``."""
        return Holder(self.heap.zeros(size, "u1"), ANYTHING)

    def resize(self, token: Holder, size: int) -> Holder:
        """A new array with the old one's contents: a view keeps its size for life."""
        new = self.allocate(size, token.alignment)
        kept = min(size, token.array.size)
        new.array[:kept] = token.array[:kept]
        self.free(token)
        self._replacements.append(None)
        return new

    def _prepare(self) -> None:
        self._replacements: list[None] = []  # one a resize; appended to by any thread: that is atomic

    def _replaced(self) -> int:
        return len(self._replacements)

    def free(self, token: Holder) -> None:
        """The array first: the slice is the last that sees the memory."""
        token.array = None
        token.rest = None

    def address(self, token: Holder) -> int:
        """Where the array's data is."""
        return token.address
