"""Scopes: bump allocation by one thread, everything ends with the scope, an escaped view keeps its own span only."""

from __future__ import annotations

import itertools

import pytest

import arenas
from tests.heap._support import assert_whole, books, in_thread

CHUNK = 64 << 10


@pytest.fixture
def heap() -> arenas.Heap:
    return arenas.Heap(arenas=1, cache_bytes=0)


def test_everything_in_it_ends_with_it(heap: arenas.Heap) -> None:
    """Blocks of a scope are live until its `with` ends, and freed then; nothing counts as dropped."""
    with heap.scope() as scope:
        blocks = [scope.alloc(size, tag="s") for size in (0, 1, 100, 5000, 50_000, 3 << 20)]
        stats = books(heap)
        assert (stats.live_blocks, stats.live_bytes) == (6, sum(block.size for block in blocks))
        assert {block.tag for block in blocks} == {"s"}
        assert not any(block.released for block in blocks)
    assert all(block.released for block in blocks)
    stats = books(heap)
    assert (stats.live_blocks, stats.cached_bytes, stats.frees, stats.dropped) == (0, 0, 6, 0)
    assert_whole(heap)


def test_blocks_lie_side_by_side(heap: arenas.Heap) -> None:
    """Bump allocation: blocks follow each other downwards without a gap, from chunk to chunk."""
    with heap.scope() as scope:
        places = [scope.alloc(64).address for _ in range(3 * CHUNK // 64)]
        steps = [before - after for before, after in itertools.pairwise(places)]
        assert steps.count(64) == len(steps) - 2
        assert books(heap).cached_bytes == 0
        assert heap.stats().rounding_bytes == 0
    assert_whole(heap)


def test_what_is_left_of_a_chunk_is_cached(heap: arenas.Heap) -> None:
    """The rest of a chunk counts in cached_bytes, exactly, and is no live block."""
    with heap.scope() as scope:
        assert books(heap).cached_bytes == 0
        for count in range(1, 6):
            scope.alloc(1000)
            stats = books(heap)
            assert stats.cached_bytes == CHUNK - count * 1024
            assert (stats.live_blocks, stats.live_bytes, stats.rounding_bytes) == (count, count * 1000, count * 24)
    assert books(heap).cached_bytes == 0


def test_contents_are_ones_own(heap: arenas.Heap) -> None:
    """No two blocks of a scope overlap, nor one of it and one of the heap."""
    with heap.scope() as scope:
        blocks = [make.alloc(1 + 37 * number) for number in range(150) for make in (scope, heap)]
        for number, block in enumerate(blocks):
            block.view[:] = bytes([number % 251]) * block.size
        for number, block in enumerate(blocks):
            assert bytes(block.view) == bytes([number % 251]) * block.size


def test_an_exception_passes(heap: arenas.Heap) -> None:
    """An exception inside leaves the scope, which frees everything, and goes on its way."""
    with pytest.raises(KeyError, match="mine"), heap.scope() as scope:
        {scope.alloc(100): 1}["mine"]  # type: ignore[index]
    assert_whole(heap)


def test_an_escaped_view_parks_its_own_span_only(heap: arenas.Heap) -> None:
    """A view that outlives the scope keeps its block's span, readable; all around it is free."""
    with heap.scope() as scope:
        views = []
        for number in range(100):
            block = scope.alloc(1000)
            block.view[:] = bytes([number]) * 1000
            if number == 50:
                views.append(block.view[10:20])
    stats = books(heap)
    assert (stats.parked_bytes, stats.live_blocks, stats.cached_bytes) == (1024, 0, 0)
    assert stats.free_bytes == stats.reserved_bytes - 1024
    others = [heap.alloc(1000) for _ in range(200)]
    for other in others:
        other.view[:] = b"\xff" * 1000
    assert bytes(views[0]) == bytes([50]) * 10
    del others, other
    views.clear()
    assert_whole(heap)


def test_nested_scopes(heap: arenas.Heap) -> None:
    """An inner scope's end leaves the outer one's blocks alone, in whatever order they end."""
    with heap.scope() as outer:
        first = outer.alloc(100)
        first.view[:] = b"1" * 100
        with heap.scope() as inner:
            second = inner.alloc(100)
            third = outer.alloc(100)
            third.view[:] = b"3" * 100
        assert second.released
        assert bytes(first.view) + bytes(third.view) == b"1" * 100 + b"3" * 100
        assert books(heap).live_blocks == 2
        late = heap.scope()
        kept = late.alloc(100)
    assert first.released
    assert not kept.released
    late.close()
    assert_whole(heap)


def test_freeing_early(heap: arenas.Heap) -> None:
    """A block may be freed before its scope ends: its memory serves the heap, the scope ends as ever."""
    with heap.scope() as scope:
        blocks = [scope.alloc(3000) for _ in range(10)]
        place = blocks[4].address
        blocks[4].free()
        in_thread(blocks[5].free)
        with blocks[6]:
            pass
        assert books(heap).live_blocks == 7
        assert place - 3008 * 2 <= heap.alloc(9000).address <= place
        with pytest.raises(arenas.DoubleFreeError):
            blocks[4].free()
    assert_whole(heap)


def test_dropped_handles_stay_until_the_end(heap: arenas.Heap) -> None:
    """A scope keeps its blocks: one whose handle was not kept is live until the scope ends."""
    with heap.scope() as scope:
        address = scope.alloc(100).address
        found = heap.find(address)
        assert found is not None
        assert found.state == "live"
    assert_whole(heap)


@pytest.mark.parametrize("alignment", [1, 2, 64, 256, 4096, 1 << 16, 1 << 20])
def test_alignment(heap: arenas.Heap, alignment: int) -> None:
    """Blocks of a scope are aligned as asked, between others of any size."""
    with heap.scope() as scope:
        for size in (1, 7, 100, 5000, 20_000):
            scope.alloc(3)
            block = scope.alloc(size, alignment=alignment)
            assert (block.address % alignment, block.alignment, block.size) == (0, alignment, size)
            books(heap)
    assert_whole(heap)


@pytest.mark.parametrize("size", [CHUNK // 4 + 1, CHUNK, CHUNK + 1, 5 << 20])
def test_large_requests_go_past_the_chunk(heap: arenas.Heap, size: int) -> None:
    """A request of more than a quarter chunk is placed by the heap, and ends with the scope all the same."""
    with heap.scope() as scope:
        small = scope.alloc(64)
        cached = books(heap).cached_bytes
        block = scope.alloc(size)
        assert books(heap).cached_bytes == cached
        assert scope.alloc(64).address == small.address - 64
    assert block.released
    assert_whole(heap)


def test_resize_inside(heap: arenas.Heap) -> None:
    """A block of a scope resized, even moved, still ends with it."""
    with heap.scope() as scope:
        first, block, last = scope.alloc(100), scope.alloc(100), scope.alloc(100)
        block.view[:] = b"x" * 100
        block.resize(9000)
        assert bytes(block.view[:100]) == b"x" * 100
        block.resize(50)
        last.resize(0)
        assert books(heap).live_bytes == 150
    assert all(one.released for one in (first, block, last))
    assert_whole(heap)


def test_reset_in_between(heap: arenas.Heap) -> None:
    """After heap.reset() a scope starts anew: its blocks are dead, its next ones live, its end harmless."""
    with heap.scope() as scope:
        before = scope.alloc(100)
        heap.reset()
        assert books(heap).reserved_bytes == heap.stats().free_bytes
        after = scope.alloc(100)
        assert before.released
        assert not after.released
        assert books(heap).live_bytes == 100
    assert_whole(heap)


def test_a_scope_that_was_dropped(heap: arenas.Heap) -> None:
    """A scope nobody closed gives its blocks and chunks back when it is collected."""
    scope = heap.scope()
    for _ in range(100):
        scope.alloc(3000)
    del scope
    stats = books(heap)
    assert (stats.live_blocks, stats.cached_bytes) == (0, 0)
    assert_whole(heap)


def test_zeroed(heap: arenas.Heap) -> None:
    """alloc(zero=True) of a scope is zeros in memory used before."""
    for _ in range(3):
        with heap.scope() as scope:
            for size in (1, 100, 5000, 50_000):
                block = scope.alloc(size, zero=True)
                assert not any(block.view)
                block.view[:] = b"\xff" * size
    assert_whole(heap)


def test_over_integers() -> None:
    """Over an AddressSpace a scope gives blocks exact to the unit, and ends them."""
    heap = arenas.Heap(backing=arenas.AddressSpace(100))
    with heap.scope() as scope:
        offsets = [scope.alloc(10).offset for _ in range(10)]
        assert sorted(offsets) == list(range(0, 100, 10))
        with pytest.raises(arenas.OutOfMemoryError):
            scope.alloc(1)
    assert_whole(heap)


def test_its_repr(heap: arenas.Heap) -> None:
    """A scope's repr says how many blocks it has, and whether it is open."""
    with heap.scope() as scope:
        scope.alloc(1)
        assert "1 blocks, open" in repr(scope)


def test_arrays_in_a_scope(heap: arenas.Heap) -> None:
    """scope.ndarray is a plain array in the scope's memory; one that escapes parks its own span only."""
    np = pytest.importorskip("numpy")
    with heap.scope() as scope:
        arrays = [scope.ndarray((10, 10), "f8") for _ in range(20)]
        for number, array in enumerate(arrays):
            assert type(array) is np.ndarray
            array[...] = number
        assert books(heap).live_bytes == 20 * 800
        kept = arrays[7][2:4]
        del arrays, array
    assert books(heap).parked_bytes == 832
    assert (kept == 7).all()
    del kept
    assert_whole(heap)
