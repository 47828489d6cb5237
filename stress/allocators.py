"""The seam behind which any allocator fits, and the two faces of an arenas heap.

A replay knows only `Allocator`. What it gets for a block is a token of the allocator's choosing: an address, a handle.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

import arenas

from . import audit

Token = TypeVar("Token")


@dataclass(frozen=True, slots=True)
class Memory:
    """What an allocator says of itself at one moment."""

    committed_bytes: int = 0
    reserved_bytes: int = 0
    live_blocks: int = 0
    remote_frees: int = 0


class Allocator(Protocol[Token]):
    """What a replay needs. Every method may be called from any thread, also several at once."""

    @property
    def alignment(self) -> int:
        """What every address is a multiple of when nothing more is asked for."""

    def allocate(self, size: int, alignment: int) -> Token:
        """A block of ``size`` bytes, which may be 0; ``alignment`` 0 asks for nothing in particular."""

    def zeroed(self, size: int) -> Token:
        """The same, of zeroes."""

    def resize(self, token: Token, size: int) -> Token:
        """The block with another size, its first bytes kept; the old token is dead."""

    def release(self, token: Token) -> None:
        """Give a block back."""

    def address(self, token: Token) -> int:
        """Where a block is."""

    def measure(self) -> Memory:
        """What is held now. Called while other threads allocate."""

    def check(self) -> str | None:
        """Prove the inner state; what is wrong with it, or None."""

    def audit(self) -> list[str]:
        """Prove the accounting, once everything has been released; what is wrong with it."""

    def close(self) -> None:
        """Give everything back to the system."""


OpenAllocator = Callable[[str, "str | int", str], Allocator[Any]]
"""Makes an allocator of a given face, arenas mode and name, fresh for one replay."""


class _OfHeap:
    """What the two faces of a heap have in common."""

    def __init__(self, heap: arenas.Heap) -> None:
        self.heap = heap

    def measure(self) -> Memory:
        stats = self.heap.stats()
        return Memory(stats.committed_bytes, stats.reserved_bytes, stats.live_blocks, stats.remote_frees)

    def check(self) -> str | None:
        try:
            self.heap.check()
        except arenas.CorruptionError as error:
            return str(error)
        return None

    def audit(self) -> list[str]:
        return audit.books(self.heap)

    def close(self) -> None:
        self.heap.close()


class HeapMalloc(_OfHeap):
    """A heap as C sees it: tokens are addresses."""

    alignment: Final = 16

    def allocate(self, size: int, alignment: int) -> int:
        """``malloc``, or ``aligned_alloc`` where an alignment is asked for."""
        if alignment:
            return self.heap.aligned_alloc(alignment, size)
        return self.heap.malloc(size)

    def zeroed(self, size: int) -> int:
        """``calloc``."""
        return self.heap.calloc(1, size)

    def resize(self, token: int, size: int) -> int:
        """``realloc``, except that a size of 0 keeps the block: C's ``realloc`` would free it."""
        address = self.heap.realloc(token, size)
        return self.heap.malloc(0) if address is None else address

    def release(self, token: int) -> None:
        """``free``."""
        self.heap.free(token)

    def address(self, token: int) -> int:
        """The token itself."""
        return token


class HeapBlocks(_OfHeap):
    """A heap as Python sees it: tokens are `arenas.Block` handles."""

    alignment: Final = 64

    def allocate(self, size: int, alignment: int) -> arenas.Block:
        """``heap.alloc``."""
        return self.heap.alloc(size, alignment=alignment or None)

    def zeroed(self, size: int) -> arenas.Block:
        """``heap.alloc`` with ``zero=True``."""
        return self.heap.alloc(size, zero=True)

    def resize(self, token: arenas.Block, size: int) -> arenas.Block:
        """``block.resize``: the handle stays the same."""
        token.resize(size)
        return token

    def release(self, token: arenas.Block) -> None:
        """``block.free``."""
        token.free()

    def address(self, token: arenas.Block) -> int:
        """``block.address``."""
        return token.address


FACES: Final[dict[str, Callable[[arenas.Heap], Allocator[Any]]]] = {"malloc": HeapMalloc, "blocks": HeapBlocks}


def open_heap(face: str, arenas_mode: str | int, name: str) -> Allocator[Any]:
    """Make a fresh heap, seen through one of its `FACES`."""
    return FACES[face](arenas.Heap(arenas=arenas_mode, name=name))
