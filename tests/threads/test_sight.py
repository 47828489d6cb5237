"""Memory is never used again while anything can see it: every way to see it, against every way to end its block."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, Any

import pytest

import arenas
from tests.threads.helpers import pattern, prove_whole
from tests.threads.sight import ARRAYS, PLAIN

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.threads.sight import Way

pytestmark = pytest.mark.usefixtures("quick_collections")
SIZE = 4096
ROOM = 16 * SIZE


def small_heap() -> arenas.Heap:
    """One arena, one region, all of it used before memory is refused."""
    return arenas.Heap(arenas=1, region_bytes=4 * ROOM, limit_bytes=ROOM, decay_seconds=None)


def overwrite(heap: arenas.Heap) -> int:
    """Take all memory there is, and write over it; how much that was."""
    taken: list[arenas.Block] = []
    while True:
        try:
            block = heap.alloc(SIZE // 4)
        except arenas.OutOfMemoryError:
            return sum(block.size for block in taken)
        block.view[:] = b"\xff" * block.size
        taken.append(block)


def _free(heap: arenas.Heap, make: Way) -> Any:
    block = heap.alloc(SIZE)
    reader = _see([block], make)
    block.free()
    return reader


def _drop(heap: arenas.Heap, make: Way) -> Any:
    return _see([heap.alloc(SIZE)], make)


def _leave_scope(heap: arenas.Heap, make: Way) -> Any:
    with heap.scope() as scope:
        return _see([scope.alloc(SIZE)], make)


def _reset(heap: arenas.Heap, make: Way) -> Any:
    block = heap.alloc(SIZE)
    reader = _see([block], make)
    heap.reset()
    assert block.released
    return reader


def _see(box: list[arenas.Block], make: Way) -> Any:
    # The block leaves its box: a traceback keeps the variables of all its frames, which would keep the block.
    view = box.pop().view
    view[:] = pattern(8, SIZE)
    return make(view)


ENDS: dict[str, Callable[[arenas.Heap, Way], Any]] = {
    "free": _free, "drop": _drop, "scope exit": _leave_scope, "reset": _reset,
}  # fmt: skip


def way_of(name: str) -> Way:
    """The way of that name."""
    if name in ARRAYS:
        pytest.importorskip("numpy")
        return ARRAYS[name]
    return PLAIN[name]


def expected_of(make: Way) -> object:
    """What this way reads, from memory that nobody takes away."""
    return make(memoryview(bytearray(pattern(8, SIZE))))()


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("name", [*PLAIN, *ARRAYS])
def test_what_is_in_sight_is_not_used_again(name: str, end: str) -> None:
    """All other memory is taken and overwritten: what is seen stays as it was. Out of sight, it is used again."""
    make = way_of(name)
    expected = expected_of(make)
    heap = small_heap()
    limit = overwrite(heap)
    read = ENDS[end](heap, make)
    assert heap.stats().live_blocks == 0
    assert overwrite(heap) <= limit - SIZE
    assert heap.stats().parked_bytes >= SIZE
    assert read() == expected
    del read
    gc.collect()
    assert overwrite(heap) == limit
    assert heap.stats().parked_bytes == 0
    prove_whole(heap)


@pytest.mark.parametrize("name", [*PLAIN, *ARRAYS])
def test_what_is_in_sight_outlives_the_heap(name: str) -> None:
    """After close(), and after the heap itself is gone, the memory stays mapped for whoever sees it."""
    make = way_of(name)
    expected = expected_of(make)
    heap = small_heap()
    read = _see([heap.alloc(SIZE)], make)
    heap.close()
    del heap
    gc.collect()
    overwrite(small_heap())
    assert read() == expected


@pytest.mark.parametrize("name", [*PLAIN, *ARRAYS])
def test_what_is_in_sight_cannot_be_resized(name: str) -> None:
    """As for a bytearray: BufferError, nothing changed; once out of sight it can."""
    make = way_of(name)
    expected = expected_of(make)
    heap = small_heap()
    block = heap.alloc(SIZE)
    read = _see([block], make)
    for size in (1, SIZE + 1, 3 * SIZE):
        with pytest.raises(BufferError):
            block.resize(size)
    assert (block.size, read()) == (SIZE, expected)
    del read
    gc.collect()
    block.resize(3 * SIZE)
    assert block.view[:SIZE] == pattern(8, SIZE)
    block.free()
    prove_whole(heap)


@pytest.mark.parametrize("end", ["free", "drop"])
def test_what_is_out_of_sight_is_used_again_at_once(end: str) -> None:
    """The baseline on this interpreter: views that are gone park nothing, not even for a moment."""
    heap = arenas.Heap(region_bytes=ROOM)
    for _ in range(50):
        block = heap.alloc(SIZE)
        address = block.address
        for _ in range(3):
            block.view[:] = pattern(1, SIZE)
        assert memoryview(block.view.obj)[3:].cast("B").toreadonly() == pattern(1, SIZE)[3:]
        if end == "free":
            block.free()
        del block
        again = heap.alloc(SIZE)
        assert again.address == address
        again.free()
        del again
        assert heap.stats().parked_bytes == 0
    prove_whole(heap)


def test_counting_references_is_not_fooled_by_frames() -> None:
    """A block ended deep inside calls that hold nothing of it is not parked."""
    heap = arenas.Heap(region_bytes=ROOM)

    def down(block: arenas.Block, depth: int) -> None:
        if depth:
            return down(block, depth - 1)
        block.view[:1] = b"x"
        return block.free()

    down(heap.alloc(SIZE), min(200, sys.getrecursionlimit() // 4))
    assert heap.stats().parked_bytes == 0
    prove_whole(heap)
