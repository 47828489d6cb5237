"""Backings with one range serve one heap at a time, for as long as anything of it is visible."""

from __future__ import annotations

import gc
import threading
from typing import TYPE_CHECKING

import pytest

from arenas import AddressSpace, Backing, FileMemory, Heap, InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(params=["FileMemory", "AddressSpace"])
def backing(request: pytest.FixtureRequest, tmp_path: Path) -> Backing:
    return FileMemory(tmp_path / "memory", 65536) if request.param == "FileMemory" else AddressSpace(65536)


@pytest.mark.parametrize("arenas", [1, 3])
def test_a_second_heap_is_refused_while_the_first_is_open(backing: Backing, arenas: int) -> None:
    """And the refusal leaves the first as it was; once it is closed, the next may have the range."""
    with Heap(backing=backing, arenas=arenas) as first:
        block = first.alloc(100)
        with pytest.raises(InvalidRequestError, match="in use"):
            Heap(backing=backing)
        first.check()
        block.free()
    with Heap(backing=backing, arenas=arenas) as second:
        assert second.stats().reserved_bytes == 65536


def test_a_heap_that_was_dropped_gives_the_range_back(backing: Backing) -> None:
    heap = Heap(backing=backing)
    del heap
    gc.collect()
    Heap(backing=backing).close()


def test_the_blocks_of_a_closed_heap_do_not_hold_the_range(backing: Backing) -> None:
    """Handles are not views: they may be kept for ever."""
    with Heap(backing=backing) as first:
        blocks = [first.alloc(100) for _ in range(3)]
    Heap(backing=backing).close()
    assert [block.released for block in blocks] == [True] * 3


def test_of_heaps_made_at_once_one_gets_the_range(backing: Backing) -> None:
    barrier = threading.Barrier(8)
    heaps: list[Heap] = []
    refused: list[InvalidRequestError] = []

    def make() -> None:
        barrier.wait()
        try:
            heaps.append(Heap(backing=backing))
        except InvalidRequestError as error:
            refused.append(error)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(heaps), len(refused)) == (1, 7)


@pytest.mark.parametrize(
    "part",
    [lambda view: view, lambda view: view[10:20], lambda view: view.cast("H"), memoryview],
    ids=["view", "slice", "cast", "copy"],
)
def test_a_view_that_outlived_its_heap_keeps_others_out(
    part: Callable[[memoryview], memoryview], tmp_path: Path
) -> None:
    """Or the next heap would write under it."""
    memory = FileMemory(tmp_path / "memory", 65536)
    with Heap(backing=memory) as first:
        kept = part(first.alloc(100).view)
    with pytest.raises(InvalidRequestError, match="view that outlived"):
        Heap(backing=memory)
    del kept
    gc.collect()
    Heap(backing=memory).close()


def test_an_array_that_outlived_its_heap_keeps_others_out(tmp_path: Path) -> None:
    pytest.importorskip("numpy")
    memory = FileMemory(tmp_path / "memory", 65536)
    with Heap(backing=memory) as first:
        array = first.zeros((4, 4), "u1")
    with pytest.raises(InvalidRequestError, match="view that outlived"):
        Heap(backing=memory)
    assert array.sum() == 0
    del array
    gc.collect()
    Heap(backing=memory).close()


@pytest.mark.parametrize("arenas", [1, 2, 4])
def test_arenas_share_the_range_without_overlap(backing: Backing, arenas: int) -> None:
    """Each has a part of its own; together they have all of it, and blocks of all of them tile it."""
    with Heap(backing=backing, arenas=arenas) as heap:
        stats = heap.stats()
        assert stats.reserved_bytes == 65536
        assert len(stats.arenas) == arenas
        assert all(arena.reserved_bytes > 0 for arena in stats.arenas)
        blocks = [heap.alloc(4096) for _ in range(65536 // 4096)]
        assert sorted(block.offset for block in blocks) == list(range(0, 65536, 4096))
        for block in blocks:
            block.free()
        heap.check()
        assert heap.stats().free_bytes == 65536
