"""A heap over a bare address space: addresses are offsets, and nothing is behind them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import arenas

from .heap import OfHeap

if TYPE_CHECKING:
    from .protocol import Memory


class HeapOffsets(OfHeap):
    """Tokens are handles; there is nothing to fill, so that only places, alignments and books are checked."""

    alignment = 1

    def _prepare(self) -> None:
        self._replacements: list[None] = []  # one a resize that moved; appended to by any thread: that is atomic

    def _replaced(self) -> int:
        return len(self._replacements)

    def allocate(self, size: int, alignment: int) -> arenas.Block:
        """``heap.alloc``."""
        return self.heap.alloc(size, alignment=alignment or None)

    def zeroed(self, size: int) -> arenas.Block:
        """The same: there is nothing that could be zero."""
        return self.heap.alloc(size)

    def resize(self, token: arenas.Block, size: int) -> arenas.Block:
        """``block.resize`` where there is room behind it; else another block, as an owner of the contents would do."""
        try:
            token.resize(size)
        except arenas.OutOfMemoryError:
            new = self.heap.alloc(size, alignment=token.alignment)
            token.free()
            self._replacements.append(None)
            return new
        return token

    def measure(self) -> Memory:
        """The books; there is nothing to commit."""
        return dataclasses.replace(super().measure(), committed_bytes=None, resident_bytes=None)

    def free(self, token: arenas.Block) -> None:
        """``block.free``."""
        token.free()

    def address(self, token: arenas.Block) -> int:
        """``block.offset``."""
        return token.offset
