"""The collector may run anywhere, finalizers may do anything: the heap is entered again while inside a section."""

from __future__ import annotations

import gc

import pytest

import arenas
from tests.threads.helpers import pattern, prove_whole, run_program, together


@pytest.mark.parametrize("spec", ["thread", "1"])
@pytest.mark.parametrize("kind", ["cycles", "placement", "locks", "backing"])
def test_finalizers_may_use_the_heap_wherever_the_collector_runs(kind: str, spec: str) -> None:
    """Finalizers that allocate, free and drop inside any section: no deadlock, no false out-of-memory, whole books."""
    run_program("reentry.py", kind, spec)


class Reader:
    """A cycle with a view of a dropped block, which its finalizer still reads."""

    def __init__(self, heap: arenas.Heap, key: int, found: list[bytes]) -> None:
        block = heap.alloc(1000)
        self.view = block.view
        self.view[:] = pattern(key, 1000)
        self.heap = heap
        self.found = found
        self.me = self

    def __del__(self) -> None:
        for _ in range(3):
            self.heap.alloc(1000).view[:] = b"\xff" * 1000
        self.heap.check()
        self.heap.alloc(1000).view[:] = b"\xff" * 1000
        self.found.append(bytes(self.view))


def test_a_finalizer_in_a_cycle_still_sees_its_bytes() -> None:
    """The collector clears weak references before it runs finalizers: memory is not used again until they are done."""
    heap = arenas.Heap(region_bytes=1 << 16)
    found: list[bytes] = []
    gc.disable()
    try:
        for key in range(10):
            Reader(heap, key, found)
        gc.collect()
    finally:
        gc.enable()
    assert sorted(found) == sorted(pattern(key, 1000) for key in range(10))
    prove_whole(heap)


def test_finalizers_in_cycles_see_their_bytes_while_others_allocate(fast_switching: None) -> None:
    """The same, with threads that take and overwrite whatever memory they can get."""
    heap = arenas.Heap(region_bytes=1 << 16, arenas=1)
    found: list[bytes] = []

    def make() -> None:
        for key in range(60):
            Reader(heap, key, found)
            if key % 5 == 0:
                gc.collect()

    def overwrite() -> None:
        for _ in range(400):
            heap.alloc(1000).view[:] = b"\xff" * 1000

    together(make, overwrite, overwrite)
    gc.collect()
    assert sorted(found) == sorted(pattern(key, 1000) for key in range(60))
    prove_whole(heap)
