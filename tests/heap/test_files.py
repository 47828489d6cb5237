"""Blocks in a file: what they hold is in it, and adopt() takes it up again."""

from __future__ import annotations

import contextlib
import gc
from typing import TYPE_CHECKING

import pytest

import arenas
from tests.heap._support import assert_whole, books

if TYPE_CHECKING:
    from pathlib import Path


def test_what_blocks_hold_persists(tmp_path: Path) -> None:
    """Bytes written into a block are in the file at its offset, also after the heap was closed."""
    path = tmp_path / "memory"
    with arenas.Heap(backing=arenas.FileMemory(path, 100_000)) as heap:
        blocks = [heap.alloc(1000) for _ in range(20)]
        places = {block.offset: bytes([number]) * 1000 for number, block in enumerate(blocks)}
        for block in blocks:
            block.view[:] = places[block.offset]
        blocks[0].heap.backing.flush()  # type: ignore[attr-defined]
    del block, blocks
    written = path.read_bytes()
    assert len(written) == 100_000
    assert all(written[offset : offset + 1000] == data for offset, data in places.items())


def test_adopting(tmp_path: Path) -> None:
    """A file opened again starts empty; adopt() makes a block of a range, its bytes as they are, for nobody else."""
    path = tmp_path / "memory"
    with arenas.Heap(backing=arenas.FileMemory(path, 100_000)) as heap:
        blocks = [heap.alloc(size, alignment=4096) for size in (1000, 20_000)]
        places = [(block.offset, block.size) for block in blocks]
        for number, block in enumerate(blocks):
            block.view[:] = bytes([number + 1]) * block.size
    del block, blocks
    gc.collect()
    heap = arenas.Heap(backing=arenas.FileMemory(path))
    assert books(heap).live_blocks == 0
    adopted = [heap.adopt(offset, size, tag="old") for offset, size in places]
    for number, (block, (offset, size)) in enumerate(zip(adopted, places, strict=True)):
        assert (block.offset, block.size, block.tag) == (offset, size, "old")
        assert bytes(block.view) == bytes([number + 1]) * size
    assert (books(heap).live_blocks, heap.stats().live_bytes) == (2, 21_000)
    others = []
    with contextlib.suppress(arenas.OutOfMemoryError):
        while True:
            others.append(heap.alloc(500))
            others[-1].view[:] = b"\xff" * 500
    assert len(others) > 100
    assert all(bytes(block.view) == bytes([number + 1]) * block.size for number, block in enumerate(adopted))
    adopted[0].resize(500)
    for block in (*adopted, *others):
        block.free()
    del block, others, adopted
    assert_whole(heap)


def test_adopting_an_address_space() -> None:
    """Over integers any free range is adopted, in any arena, exact to the unit."""
    heap = arenas.Heap(backing=arenas.AddressSpace(300), arenas=3)
    ranges = [(0, 1), (7, 13), (100, 100), (299, 1), (210, 80)]
    blocks = [heap.adopt(offset, size) for offset, size in ranges]
    assert [(block.offset, block.size) for block in blocks] == ranges
    assert books(heap).free_bytes == 300 - sum(size for _, size in ranges)
    with pytest.raises(arenas.InvalidRequestError, match=r"\[20, 110\)"):
        heap.adopt(20, 90)
    del blocks
    assert_whole(heap)


def test_adopting_what_lies_in_a_cache(tmp_path: Path) -> None:
    """What a thread has freed and keeps ready is free to all."""
    heap = arenas.Heap(backing=arenas.FileMemory(tmp_path / "memory", 1 << 20), cache_bytes=1 << 16)
    block = heap.alloc(1000)
    offset = block.offset
    block.free()
    assert heap.stats().cached_bytes == 1024
    assert heap.adopt(offset, 1000).offset == offset


def test_an_existing_file_keeps_its_length(tmp_path: Path) -> None:
    """A longer file is used up to size_bytes, its bytes there to be seen, and keeps its length."""
    path = tmp_path / "memory"
    path.write_bytes(bytes(range(256)) * 64)
    heap = arenas.Heap(backing=arenas.FileMemory(path, 8192))
    assert heap.stats().reserved_bytes == 8192
    assert bytes(heap.adopt(256, 256).view) == bytes(range(256))
    heap.close()
    assert path.stat().st_size == 16384


@pytest.mark.parametrize("size", [1, 100, 4095, 4097, 10_000])
def test_odd_lengths(tmp_path: Path, size: int) -> None:
    """A file of any length serves blocks up to its last whole granule, and gives its pages back."""
    heap = arenas.Heap(backing=arenas.FileMemory(tmp_path / "memory", size), alignment=1)
    block = heap.alloc(size)
    block.view[:] = b"x" * size
    assert (block.offset, books(heap).free_bytes) == (0, 0)
    with pytest.raises(arenas.OutOfMemoryError):
        heap.alloc(1)
    block.free()
    del block
    assert_whole(heap)


def test_pages_go_back_to_the_file_system(tmp_path: Path) -> None:
    """trim() punches holes: the file keeps its length, its disk space is given back."""
    path = tmp_path / "memory"
    heap = arenas.Heap(backing=arenas.FileMemory(path, 1 << 20))
    block = heap.alloc(1 << 19)
    block.view[:] = b"x" * (1 << 19)
    before = path.stat().st_blocks
    block.free()
    assert heap.trim() == 1 << 19
    assert path.stat().st_blocks <= before - (1 << 19) // 512
    assert path.stat().st_size == 1 << 20
    assert_whole(heap)


def test_several_arenas_share_a_file(tmp_path: Path) -> None:
    """Each arena has its own part of the file; one thread alone still gets all of it."""
    heap = arenas.Heap(backing=arenas.FileMemory(tmp_path / "memory", 10 * 4096), arenas=3)
    assert [arena.reserved_bytes for arena in heap.stats().arenas] == [3 * 4096, 3 * 4096, 4 * 4096]
    blocks = [heap.alloc(4096) for _ in range(10)]
    assert sorted(block.offset for block in blocks) == list(range(0, 40960, 4096))
    assert {block.arena for block in blocks} == {0, 1, 2}
    del blocks
    assert_whole(heap)
