"""Zeroed memory: zero whatever was there before, without touching pages that are known to be zero."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

import pytest

import arenas
from tests.heap._support import assert_whole, books

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PAGE = arenas.AnonymousMemory().page_bytes
SIZES = [1, 100, PAGE, 3 * PAGE + 5, 2 << 20]


def zeroed_block(heap: arenas.Heap, size: int) -> tuple[int, Callable[[], None]]:
    block = heap.alloc(size, zero=True)
    return block.address, block.free


def zeroed_address(heap: arenas.Heap, size: int) -> tuple[int, Callable[[], None]]:
    address = heap.calloc(size)
    return address, lambda: heap.free(address)


def zeroed_in_scope(heap: arenas.Heap, size: int) -> tuple[int, Callable[[], None]]:
    scope = heap.scope()
    return scope.alloc(size, zero=True).address, scope.close


MAKERS = [zeroed_block, zeroed_address, zeroed_in_scope]


def soil(heap: arenas.Heap) -> None:
    """Leaves dirty free memory of every size behind."""
    blocks = [heap.alloc(size) for size in (*SIZES, *SIZES, 200_000, 3 << 20)]
    for block in blocks:
        block.view[:] = b"\xff" * block.size
    for block in blocks:
        block.free()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("make", MAKERS)
def test_dirty_memory_used_again_is_zeroed(make: Any, size: int) -> None:
    """Over memory full of old bytes a zeroed request reads as zeros, whole and only itself."""
    heap = arenas.Heap(region_bytes=1 << 20)
    soil(heap)
    neighbours = [heap.alloc(64) for _ in range(10)]
    for neighbour in neighbours:
        neighbour.view[:] = b"n" * 64
    address, end = make(heap, size)
    assert not any(ctypes.string_at(address, size))
    assert all(bytes(neighbour.view) == b"n" * 64 for neighbour in neighbours)
    end()
    del neighbours, neighbour
    assert_whole(heap)


@pytest.mark.parametrize("make", MAKERS)
def test_a_page_partly_used_is_not_taken_for_fresh(make: Any) -> None:
    """A request that begins in a page used before and ends in fresh ones is zeros throughout."""
    heap = arenas.Heap(region_bytes=1 << 20, arenas=1)
    soiled, kept = heap.alloc(PAGE + 1000), heap.alloc(64)
    ctypes.memset(soiled.address, 0xFF, PAGE + 1000)
    soiled.free()
    address, end = make(heap, PAGE + 900)
    assert not any(ctypes.string_at(address, PAGE + 900))
    end()
    kept.free()


@pytest.mark.parametrize("decay", [0, 10.0])
@pytest.mark.parametrize("size", SIZES)
def test_decommitted_pages_are_zero(size: int, decay: float) -> None:
    """Pages that went back to the system and came again are zeros."""
    heap = arenas.Heap(region_bytes=1 << 20, decay_seconds=decay)
    kept = heap.alloc(64)
    for _ in range(3):
        soil(heap)
        heap.trim()
        address = heap.calloc(size)
        assert not any(ctypes.string_at(address, size))
        ctypes.memset(address, 0xFF, size)
        heap.free(address)
    kept.free()
    assert_whole(heap)


def test_decommitted_pages_of_a_file_are_zero(tmp_path: Path) -> None:
    """Over a file zeroed requests are zeros: where it held bytes, was used, or gave pages back."""
    path = tmp_path / "file"
    path.write_bytes(b"\xff" * (16 * PAGE))
    heap = arenas.Heap(backing=arenas.FileMemory(path))
    for _ in range(2):
        for size in (100, 5 * PAGE, 16 * PAGE):
            block = heap.alloc(size, zero=True)
            assert not any(block.view)
            block.view[:] = b"\xff" * size
            block.free()
        heap.trim()
    assert_whole(heap)


@pytest.mark.parametrize("make", MAKERS[:2])
def test_fresh_pages_are_not_touched(make: Any) -> None:
    """A large zeroed request over fresh pages costs no memory: none of its pages becomes resident."""
    heap = arenas.Heap()
    before = heap.stats().resident_bytes
    assert before is not None
    address, end = make(heap, 64 << 20)
    stats = books(heap)
    assert stats.committed_bytes >= 64 << 20
    assert stats.resident_bytes is not None
    assert stats.resident_bytes - before <= 2 * PAGE
    ctypes.memset(address, 1, 10 * PAGE)
    assert (heap.stats().resident_bytes or 0) - before >= 10 * PAGE
    end()
    # Given back and taken again, the pages are as good as fresh.
    heap.trim()
    before = heap.stats().resident_bytes or 0
    _, end = make(heap, 64 << 20)
    assert (heap.stats().resident_bytes or 0) - before <= 2 * PAGE
    end()
    assert_whole(heap)


def test_zeroing_counts_like_any_other_request() -> None:
    """calloc(n, size) is n * size bytes: of size 0 either way it is a distinct address."""
    heap = arenas.Heap()
    addresses = [heap.calloc(0, 100), heap.calloc(100, 0), heap.calloc(0), heap.calloc(3, 5)]
    assert len(set(addresses)) == 4
    assert books(heap).live_bytes == 15
    for address in addresses:
        heap.free(address)
    assert_whole(heap)
