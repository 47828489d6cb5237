"""The faces of an arenas heap: one for each way a program may hold its memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import arenas

from .. import audit
from . import mapping
from .protocol import Memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from .protocol import Allocator, MappedRegion


class OfHeap:
    """What all faces of a heap have in common."""

    has_memory: Final = True

    def __init__(self, heap: arenas.Heap) -> None:
        self.heap = heap

    def measure(self) -> Memory:
        """What ``heap.stats()`` tells."""
        stats = self.heap.stats()
        return Memory(
            live_blocks=stats.live_blocks,
            live_bytes=stats.live_bytes,
            committed_bytes=stats.committed_bytes,
            reserved_bytes=stats.reserved_bytes,
            resident_bytes=stats.resident_bytes,
            parked_bytes=stats.parked_bytes,
            cached_bytes=stats.cached_bytes + stats.mailbox_bytes,
            remote_frees=stats.remote_frees,
        )

    def map(self) -> list[MappedRegion]:
        """What ``heap.snapshot()`` tells."""
        return mapping.regions(self.heap.snapshot().spans)

    def check(self) -> str | None:
        """What ``heap.check()`` finds wrong."""
        try:
            self.heap.check()
        except arenas.CorruptionError as error:
            return str(error)
        return None

    def audit(self) -> list[str]:
        """Prove the books; trims the heap on the way."""
        return audit.books(self.heap)

    def close(self) -> None:
        """``heap.close``."""
        self.heap.close()


class HeapMalloc(OfHeap):
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

    def free(self, token: int) -> None:
        """``free``."""
        self.heap.free(token)

    def address(self, token: int) -> int:
        """The token itself."""
        return token


class HeapBlocks(OfHeap):
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

    def free(self, token: arenas.Block) -> None:
        """``block.free``."""
        token.free()

    def address(self, token: arenas.Block) -> int:
        """``block.address``."""
        return token.address


FACES: Final[dict[str, Callable[[arenas.Heap], Allocator[Any]]]] = {"malloc": HeapMalloc, "blocks": HeapBlocks}
