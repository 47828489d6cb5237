"""Statistics: frozen, summed from the arenas, subtractable, and each counter counts what it says."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

import arenas
from tests.heap._support import books, in_thread


def test_they_are_frozen() -> None:
    """Statistics taken do not change, and cannot be changed."""
    heap = arenas.Heap()
    stats: Any = heap.stats()
    kept = heap.alloc(100)
    assert stats.live_bytes == 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        stats.live_bytes = 1
    del kept


def test_they_can_be_subtracted() -> None:
    """after - before is the change of every number, also of each arena, also of arenas that were not there before."""
    heap = arenas.Heap()
    first = heap.alloc(100)
    before = heap.stats()
    second = in_thread(lambda: heap.alloc(1000))
    first.free()
    change = heap.stats() - before
    assert (change.live_bytes, change.live_blocks, change.allocations, change.frees) == (900, 0, 1, 1)
    assert [arena.live_bytes for arena in change.arenas] == [-100, 1000]
    assert change.parts_bytes == change.reserved_bytes > 0
    same = heap.stats()
    nothing = same - same
    assert {getattr(nothing, field.name) for field in dataclasses.fields(nothing) if field.name != "arenas"} == {0}
    back = before + (same - before)
    assert (back.live_bytes, back.reserved_bytes, back.allocations) == (1000, same.reserved_bytes, 2)
    del second


@pytest.mark.parametrize("other", [3, None, "stats"], ids=repr)
def test_only_from_statistics(other: Any) -> None:
    """Subtracting or adding what is none is a TypeError."""
    stats = arenas.Heap().stats()
    with pytest.raises(TypeError):
        stats - other
    with pytest.raises(TypeError):
        stats + other


def test_resident_bytes_where_they_cannot_be_told() -> None:
    """Over an AddressSpace resident_bytes is None, also in a difference."""
    heap = arenas.Heap(backing=arenas.AddressSpace(100))
    stats = heap.stats()
    assert stats.resident_bytes is None
    assert (stats - stats).resident_bytes is None
    assert (stats.reserved_bytes, stats.committed_bytes) == (100, 0)


def test_counters() -> None:
    """Each counter counts its own kind of event, once."""
    heap = arenas.Heap(limit_bytes=1 << 20, region_bytes=1 << 18)
    moving = heap.alloc(100)
    blocks = [heap.alloc(100) for _ in range(10)]
    address = heap.malloc(10)
    moving.resize(5000)
    moving.resize(4000)
    in_thread(blocks[0].free)
    blocks[1].free()
    with blocks[2]:
        pass
    del blocks[3]
    heap.free(address)
    with pytest.raises(arenas.OutOfMemoryError):
        heap.alloc(2 << 20)
    stats = books(heap)
    assert (stats.live_blocks, stats.live_bytes) == (7, 4600)
    assert stats.dropped == 1
    assert stats.remote_frees == 1
    assert (stats.resizes_in_place, stats.resizes_moved) == (1, 1)
    assert stats.out_of_memory == 1
    assert stats.peak_live_bytes >= 4600
    assert stats.contended == 0
    returned = heap.trim()
    assert heap.stats().returned_bytes == stats.returned_bytes + returned
    del blocks


def test_parked_bytes_follow_the_views() -> None:
    """A freed block counts as freed at once, and its span as parked until its last view has died."""
    heap = arenas.Heap()
    block = heap.alloc(1000)
    views = [block.view, block.view[:10]]
    block.free()
    for _ in range(2):
        stats = heap.stats()
        assert (stats.frees, stats.live_blocks, stats.parked_bytes) == (1, 0, 1024)
        views.pop()
    stats = books(heap)
    assert (stats.frees, stats.parked_bytes) == (1, 0)


def test_committed_and_resident_bytes() -> None:
    """committed_bytes are the pages handed out, resident_bytes those touched; trimming lowers both."""
    heap = arenas.Heap(arenas=1)
    block = heap.alloc(40 * 4096, alignment=4096)
    stats = heap.stats()
    assert stats.committed_bytes == 40 * 4096
    assert stats.resident_bytes == 0
    block.view[: 7 * 4096] = b"x" * (7 * 4096)
    assert heap.stats().resident_bytes == 7 * 4096
    block.free()
    assert heap.stats().committed_bytes == 40 * 4096
    heap.trim()
    assert (heap.stats().committed_bytes, heap.stats().resident_bytes) == (0, 0)


def test_metadata_is_counted() -> None:
    """metadata_bytes grows with the blocks, by the order of what a block costs."""
    heap = arenas.Heap(region_bytes=1 << 20)
    before = heap.stats().metadata_bytes
    blocks = [heap.alloc(64) for _ in range(5000)]
    each = (heap.stats().metadata_bytes - before) / len(blocks)
    assert 150 < each < 1000


def test_a_peak_outlives_its_blocks() -> None:
    """peak_live_bytes is the most that was seen at once, never more than there was."""
    heap = arenas.Heap()
    blocks = [heap.alloc(10_000) for _ in range(50)]
    assert heap.stats().peak_live_bytes == 500_000
    del blocks
    kept = heap.alloc(10)
    assert heap.stats().peak_live_bytes == 500_000
    del kept
