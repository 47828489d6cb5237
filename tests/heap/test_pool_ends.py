"""The ends of pools, and pools that cannot be."""

from __future__ import annotations

import copy
import gc
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import arenas
from tests.heap._support import assert_whole, books, in_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytest.importorskip("numpy")

SHAPE = (8, 16)
BYTES = 128
PAGE = arenas.AnonymousMemory().page_bytes


@pytest.fixture
def heap() -> Iterator[arenas.Heap]:
    heap = arenas.Heap()
    yield heap
    gc.collect()
    assert_whole(heap)


def close_pool(heap: arenas.Heap, pool: arenas.Pool) -> None:
    pool.close()


def close_heap(heap: arenas.Heap, pool: arenas.Pool) -> None:
    heap.close()


def reset_heap(heap: arenas.Heap, pool: arenas.Pool) -> None:
    heap.reset()


@pytest.mark.parametrize("end", [close_pool, close_heap, reset_heap])
def test_after_its_end(end: Callable[[arenas.Heap, arenas.Pool], None]) -> None:
    """Nothing is handed out any more; what is out stays as it is until its last view dies, then the memory is back."""
    heap = arenas.Heap()
    pool = heap.pool(SHAPE, "u1", 3)
    array = pool.get()
    array[:] = 9
    view = array[1:]
    del array
    end(heap, pool)
    assert pool.closed
    assert pool.free == 0
    for timeout in (0, None):
        with pytest.raises(arenas.HeapClosedError, match="Pool of 3 arrays"):
            pool.get(timeout)
    with pytest.raises(arenas.HeapClosedError, match="Pool of 3 arrays"), pool:
        pass
    if not heap.closed:  # else the memory is nobody's any more, and stays mapped
        assert books(heap).parked_bytes == BYTES
        others = [heap.alloc(BYTES) for _ in range(20)]
        for block in others:
            block.view[:] = bytes(BYTES)
        for block in others:
            block.free()
    assert (view == 9).all()
    assert books(heap).live_blocks == 0
    pool.close()
    del view
    assert books(heap).parked_bytes == 0
    heap.close()
    assert books(heap).reserved_bytes == 0


def test_the_end_of_a_with(heap: arenas.Heap) -> None:
    """It closes the pool, also with an error under way."""
    with pytest.raises(ZeroDivisionError), heap.pool(SHAPE, "u1", 2) as pool:
        1 / 0  # noqa: B018
    assert pool.closed


def test_a_dropped_pool_gives_its_memory_back(heap: arenas.Heap) -> None:
    """At once, without the collector; what is out stays as it is."""
    pool = heap.pool(SHAPE, "u1", 3)
    array = pool.get()
    array[:] = 5
    gc.disable()
    try:
        del pool
        stats = books(heap)
    finally:
        gc.enable()
    assert (stats.live_blocks, stats.parked_bytes) == (0, BYTES)
    assert (array == 5).all()
    del array


# What cannot be had


def test_a_pool_larger_than_the_limit() -> None:
    """It is refused when it is made, with the numbers of both; nothing of it stays."""
    heap = arenas.Heap(limit_bytes=4 * PAGE)
    with pytest.raises(
        arenas.OutOfMemoryError, match=rf"array 5 of a pool of 8: .* {PAGE} bytes.*limit {4 * PAGE}"
    ) as caught:
        heap.pool(PAGE, "u1", 8)
    assert books(heap).live_blocks == 0  # also while the error is kept, and what its traceback refers to
    del caught
    heap.pool(PAGE, "u1", 4).close()
    assert_whole(heap)


@pytest.mark.parametrize("count", [0, -1])
def test_a_pool_of_nothing(heap: arenas.Heap, count: int) -> None:
    """It could serve nobody."""
    with pytest.raises(arenas.InvalidRequestError, match=str(count)):
        heap.pool(SHAPE, "u1", count)


def test_absurd_pools(heap: arenas.Heap) -> None:
    """More than an address space holds, counts that are none, dtypes with references, no room for arrays."""
    with pytest.raises(arenas.InvalidRequestError, match="size of a pool"):
        heap.pool(1 << 40, "u1", 1 << 40)
    with pytest.raises(arenas.InvalidRequestError, match="negative dimension"):
        heap.pool((-1, 2), "u1", 2)
    wrong: Any = "2"
    with pytest.raises(TypeError):
        heap.pool(SHAPE, "u1", wrong)
    with pytest.raises(TypeError, match="references"):
        heap.pool(SHAPE, object, 2)
    with pytest.raises(arenas.InvalidRequestError, match="no memory"):
        arenas.Heap(backing=arenas.AddressSpace(1 << 20)).pool(SHAPE, "u1", 2)
    closed = arenas.Heap()
    closed.close()
    with pytest.raises(arenas.HeapClosedError):
        closed.pool(SHAPE, "u1", 2)


@pytest.mark.parametrize("timeout", [-1, -0.001, float("nan")])
def test_a_timeout_that_cannot_be(heap: arenas.Heap, timeout: float) -> None:
    """Refused also where an array is ready."""
    with heap.pool(SHAPE, "u1", 1) as pool, pytest.raises(arenas.InvalidRequestError, match="timeout"):
        pool.get(timeout)


def test_a_pool_is_one_of_its_kind(heap: arenas.Heap) -> None:
    """No copy, no pickle."""
    with heap.pool(SHAPE, "u1", 1) as pool:
        for way in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError, match="pool"):
                way(pool)


def test_a_pool_over_a_file(tmp_path: Any) -> None:
    """It works there too."""
    heap = arenas.Heap(backing=arenas.FileMemory(tmp_path / "memory", 1 << 20))
    with heap.pool(SHAPE, "u1", 2) as pool:
        kept = [pool.get(0), pool.get(0)]
        kept[0][:] = 3
        assert in_thread(lambda: pool.free) == 0
        kept.clear()
        assert pool.free == 2
    heap.close()


EXIT = """
import arenas, gc, sys
heap = arenas.Heap()
pool = heap.pool(10, "u1", 3)
kept = pool.get()
cycle = [pool.get()]
cycle.append(cycle)
sys.kept = [pool.get(), pool]
"""


def test_nothing_is_said_at_exit() -> None:
    """Whatever is still out then."""
    done = subprocess.run([sys.executable, "-c", EXIT], capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("", "")
