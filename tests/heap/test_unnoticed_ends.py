"""Memory whose end sends no word, or sends it too early, comes back all the same."""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING

import pytest

import arenas
from arenas.region import Region

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MEBIBYTE = 1 << 20


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Only reference counts end anything."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("part", [lambda view: view[:10], lambda view: view.cast("H"), lambda view: view.toreadonly()])
@pytest.mark.parametrize("size", [MEBIBYTE, 100])
def test_parts_that_outlive_their_view_do_not_make_the_heap_grow(
    part: Callable[[memoryview], memoryview], size: int
) -> None:
    """A slice alive at the free parks the span; its end sends no hint, but growing looks first."""
    heap = arenas.Heap(decay_seconds=None, region_bytes=4 * MEBIBYTE)
    for _ in range(3000 if size == 100 else 200):
        block = heap.alloc(size)
        kept = part(block.view)
        block.free()
        del kept
    assert sum(region.size for arena in heap._manager.arenas for region in arena.table.regions) <= 4 * MEBIBYTE


def test_looking_at_a_block_leaves_nothing_behind() -> None:
    """A program that allocates once and then only uses its views keeps nothing for each of them."""
    heap = arenas.Heap()
    block = heap.alloc(100)
    for _ in range(100):
        block.view[:1] = b"x"
    assert len(heap._inbox) == 0


def test_an_array_still_seen_when_word_of_its_end_came_is_looked_at_again() -> None:
    """The word comes before the array lets go of its memory; decay asks again, without any observer's help."""
    pytest.importorskip("numpy")
    now = 0.0
    heap = arenas.Heap(arenas=1, decay_seconds=1.0, clock=lambda: now)
    array = heap.ndarray(100, "u1")
    seen = array.base
    del array
    heap.alloc(1).free()  # reads the word, and finds the memory in sight
    assert len(heap._manager.arenas[0].table.live) == 1
    del seen
    now = 2.0
    heap.alloc(1).free()
    assert len(heap._manager.arenas[0].table.live) == 0
    heap.check()


def test_an_array_in_doubt_is_looked_at_before_the_heap_grows() -> None:
    """No second word comes of its end."""
    pytest.importorskip("numpy")
    heap = arenas.Heap(arenas=1, region_bytes=1 << 18, clock=lambda: 0.0)
    array = heap.ndarray(100_000, "u1")
    seen = array.base
    del array
    heap.alloc(1).free()  # reads the word, and finds the memory in sight
    assert len(heap._manager.arenas[0].table.doubtful) == 1
    del seen
    heap.alloc(60_000).free()
    assert len(heap._manager.arenas[0].table.regions) == 1


def test_a_heap_that_is_dropped_goes_at_once(no_collector: None) -> None:
    """Without close(), and without waiting for the collector."""
    heap = arenas.Heap()
    heap.alloc(8).free()
    heap.alloc(MEBIBYTE).free()
    manager = weakref.ref(heap._manager)
    del heap
    assert manager() is None


def test_a_released_view_does_no_harm() -> None:
    """Who releases a view breaks neither the block nor the heap."""
    heap = arenas.Heap(arenas=1)
    block = heap.alloc(100)
    block.view.release()
    block.view[:2] = b"ok"
    assert bytes(block.view[:2]) == b"ok"
    block.free()
    heap.check()
    assert heap.stats().live_blocks == 0


def test_a_released_view_hides_nobody() -> None:
    """What else was made of it, or of its owner, is still seen."""
    heap = arenas.Heap(arenas=1)
    block = heap.alloc(100)
    view = block.view
    seen = [view[10:20], memoryview(view.obj)]
    view.release()
    block.free()
    while seen:
        assert heap.stats().parked_bytes == 128
        seen.pop()
    assert heap.stats().parked_bytes == 0


def test_giving_pages_back_at_once_looks_at_one_span(monkeypatch: pytest.MonkeyPatch) -> None:
    """With ``decay_seconds=0`` each free asks about the span it made, however many others are free."""
    asked = 0
    decommit = Region.decommit

    def counting(*arguments: object) -> int:
        nonlocal asked
        asked += 1
        return decommit(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Region, "decommit", counting)
    heap = arenas.Heap(arenas=1, decay_seconds=0)
    blocks = [heap.alloc(64) for _ in range(400)]
    for block in blocks[::2]:
        block.free()
    assert asked <= 200


def test_the_peak_is_never_above_the_truth() -> None:
    """What is parked is not live: a lower bound stays one."""
    heap = arenas.Heap()
    kept = []
    for _ in range(3):
        block = heap.alloc(MEBIBYTE)
        kept.append(block.view)
        block.free()
    stats = heap.stats()
    assert stats.peak_live_bytes <= MEBIBYTE
    assert (stats.parked_bytes, len(kept)) == (3 * MEBIBYTE, 3)


def test_at_the_limit_a_committed_hole_serves() -> None:
    """Best fit would be a clean page, which the limit refuses; a larger hole in committed pages is there."""
    page = 4096
    heap = arenas.Heap(arenas=1, limit_bytes=6 * page, decay_seconds=None)
    kept = [heap.alloc(1088)]
    hole = heap.alloc(6016)
    kept += [heap.alloc(2 * page - 7104 + 64), heap.alloc(page - 64)]
    clean = heap.alloc(page)
    kept.append(heap.alloc(page))
    hole.free()
    clean.free()
    heap.trim()
    kept.append(heap.alloc(2 * page))
    assert heap.stats().committed_bytes == 6 * page
    kept.append(heap.alloc(64))
    heap.check()


def test_a_heap_over_a_file_refuses_what_the_next_mapping_may_not_keep(tmp_path: object) -> None:
    """Its default alignment is one that offsets have too, wherever the file is mapped."""
    memory = arenas.FileMemory(f"{tmp_path}/file", 1 << 16)
    with pytest.raises(arenas.InvalidRequestError, match="8192 exceeds the largest, 4096"):
        arenas.Heap(backing=memory, alignment=8192)


def test_leaving_a_with_is_no_second_free() -> None:
    """A block or scope whose memory another thread freed, or that went with its heap, ends quietly."""
    heap = arenas.Heap()
    with heap.alloc(100) as block:
        block.free()
    with heap.scope() as scope:
        first, second = scope.alloc(100), scope.alloc(100)
        first.free()
    assert second.released
    with heap.scope() as scope, heap.alloc(100):
        scope.alloc(100)
        heap.close()
    heap.check()
