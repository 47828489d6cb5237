"""Regions: how they grow, blocks with regions of their own, and whose the warm memory is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import arenas
from tests.heap._support import assert_whole, books, in_thread

if TYPE_CHECKING:
    from collections.abc import Iterator

KIB = 1024
MIB = 1024 * KIB


class Recording(arenas.AnonymousMemory):
    """Anonymous memory that notes the size of every range asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def map(self, size: int, alignment: int) -> Any:
        self.sizes.append(size)
        return super().map(size, alignment)


def fill(heap: arenas.Heap, total: int, size: int = 32 * KIB) -> list[arenas.Block]:
    return [heap.alloc(size) for _ in range(total // size)]


@pytest.mark.parametrize(
    ("region_bytes", "expected"),
    [
        (None, [128, 256, 512, 1024, 2048]),
        (512 * KIB, [128, 256, 512, 512, 512]),
        (128 * KIB, [128] * 5),
        (64 * KIB + 8192, [72] * 5),
    ],
)
def test_regions_double_up_to_the_cap(region_bytes: int | None, expected: list[int]) -> None:
    """An arena's first region has 128 KiB, or region_bytes if less; each further one is twice the last, up to that."""
    backing = Recording()
    heap = arenas.Heap(backing=backing, arenas=1, region_bytes=region_bytes)
    blocks = []
    while len(backing.sizes) < len(expected):
        blocks.append(heap.alloc(4 * KIB))
    assert [size // KIB for size in backing.sizes] == expected
    assert books(heap).reserved_bytes == sum(backing.sizes)
    del blocks
    assert_whole(heap)


def test_each_arena_starts_small() -> None:
    """A thread that allocates little reserves little: its arena's first region is 128 KiB."""
    heap = arenas.Heap()
    kept = [heap.alloc(100), in_thread(lambda: heap.alloc(100))]
    assert books(heap).reserved_bytes == 2 * 128 * KIB
    del kept


@pytest.mark.parametrize(
    ("region_bytes", "size"), [(None, MIB), (None, 5 * MIB + 1), (64 * KIB, 32 * KIB), (8192, 4096), (4096, 100_000)]
)
def test_large_blocks_have_regions_of_their_own(region_bytes: int | None, size: int) -> None:
    """A block of 1 MiB, or half of region_bytes if less, gets a region to itself, at most an eighth too long."""
    heap = arenas.Heap(region_bytes=region_bytes)
    blocks = [heap.alloc(size) for _ in range(4)]
    stats = books(heap)
    assert stats.regions == 4
    assert 4 * size <= stats.reserved_bytes <= 4 * max(size * 9 // 8 + 1, size + 4095)
    blocks[1].free()
    heap.trim()
    assert books(heap).regions == 3
    del blocks
    assert_whole(heap)


@pytest.mark.parametrize(("region_bytes", "size"), [(None, MIB - 64), (64 * KIB, 32 * KIB - 64)])
def test_smaller_blocks_share_regions(region_bytes: int | None, size: int) -> None:
    """A block just below that is placed among the others."""
    backing = Recording()
    heap = arenas.Heap(backing=backing, region_bytes=region_bytes, arenas=1)
    kept = [heap.alloc(size) for _ in range(8)]
    assert len(backing.sizes) < 8
    del kept


def test_what_a_large_region_has_beyond_the_request_is_not_committed() -> None:
    """A region longer than its block costs address space, not memory."""
    heap = arenas.Heap()
    size = MIB + 4096
    kept = heap.alloc(size)
    stats = books(heap)
    assert stats.committed_bytes == size
    assert stats.reserved_bytes > size
    del kept


def test_threads_taking_turns_keep_one_threads_memory() -> None:
    """32 threads that use 4 MiB one after the other need 4 MiB of large memory, warm from the second on."""
    backing = Recording()
    heap = arenas.Heap(backing=backing)

    def use() -> int:
        with heap.alloc(4 * MIB) as block:
            block.view[::4096] = b"x" * 1024
            return block.address

    places = {in_thread(use) for _ in range(32)}
    assert len(places) == 1
    assert [size for size in backing.sizes if size >= MIB] == [4 * MIB]
    assert books(heap).committed_bytes == 4 * MIB
    assert_whole(heap)


def test_short_threads_leave_memory_flat() -> None:
    """An ended thread's arena is the next one's: a hundred threads one after the other reserve one thread's memory."""
    heap = arenas.Heap()
    in_thread(lambda: fill(heap, MIB))
    reserved = heap.stats().reserved_bytes
    for _ in range(100):
        in_thread(lambda: fill(heap, MIB))
    stats = books(heap)
    assert stats.reserved_bytes == reserved
    assert len([arena for arena in stats.arenas if arena.reserved_bytes]) == 1
    assert_whole(heap)


def test_a_freed_large_region_serves_what_is_about_as_large() -> None:
    """A large block that was freed is used again, warm, for one about as large, and not for one far smaller."""
    heap = arenas.Heap()
    first = heap.alloc(4 * MIB)
    place = first.address
    first.free()
    near = heap.alloc(4 * MIB - 500 * KIB)
    assert near.address == place
    near.free()
    far = heap.alloc(2 * MIB)
    assert far.address != place
    far.free()
    assert_whole(heap)


@pytest.fixture
def aligned() -> Iterator[arenas.Heap]:
    with arenas.Heap(region_bytes=256 * KIB) as heap:
        yield heap
        assert_whole(heap)


@pytest.mark.parametrize("alignment", [1 << exponent for exponent in (0, 3, 4, 6, 10, 12, 16, 18, 21, 26)])
def test_any_alignment(aligned: arenas.Heap, alignment: int) -> None:
    """Blocks and addresses are aligned to any power of two, below a page and far above a region."""
    for size in (0, 1, 100, 5000, 300 * KIB):
        block, address = aligned.alloc(size, alignment=alignment), aligned.aligned_alloc(alignment, size)
        assert (block.address % alignment, address % alignment, block.alignment) == (0, 0, alignment)
        block.view[:] = b"x" * size
        aligned.free(address)
        block.free()


def test_the_largest_alignment(aligned: arenas.Heap) -> None:
    """1 GiB, the largest, works."""
    assert aligned.alloc(10, alignment=1 << 30).address % (1 << 30) == 0


@pytest.mark.parametrize("alignment", [1, 2, 16, 64, 4096])
def test_a_heaps_own_alignment(alignment: int) -> None:
    """Heap(alignment=…) is that of every block that asks for none; malloc's is 16 always."""
    with arenas.Heap(alignment=alignment) as heap:
        blocks = [heap.alloc(size) for size in (1, 3, 50, 1000)]
        addresses = [heap.malloc(size) for size in (1, 3, 50)]
        assert {block.address % alignment for block in blocks} == {0}
        assert {address % 16 for address in addresses} == {0}
        assert {block.alignment for block in blocks} == {alignment}
        if alignment == 1:
            assert [block.capacity for block in blocks] == [1, 3, 50, 1000]
        books(heap)


def test_a_new_large_region_drives_out_no_more_than_it_needs() -> None:
    """When more is idle than in use: the others stay warm."""
    heap = arenas.Heap(decay_seconds=None)
    blocks = [heap.alloc(4 << 20) for _ in range(5)]
    while blocks:
        blocks.pop().free()
    block = heap.alloc(7 << 20)
    stats = heap.stats()
    assert stats.returned_bytes == 8 << 20
    assert stats.regions == 4
    block.free()
    heap.check()
