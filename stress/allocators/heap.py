"""What all faces of an arenas heap have in common, and the plainest two: by address and by handle."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

import arenas

from .. import audit
from ..mishaps import NONE, Failures
from . import mapping
from .protocol import Memory

if TYPE_CHECKING:
    from .protocol import MappedRegion


class OfHeap:
    """What all faces of a heap have in common."""

    alignment = 64

    def __init__(self, heap: arenas.Heap, *, limit_bytes: int | None = None, failures: Failures | None = None) -> None:
        """``limit_bytes`` is the heap's; ``failures`` those of its backing, which end before the audit."""
        self.heap = heap
        self.has_memory = heap.backing.has_memory
        self.bounded = not heap.backing.growable
        self._limit_bytes = limit_bytes
        self._failures = Failures(NONE) if failures is None else failures
        self._prepare()

    def _prepare(self) -> None:
        """What a face has besides."""

    def measure(self) -> Memory:
        """What ``heap.stats()`` tells. A block that a resize moved counts there as one allocated and one freed."""
        stats = self.heap.stats()
        if self._limit_bytes is not None and stats.committed_bytes > self._limit_bytes:
            stats = self._at_one_moment(stats)
        return Memory(
            live_blocks=stats.live_blocks,
            live_bytes=stats.live_bytes,
            committed_bytes=stats.committed_bytes,
            reserved_bytes=stats.reserved_bytes,
            resident_bytes=stats.resident_bytes,
            parked_bytes=stats.parked_bytes,
            cached_bytes=stats.cached_bytes + stats.mailbox_bytes,
            remote_frees=stats.remote_frees,
            allocations=stats.allocations - stats.resizes_moved - self._replaced(),
            frees=stats.frees - stats.resizes_moved - self._replaced(),
        )

    def _at_one_moment(self, stats: arenas.Stats) -> arenas.Stats:
        """The arenas are read one after the other, so that pages given back in one and taken in the next may count
        twice. Of two readings between which none has committed or returned any, each is of one moment.
        """
        for _ in range(_PATIENCE):
            before, stats = _committed(stats), self.heap.stats()
            if before == _committed(stats):
                return stats
        return dataclasses.replace(stats, committed_bytes=self._limit_bytes or 0)  # never still: no proof

    def _replaced(self) -> int:
        """How many blocks this face has replaced by others, where the heap was not to know that it is a resize."""
        return 0

    def map(self) -> list[MappedRegion]:
        """What ``heap.snapshot()`` tells."""
        return mapping.regions(self.heap.snapshot().spans)

    def check(self) -> str | None:
        """What ``heap.check()`` finds wrong; whether the parts add up to what is reserved; and the limit."""
        try:
            self.heap.check()
        except arenas.CorruptionError as error:
            return str(error)
        stats = self.heap.stats()
        return "; ".join(audit.sums_everywhere(stats) + audit.limited(stats, self._limit_bytes)) or None

    def audit(self) -> list[str]:
        """Prove the books; allocates all of the heap on the way, and trims it."""
        self._failures.end()
        return audit.books(self.heap, self._limit_bytes)

    def close(self) -> None:
        """``heap.close``."""
        self.heap.close()


def _committed(stats: arenas.Stats) -> list[tuple[int, int]]:
    """By arena: committed now, and returned ever, which only grows."""
    return [(arena.committed_bytes, arena.returned_bytes) for arena in stats.arenas]


_PATIENCE: Final = 100


class HeapMalloc(OfHeap):
    """A heap as C sees it: tokens are addresses."""

    alignment = 16

    def _prepare(self) -> None:
        self._emptied: list[None] = []  # one a resize to 0; appended to by any thread: that is atomic

    def allocate(self, size: int, alignment: int) -> int:
        """``malloc``, or ``aligned_alloc`` where an alignment is asked for."""
        if alignment:
            return self.heap.aligned_alloc(alignment, size)
        return self.heap.malloc(size)

    def zeroed(self, size: int) -> int:
        """``calloc``."""
        return self.heap.calloc(1, size)

    def resize(self, token: int, size: int) -> int:
        """``realloc``, except that a size of 0 keeps a block, a new one: C's ``realloc`` would only free it."""
        if size:
            address = self.heap.realloc(token, size)
            assert address is not None
            return address
        old = self.heap.find(token)
        assert old is not None, "a block is used after it was freed"
        empty = self.heap.aligned_alloc(old.alignment, 0)  # first: it may be refused, and the old one is then as it was
        self.heap.realloc(token, 0)
        self._emptied.append(None)
        return empty

    def _replaced(self) -> int:
        return len(self._emptied)

    def free(self, token: int) -> None:
        """``free``."""
        self.heap.free(token)

    def address(self, token: int) -> int:
        """The token itself."""
        return token


class HeapBlocks(OfHeap):
    """A heap as Python sees it: tokens are `arenas.Block` handles."""

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
