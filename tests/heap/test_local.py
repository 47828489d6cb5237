"""A heap's façade for one thread."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

import arenas

SIZE = 1000


@pytest.fixture
def heap() -> arenas.Heap:
    return arenas.Heap(name="frames")


def test_it_is_the_same_heap(heap: arenas.Heap) -> None:
    """What it hands out counts there, and can be found there."""
    local = heap.local()
    assert isinstance(local, arenas.Heap)
    block = local.alloc(SIZE)
    assert heap.stats().live_bytes == local.stats().live_bytes == SIZE
    assert heap.find(block.address) == local.find(block.address)
    address = local.malloc(SIZE)
    heap.free(address)
    block.free()
    local.check()
    assert heap.stats().live_blocks == 0


def test_nothing_of_the_heap_is_missing(heap: arenas.Heap) -> None:
    """All but the way to the cache is the heap's own."""
    local = heap.local()
    shared = {name for name, value in vars(heap).items() if vars(local).get(name) is value}
    assert vars(heap).keys() - shared == {"_here"}
    assert local.local().whole is local.whole is heap


def test_a_thread_of_its_own_takes_what_it_freed(heap: arenas.Heap) -> None:
    """Through the façade or not: it is the thread's one cache."""
    local = heap.local()
    block = local.alloc(SIZE)
    address = block.address
    block.free()
    assert heap.alloc(SIZE).address == address


def test_its_blocks_may_be_freed_by_any_thread(heap: arenas.Heap) -> None:
    blocks = [heap.local().alloc(SIZE) for _ in range(10)]
    with ThreadPoolExecutor(1) as other:
        for block in blocks:
            other.submit(block.free).result()
    assert heap.stats().live_blocks == 0
    heap.check()


def test_its_blocks_may_be_resized_by_any_thread(heap: arenas.Heap) -> None:
    """Moved, they come from that thread's arena. The façade's own next block does not."""
    local = heap.local()
    moved, stayed = local.alloc(SIZE), local.alloc(SIZE)

    def resize() -> None:
        for ready in [heap.alloc(3 * SIZE) for _ in range(3)]:
            ready.free()
        moved.resize(3 * SIZE)

    with ThreadPoolExecutor(1) as other:
        other.submit(resize).result()
        assert moved.arena != stayed.arena
        assert local.alloc(3 * SIZE).arena == stayed.arena


def test_another_threads_request_is_refused(heap: arenas.Heap) -> None:
    """Its cache has nothing at hand; the heap itself serves that thread."""
    local = heap.local()
    with ThreadPoolExecutor(1) as other:
        with pytest.raises(arenas.InvalidRequestError, match="local"):
            other.submit(local.alloc, SIZE).result()
        other.submit(heap.alloc, SIZE).result().free()
        assert other.submit(local.stats).result().live_blocks == 0


def test_its_end_is_not_the_heaps(heap: arenas.Heap) -> None:
    with heap.local() as local:
        local.alloc(SIZE).free()
    local.alloc(SIZE).free()
    assert not heap.closed


def test_it_ends_with_the_heap(heap: arenas.Heap) -> None:
    """Whatever it had at hand."""
    local = heap.local()
    local.alloc(SIZE).free()
    heap.close()
    assert local.closed
    with pytest.raises(arenas.HeapClosedError):
        local.alloc(SIZE)
    with pytest.raises(arenas.HeapClosedError):
        heap.local()


def test_it_says_whose_it_is(heap: arenas.Heap) -> None:
    assert repr(heap.local()).startswith("<Local of <Heap 'frames'")
