"""Idle memory goes back: at the heap's own calls, and by a thread for processes that go quiet."""

from __future__ import annotations

import gc
import os
import threading
from typing import TYPE_CHECKING

import pytest

import arenas
from arenas.table import SpanTable
from tests.threads.helpers import PATIENCE_SECONDS
from tests.threads.test_fork import in_child

if TYPE_CHECKING:
    from arenas.region import Region

SIZE = 1000
PAGE = 4096
# Beyond what a thread's cache holds, so that it is in the arena, idle, once it is freed.
BIG = 400_000


def decaying() -> arenas.Heap:
    """A heap whose watch looks eighty times a second."""
    heap = arenas.Heap(decay_seconds=0.1)
    heap.start_decay()
    return heap


def watching(heap: arenas.Heap) -> threading.Thread:
    """The thread that watches it."""
    thread: threading.Thread = heap._watches["decay"]._thread
    return thread


def test_a_thread_that_its_cache_serves_looks_at_the_clock() -> None:
    """At each 64th of these allocations, and at no call beside them."""
    now = [100.0]
    heap = arenas.Heap(decay_seconds=8.0, clock=lambda: now[0])
    heap.alloc(BIG).free()
    heap.alloc(SIZE).free()
    table = heap._manager.arenas[0].table
    for _ in range(200):
        heap.alloc(SIZE).free()
    assert table.returned_bytes == 0
    now[0] += 20
    for _ in range(64):
        heap.alloc(SIZE).free()
    assert table.returned_bytes > BIG - 2 * PAGE  # all whole pages in it


def test_a_quiet_process_gives_memory_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """No call of its own is needed for the region to go."""
    gone = threading.Event()
    plain = SpanTable.drop_region

    def drop_region(table: SpanTable, region: Region) -> None:
        plain(table, region)
        gone.set()

    monkeypatch.setattr(SpanTable, "drop_region", drop_region)
    heap = decaying()
    heap.alloc(BIG).free()
    assert gone.wait(PATIENCE_SECONDS)
    heap.close()


def test_it_ends_when_told() -> None:
    heap = decaying()
    thread = watching(heap)
    heap.stop_decay()
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()
    heap.stop_decay()  # harmless
    heap.start_decay()
    assert watching(heap) is not thread
    heap.close()


def test_it_ends_with_the_heap() -> None:
    """Closed, or dropped: it keeps none alive."""
    heap = decaying()
    closed = watching(heap)
    heap.close()
    heap = decaying()
    dropped = watching(heap)
    del heap
    gc.collect()
    for thread in (closed, dropped):
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()
        assert thread.daemon


@pytest.mark.parametrize("seconds", [None, 0])
def test_without_decay_there_is_nothing_to_come_back_to(seconds: float | None) -> None:
    heap = arenas.Heap(decay_seconds=seconds)
    with pytest.raises(arenas.InvalidRequestError, match="decay_seconds"):
        heap.start_decay()
    heap.close()
    with pytest.raises(arenas.HeapClosedError):
        heap.start_decay()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_has_one_of_its_own() -> None:
    """The parent's did not come along."""
    heap = decaying()
    parents = watching(heap)

    def look() -> None:
        mine = watching(heap)
        assert mine is not parents
        assert mine.is_alive()

    in_child(look)
    assert parents.is_alive()
    heap.close()
