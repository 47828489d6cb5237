"""A closed heap, a closed scope: every method refuses, nothing breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import arenas
from tests.heap._support import books

if TYPE_CHECKING:
    from collections.abc import Callable

METHODS: dict[str, Callable[[arenas.Heap], Any]] = {
    "alloc": lambda heap: heap.alloc(8),
    "alloc zero": lambda heap: heap.alloc(0),
    "malloc": lambda heap: heap.malloc(8),
    "calloc": lambda heap: heap.calloc(2, 8),
    "aligned_alloc": lambda heap: heap.aligned_alloc(64, 8),
    "realloc": lambda heap: heap.realloc(None, 8),
    "realloc of an address": lambda heap: heap.realloc(4096, 8),
    "realloc to nothing": lambda heap: heap.realloc(4096, 0),
    "free": lambda heap: heap.free(4096),
    "scope": lambda heap: heap.scope(),
    "find": lambda heap: heap.find(4096),
    "trim": lambda heap: heap.trim(),
    "reset": lambda heap: heap.reset(),
    "with": lambda heap: heap.__enter__(),
}
ARRAYS: dict[str, Callable[[arenas.Heap], Any]] = {
    "ndarray": lambda heap: heap.ndarray(3),
    "zeros": lambda heap: heap.zeros(3),
    "full": lambda heap: heap.full(3, 7),
    "array": lambda heap: heap.array([1, 2]),
}
OF_A_BLOCK: dict[str, Callable[[arenas.Block], Any]] = {
    "view": lambda block: block.view,
    "address": lambda block: block.address,
    "offset": lambda block: block.offset,
    "resize": lambda block: block.resize(10),
    "free": lambda block: block.free(),
}


@pytest.mark.parametrize("name", METHODS)
def test_a_closed_heap_refuses(name: str) -> None:
    """Every method of a closed heap that would use it raises HeapClosedError, with the heap's name."""
    heap = arenas.Heap(name="pictures")
    heap.close()
    with pytest.raises(arenas.HeapClosedError, match=r"pictures.*closed"):
        METHODS[name](heap)


@pytest.mark.parametrize("name", ARRAYS)
def test_a_closed_heap_refuses_arrays(name: str) -> None:
    """So do the makers of arrays."""
    pytest.importorskip("numpy")
    heap = arenas.Heap()
    heap.close()
    with pytest.raises(arenas.HeapClosedError):
        ARRAYS[name](heap)


@pytest.mark.parametrize("use", OF_A_BLOCK)
def test_blocks_of_a_closed_heap(use: str) -> None:
    """A block went with its heap: every use of it is HeapClosedError."""
    heap = arenas.Heap()
    block = heap.alloc(100)
    heap.close()
    with pytest.raises(arenas.HeapClosedError, match="closed"):
        OF_A_BLOCK[use](block)
    assert block.released


def test_a_closed_heap_can_still_be_looked_at() -> None:
    """stats(), check(), snapshot() and repr() work on a closed heap, which holds nothing; closing again is harmless."""
    heap = arenas.Heap()
    kept, address = heap.alloc(100), heap.malloc(1 << 21)
    heap.close()
    heap.close()
    stats = books(heap)
    assert (stats.reserved_bytes, stats.live_blocks, stats.committed_bytes, stats.regions) == (0, 0, 0, 0)
    assert (stats.allocations, stats.frees) == (2, 2)
    assert heap.snapshot().spans == ()
    assert "closed" in repr(heap)
    assert heap.closed
    del kept, address
    assert books(heap).dropped == 0


def test_a_block_and_a_scope_end_quietly_with_their_heap() -> None:
    """Leaving `with block:` or `with scope:` after the heap was closed raises nothing."""
    with arenas.Heap() as heap, heap.alloc(10), heap.scope() as scope:
        scope.alloc(10)
        scope.alloc(50_000)
        heap.close()
    assert books(heap).live_blocks == 0


def test_a_closed_scope_refuses() -> None:
    """A closed scope neither allocates nor is entered again; closing twice is harmless."""
    heap = arenas.Heap()
    with heap.scope() as scope:
        block = scope.alloc(10)
    scope.close()
    for use in (lambda: scope.alloc(10), scope.__enter__):
        with pytest.raises(arenas.HeapClosedError, match="scope is closed"):
            use()
    with pytest.raises(arenas.BlockReleasedError, match="10 bytes"):
        block.view  # noqa: B018 - looking is what is refused
    assert "closed" in repr(scope)


def test_a_scope_of_a_closed_heap_refuses() -> None:
    """A scope whose heap was closed gives no more."""
    heap = arenas.Heap()
    with heap.scope() as scope:
        scope.alloc(10)
        heap.close()
        for size in (10, 50_000):
            with pytest.raises(arenas.HeapClosedError):
                scope.alloc(size)
