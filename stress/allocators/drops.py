"""A heap whose blocks are not freed but let go: the last reference is dropped, or left in a cycle to the collector."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .heap import OfHeap

if TYPE_CHECKING:
    import arenas

_IN_CYCLES = 4
"""One block in so many is part of a reference cycle when it is let go."""


class Holder:
    """The only reference to a block."""

    __slots__ = ("block",)

    def __init__(self, block: arenas.Block) -> None:
        """Whoever makes it must keep no other."""
        self.block: arenas.Block | None = block


class HeapDrops(OfHeap):
    """Tokens hold the one reference to a block; to free it is to forget it."""

    def allocate(self, size: int, alignment: int) -> Holder:
        """``heap.alloc``."""
        return Holder(self.heap.alloc(size, alignment=alignment or None))

    def zeroed(self, size: int) -> Holder:
        """``heap.alloc`` with ``zero=True``."""
        return Holder(self.heap.alloc(size, zero=True))

    def resize(self, token: Holder, size: int) -> Holder:
        """``block.resize``."""
        _block(token).resize(size)
        return token

    def free(self, token: Holder) -> None:
        """Drop the block, at once or by the collector."""
        block = _block(token)
        if block.offset // block.alignment % _IN_CYCLES == 0:
            cycle: list[Any] = [block]
            cycle.append(cycle)
        token.block = None

    def address(self, token: Holder) -> int:
        """``block.address``."""
        return _block(token).address


def _block(token: Holder) -> arenas.Block:
    assert token.block is not None, "a block is used after it was freed"
    return token.block
