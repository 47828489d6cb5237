"""resize and realloc: contents are kept, in place where there is room; while a view is alive nothing moves."""

from __future__ import annotations

import ctypes
import random
from typing import TYPE_CHECKING, Any

import pytest

import arenas
from tests.heap._support import assert_whole, books, nothing_changes

if TYPE_CHECKING:
    from pathlib import Path


def test_growing_in_place() -> None:
    """With free memory behind it a block grows where it is, and keeps what it held."""
    heap = arenas.Heap(arenas=1)
    block = heap.alloc(1000)
    place = block.address
    block.view[:] = b"a" * 1000
    for size in (1001, 5000, 90_000):
        block.resize(size)
        assert (block.address, block.size) == (place, size)
        assert block.capacity >= size
        assert bytes(block.view[:1000]) == b"a" * 1000
        block.view[1000:] = b"b" * (size - 1000)
    stats = books(heap)
    assert (stats.resizes_in_place, stats.resizes_moved, stats.live_bytes) == (3, 0, 90_000)
    block.free()
    assert_whole(heap)


def test_shrinking_in_place() -> None:
    """A block shrinks where it is, and what it no longer needs serves others."""
    heap = arenas.Heap(arenas=1, region_bytes=1 << 17)
    block = heap.alloc(60_000)
    place = block.address
    block.view[:] = bytes(range(250)) * 240
    for size in (59_999, 30_000, 64, 0):
        block.resize(size)
        assert (block.address, block.size) == (place, size)
        assert bytes(block.view) == (bytes(range(250)) * 240)[:size]
    assert block.capacity == 64
    assert heap.alloc(100).address == place + 64
    assert books(heap).resizes_in_place == 4
    block.free()
    assert_whole(heap)


def test_moving() -> None:
    """With a neighbour behind it a block moves, keeps its contents, and its old place is free again."""
    heap = arenas.Heap(arenas=1, region_bytes=1 << 17)
    block, neighbour = heap.alloc(1000, tag="mine"), heap.alloc(1000)
    place = block.address
    block.view[:] = b"m" * 1000
    neighbour.view[:] = b"n" * 1000
    block.resize(5000)
    assert block.address != place
    assert (block.size, block.tag, bytes(block.view[:1000])) == (5000, "mine", b"m" * 1000)
    assert bytes(neighbour.view) == b"n" * 1000
    stats = books(heap)
    assert (stats.resizes_in_place, stats.resizes_moved) == (0, 1)
    assert (stats.live_blocks, stats.live_bytes, stats.dropped) == (2, 6000, 0)
    assert heap.alloc(1000).address == place
    block.free()
    neighbour.free()
    assert_whole(heap)


def test_moving_keeps_the_alignment() -> None:
    """A block stays aligned as it was asked to be, wherever it moves."""
    heap = arenas.Heap(region_bytes=1 << 17)
    blocks = [heap.alloc(100, alignment=8192) for _ in range(5)]
    for size in (9000, 20_000, 100, 70_000):
        for block in blocks:
            block.resize(size)
            assert (block.address % 8192, block.alignment) == (0, 8192)
            books(heap)
    for block in blocks:
        block.free()
    assert_whole(heap)


@pytest.mark.parametrize("size", [0, 500, 1000, 1001, 50_000])
def test_a_view_forbids_it(size: int) -> None:
    """While a view, or what was made of one, is alive, resize is BufferError with the numbers; later it works."""
    heap = arenas.Heap()
    block = heap.alloc(1000)
    holders: list[Any] = [block.view, memoryview(block.view)[5:10], block.view.cast("H")]
    while holders:
        with nothing_changes(heap), pytest.raises(BufferError, match="1000 bytes"):
            block.resize(size)
        holders.pop()
    block.resize(size)
    assert block.size == size


def test_a_refused_resize_keeps_nothing_alive() -> None:
    """A refusal does not keep the block: dropped afterwards, its memory comes back at once."""
    heap = arenas.Heap()
    block = heap.alloc(1000)
    view = block.view
    try:
        block.resize(2000)
    except BufferError:
        pass
    else:
        pytest.fail("the view was overlooked")
    del view, block
    assert heap.stats().live_blocks == 0


@pytest.mark.parametrize("seed", range(5))
def test_realloc_keeps_contents_wherever_it_goes(seed: int) -> None:
    """Addresses resized at random keep the bytes they share with their old size, and free what they left."""
    chance = random.Random(seed)
    heap = arenas.Heap(region_bytes=32768)
    held: list[tuple[int, bytes]] = []
    for _ in range(200):
        size = chance.choice([1, 10, 100, 1000, 5000, 40_000])
        if len(held) < 15:
            held.append((heap.malloc(0), b""))
        index = chance.randrange(len(held))
        address, data = held[index]
        assert ctypes.string_at(address, len(data)) == data
        moved = heap.realloc(address, size)
        assert moved is not None
        assert moved % 16 == 0
        assert ctypes.string_at(moved, min(size, len(data))) == data[:size]
        data = chance.randbytes(size)
        ctypes.memmove(moved, data, size)
        held[index] = moved, data
    stats = books(heap)
    assert stats.live_bytes == sum(len(data) for _, data in held)
    assert stats.live_blocks == len(held)
    assert stats.resizes_moved > 10
    assert stats.resizes_in_place > 10
    for address, data in held:
        assert ctypes.string_at(address, len(data)) == data
        heap.free(address)
    assert_whole(heap)


def test_realloc_at_the_edges() -> None:
    """realloc(None, n) allocates, also for n = 0; realloc(a, 0) frees and gives None."""
    heap = arenas.Heap()
    address = heap.realloc(None, 100)
    assert address is not None
    assert books(heap).live_bytes == 100
    assert heap.realloc(address, 0) is None
    assert books(heap).live_blocks == 0
    with pytest.raises(arenas.DoubleFreeError):
        heap.realloc(address, 0)
    nothing = heap.realloc(None, 0)
    assert isinstance(nothing, int)
    heap.free(nothing)
    assert_whole(heap)


def test_a_realloc_that_moved_leaves_the_old_address_dead() -> None:
    """After a move the old address is a double free."""
    heap = arenas.Heap(arenas=1)
    address, kept = heap.malloc(100), heap.malloc(16)
    moved = heap.realloc(address, 5000)
    assert moved != address
    with pytest.raises(arenas.DoubleFreeError):
        heap.free(address)
    heap.free(moved)
    heap.free(kept)
    assert_whole(heap)


def test_growing_in_an_address_space() -> None:
    """Over integers a block grows only where it is; where it cannot, nothing changes."""
    heap = arenas.Heap(backing=arenas.AddressSpace(1000))
    first, second = heap.alloc(100), heap.alloc(100)
    second.resize(900)
    assert (second.offset, second.size, books(heap).free_bytes) == (100, 900, 0)
    with pytest.raises(arenas.OutOfMemoryError, match="101"):
        first.resize(101)
    assert (first.offset, first.size, books(heap).live_bytes) == (0, 100, 1000)
    first.resize(40)
    assert heap.alloc(60).offset == 40
    second.free()
    first.free()
    assert_whole(heap)


def test_capacity_is_what_it_can_grow_to() -> None:
    """Up to its capacity a block grows without moving, whatever lies behind it; large blocks included."""
    heap = arenas.Heap(arenas=1)
    for size in (1, 65, 1000, (1 << 20) + 1, (3 << 20) + 70_000):
        block, neighbour = heap.alloc(size), heap.alloc(size)
        place, capacity = block.address, block.capacity
        for step in (size, (size + capacity) // 2, capacity):
            block.resize(step)
            assert (block.address, block.capacity) == (place, capacity)
        neighbour.free()
        block.free()
    assert heap.stats().resizes_moved == 0
    assert_whole(heap)


def test_growing_into_what_slices_have_left(tmp_path: Path) -> None:
    """The place behind was freed, and the last slice that showed it died without a word: it is room to grow into."""
    heap = arenas.Heap(backing=arenas.FileMemory(tmp_path / "memory", 1 << 16))
    block, behind = heap.alloc(4096), heap.alloc(4096)
    view = behind.view
    rest = view[1:]
    behind.free()
    del view
    assert heap.stats().parked_bytes == 4096
    del rest
    offset = block.offset
    block.resize(8192)
    assert block.offset == offset
    assert heap.stats().resizes_in_place == 1
