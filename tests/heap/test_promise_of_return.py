"""The promise that memory comes back: at the first call after the delay, when asked, with the region, on close."""

from __future__ import annotations

import ctypes
import gc
import weakref
from typing import TYPE_CHECKING, Any

import pytest

import arenas
from tests.heap._support import Clock, books, in_thread

if TYPE_CHECKING:
    import mmap


def idle_pages(heap: arenas.Heap, clock: Clock) -> arenas.Block:
    """Leaves sixteen free pages behind in a region that another block keeps in use."""
    kept, big = heap.alloc(64), heap.alloc(65536)
    ctypes.memset(big.address, 1, 65536)
    clock.now += 0.001
    big.free()
    assert heap.stats().committed_bytes >= 65536
    return kept


@pytest.mark.parametrize("call", ["alloc", "malloc", "stats"])
def test_6_memory_comes_back_at_the_first_call_after_the_delay(call: str) -> None:
    """Memory comes back: idle pages at the first heap call after decay_seconds, and not before."""
    clock = Clock(100.0)
    heap = arenas.Heap(decay_seconds=16.0, clock=clock, arenas=1)
    kept = idle_pages(heap, clock)
    clock.now = 113.9
    assert heap.stats().committed_bytes >= 65536
    clock.now = 116.1
    {"alloc": lambda: heap.alloc(1).free(), "malloc": lambda: heap.free(heap.malloc(1)), "stats": heap.stats}[call]()
    stats = books(heap)
    assert stats.committed_bytes <= 8192
    assert stats.returned_bytes >= 57344
    assert (stats.resident_bytes or 0) <= 8192
    kept.free()


def test_6_a_free_past_the_cache_is_such_a_call() -> None:
    """Memory comes back: also where a thread does nothing but free blocks that no cache had ready."""
    clock = Clock(100.0)
    heap = arenas.Heap(decay_seconds=16.0, clock=clock, arenas=1)
    tagged = heap.alloc(64, tag="mine")
    kept = idle_pages(heap, clock)
    clock.now = 116.1
    tagged.free()
    assert heap._manager.arenas[0].table.returned_bytes >= 57344
    kept.free()


def test_6_pages_in_use_again_stay() -> None:
    """Memory comes back when idle: pages used again in between are not given back with the others."""
    clock = Clock(100.0)
    heap = arenas.Heap(decay_seconds=16.0, clock=clock, arenas=1)
    kept = idle_pages(heap, clock)
    for _ in range(10):
        clock.now += 12
        heap.alloc(65536).free()
        assert heap.stats().committed_bytes >= 65536
    assert heap.stats().returned_bytes == 0
    kept.free()


def test_6_no_delay() -> None:
    """Memory comes back: with decay_seconds=0 when it is freed."""
    heap = arenas.Heap(decay_seconds=0, arenas=1)
    kept, big = heap.alloc(64), heap.alloc(65536)
    big.free()
    assert heap.stats().committed_bytes <= 8192
    kept.free()
    assert heap.stats().reserved_bytes == 0


def test_6_only_when_asked() -> None:
    """Memory comes back: with decay_seconds=None by trim() only, which gives the bytes it returned."""
    clock = Clock(100.0)
    heap = arenas.Heap(decay_seconds=None, clock=clock, arenas=1)
    kept = idle_pages(heap, clock)
    clock.now += 1e9
    heap.alloc(1).free()
    before = heap.stats()
    assert before.committed_bytes >= 65536
    returned = heap.trim()
    change = heap.stats() - before
    assert returned == change.returned_bytes == -change.committed_bytes >= 57344
    assert heap.trim() == 0
    kept.free()


def test_6_whole_regions_when_unused() -> None:
    """Memory comes back: a region without a block in it is unmapped after the delay, one with a block is not."""
    clock = Clock(100.0)
    heap = arenas.Heap(decay_seconds=16.0, clock=clock, region_bytes=32768)
    kept = heap.alloc(64)
    blocks = [heap.alloc(10_000) for _ in range(20)]
    many = heap.stats().regions
    assert many > 5
    del blocks
    heap.stats()
    clock.now += 20
    heap.stats()
    assert heap.stats().regions == 1
    assert books(heap).reserved_bytes <= 32768
    kept.free()
    clock.now += 20
    assert heap.stats().regions == 0


class Watched(arenas.AnonymousMemory):
    """Anonymous memory that knows which of its mappings still exist."""

    def __init__(self) -> None:
        super().__init__()
        self.mappings: list[weakref.ref[mmap.mmap]] = []

    def map(self, size: int, alignment: int) -> Any:
        mapping = super().map(size, alignment)
        self.mappings.append(weakref.ref(mapping._mmap))
        return mapping

    def count(self) -> int:
        return sum(reference() is not None for reference in self.mappings)


def test_6_everything_on_close() -> None:
    """Memory comes back: everything on close(), but for what a view still shows, which goes with the view."""
    backing = Watched()
    heap = arenas.Heap(backing=backing, region_bytes=1 << 20)
    blocks = [heap.alloc(size) for size in (100, 300_000, 5 << 20, 5 << 20)]
    in_thread(lambda: heap.malloc(100))
    assert backing.count() == heap.stats().regions == 5
    view = blocks[2].view
    view[:4] = b"kept"
    heap.close()
    assert backing.count() == 1
    assert bytes(view[:4]) == b"kept"
    del view
    assert backing.count() == 0


def test_6_a_heap_that_was_dropped() -> None:
    """Memory comes back: also of a heap that nobody closed, but for what a view still shows."""
    backing = Watched()
    heap = arenas.Heap(backing=backing, region_bytes=1 << 20)
    view = heap.alloc(5 << 20).view
    heap.malloc(100)
    view[:4] = b"kept"
    del heap
    gc.collect()
    assert backing.count() == 1
    assert bytes(view[:4]) == b"kept"
    del view
    gc.collect()
    assert backing.count() == 0
