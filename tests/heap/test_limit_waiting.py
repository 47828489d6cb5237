"""Waiting for memory at the limit: who frees wakes who waits; what can never be had fails at once."""

from __future__ import annotations

import gc
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import arenas
import arenas.ends
import arenas.waiting
from tests.heap._support import assert_whole, books

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAGE = arenas.AnonymousMemory().page_bytes
LIMIT = 8 * PAGE


@pytest.fixture
def heap() -> Iterator[arenas.Heap]:
    heap = arenas.Heap(limit_bytes=LIMIT, region_bytes=16 * PAGE)
    yield heap
    assert_whole(heap)


class Waiter:
    """A thread that asks for all of a heap's memory; begun once its first try failed. Then only a wake-up helps it."""

    def __init__(self, heap: arenas.Heap, timeout: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sizes: list[int] = []
        self.errors: list[BaseException] = []
        tried = threading.Event()
        turns = heap._waiters.turns

        def watched(timeout: float | None) -> Iterator[None]:
            inner = turns(timeout)
            yield next(inner)
            tried.set()
            yield from inner

        monkeypatch.setattr(heap._waiters, "turns", watched)
        # It would look by itself now and then; here it must be told.
        monkeypatch.setattr(arenas.waiting, "_LOOK_SECONDS", 3600.0)

        def ask() -> None:
            try:
                block = heap.alloc(LIMIT, timeout=timeout)
                self.sizes.append(block.size)
                block.free()
            except arenas.ArenaError as error:
                self.errors.append(error)

        self.thread = threading.Thread(target=ask, daemon=True)
        self.thread.start()
        assert tried.wait(30)

    def finish(self) -> None:
        """It ended; served, unless it met an error."""
        self.thread.join(30)
        assert not self.thread.is_alive()
        assert self.sizes == ([] if self.errors else [LIMIT])


def freed(heap: arenas.Heap) -> tuple[Any, Callable[[Any], None]]:
    return heap.alloc(LIMIT), lambda block: block.free()


def freed_address(heap: arenas.Heap) -> tuple[Any, Callable[[Any], None]]:
    return heap.malloc(LIMIT), heap.free


def reset(heap: arenas.Heap) -> tuple[Any, Callable[[Any], None]]:
    return heap.alloc(LIMIT), lambda _: heap.reset()


@pytest.mark.parametrize("timeout", [None, 60])
@pytest.mark.parametrize("hold", [freed, freed_address, reset])
def test_a_waiter_gets_what_another_thread_frees(
    heap: arenas.Heap, hold: Any, timeout: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request with a timeout, or None, waits until another thread frees, and is then served."""
    held, end = hold(heap)
    waiter = Waiter(heap, timeout, monkeypatch)
    end(held)
    waiter.finish()


@pytest.mark.parametrize("end", ["free", "free of what no cache keeps", "address", "drop", "last view"])
def test_every_end_leaves_word_for_who_waits(heap: arenas.Heap, end: str) -> None:
    """Registered before its first look, a waiter is woken by whatever ends after it, and looks a second time."""
    blocks = [heap.alloc(1000, tag="mine" if end == "free of what no cache keeps" else None)]
    address = heap.malloc(1000)
    views = [blocks[0].view] if end == "last view" else []
    if views:
        blocks.pop().free()
    turns = heap._waiters.turns(60)
    next(turns)
    (reference,) = heap._waiters._queues.values()
    mine = reference()
    assert mine is not None
    assert mine.empty()
    heap._manager.await_memory(awaited=True)
    if end.startswith("free"):
        blocks[0].free()
    if end == "address":
        heap.free(address)
    else:
        views.clear()
        blocks.clear()
    assert not mine.empty()
    next(turns)
    assert mine.empty()
    turns.close()
    heap._manager.await_memory(awaited=False)
    if end != "address":
        heap.free(address)


def test_a_waiter_gets_what_another_thread_drops(heap: arenas.Heap, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits for a handle to be dropped, too."""
    held = [heap.alloc(LIMIT)]
    waiter = Waiter(heap, None, monkeypatch)
    held.clear()
    waiter.finish()


def test_a_waiter_gets_what_a_last_view_showed(heap: arenas.Heap, monkeypatch: pytest.MonkeyPatch) -> None:
    """A freed block whose view is alive is no memory yet; when the view dies the waiter gets it."""
    block = heap.alloc(LIMIT)
    views = [block.view]
    block.free()
    waiter = Waiter(heap, None, monkeypatch)
    assert books(heap).parked_bytes == LIMIT
    views.clear()
    waiter.finish()


def test_a_waiter_learns_that_the_heap_was_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A waiter for ever ends with HeapClosedError when the heap is closed."""
    heap = arenas.Heap(limit_bytes=LIMIT)
    kept = heap.alloc(LIMIT)
    waiter = Waiter(heap, None, monkeypatch)
    heap.close()
    waiter.finish()
    assert [type(error) for error in waiter.errors] == [arenas.HeapClosedError]
    assert kept.released


def test_a_waiter_looks_by_itself(heap: arenas.Heap, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slice that dies after its view sends no word: the waiter finds it by itself."""
    block = heap.alloc(LIMIT)
    views = [block.view[1:2]]
    block.free()
    waiter = Waiter(heap, None, monkeypatch)
    monkeypatch.setattr(arenas.waiting, "_LOOK_SECONDS", 0.01)
    heap._waiters.wake()
    views.clear()
    waiter.finish()


def test_when_time_runs_out(heap: arenas.Heap) -> None:
    """When the timeout has passed a request fails as one without; the heap is as it was."""
    block = heap.alloc(LIMIT)
    before = time.monotonic()
    with pytest.raises(arenas.OutOfMemoryError, match=f"{LIMIT}"):
        heap.alloc(1, timeout=0.1)
    assert time.monotonic() - before >= 0.1
    assert books(heap).live_blocks == 1
    block.free()


def timeouts_of(heap: arenas.Heap, monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """How long each request that found no memory is going to wait, as it is decided."""
    seen: list[float | None] = []
    turns = heap._waiters.turns

    def watched(timeout: float | None) -> Iterator[None]:
        seen.append(timeout)
        return turns(0)

    monkeypatch.setattr(heap._waiters, "turns", watched)
    return seen


def test_what_can_never_be_had_fails_at_once(heap: arenas.Heap, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request above the limit does not wait for what cannot come, not even for ever."""
    seen = timeouts_of(heap, monkeypatch)
    with pytest.raises(arenas.OutOfMemoryError, match=f"{LIMIT + 1} bytes"):
        heap.alloc(LIMIT + 1, timeout=None)
    assert seen == [0]


def test_an_address_space_is_waited_for_likewise(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is longer than a whole address space fails at once; what would fit into an empty one is waited for."""
    heap = arenas.Heap(backing=arenas.AddressSpace(100))
    kept = heap.alloc(60)
    seen = timeouts_of(heap, monkeypatch)
    for size in (101, 100, 60):
        with pytest.raises(arenas.OutOfMemoryError, match=f"{size} bytes"):
            heap.alloc(size, timeout=None)
    assert seen == [0, None, None]
    kept.free()


class Collector:
    """Stands in for gc: counts collections and frees what the test put into it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self.garbage: list[Any] = []
        monkeypatch.setattr(gc, "collect", self.collect)

    def collect(self, *_: Any) -> int:
        self.count += 1
        self.garbage.clear()
        return 0


class FakeTime:
    """Stands in for the time module where the rate of collections is decided."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(arenas.ends, "time", self)

    def monotonic(self) -> float:
        return self.now


def test_without_a_timeout_nothing_is_collected(heap: arenas.Heap, monkeypatch: pytest.MonkeyPatch) -> None:
    """timeout=0 never calls gc.collect(), however often it fails."""
    FakeTime(monkeypatch)
    collector = Collector(monkeypatch)
    kept = heap.alloc(LIMIT)
    for _ in range(5):
        with pytest.raises(arenas.OutOfMemoryError):
            heap.alloc(1)
        with pytest.raises(arenas.OutOfMemoryError):
            kept.resize(2 * LIMIT)
    assert collector.count == 0
    kept.free()


def test_with_a_timeout_garbage_is_collected(heap: arenas.Heap, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that may wait has garbage collected, and is served by what a cycle held."""
    FakeTime(monkeypatch)
    collector = Collector(monkeypatch)
    collector.garbage.append(heap.alloc(LIMIT))
    assert heap.alloc(LIMIT, timeout=60).size == LIMIT
    assert collector.count == 1


def test_what_was_collected_serves_the_same_turn(heap: arenas.Heap, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits looks once, collects, and looks again: there need not be a third time."""
    FakeTime(monkeypatch)
    collector = Collector(monkeypatch)
    collector.garbage.append(heap.alloc(LIMIT))
    monkeypatch.setattr(heap._waiters, "turns", lambda timeout: (None for _ in range(2)))
    assert heap.alloc(LIMIT, timeout=60).size == LIMIT


def test_at_most_one_collection_a_second(heap: arenas.Heap, monkeypatch: pytest.MonkeyPatch) -> None:
    """gc.collect() is called at most once a second, by however many requests."""
    clock = FakeTime(monkeypatch)
    collector = Collector(monkeypatch)
    kept = heap.alloc(LIMIT)
    counts = []
    for now in (1000.0, 1000.5, 1000.99, 1001.0, 1001.5, 1002.5):
        clock.now = now
        with pytest.raises(arenas.OutOfMemoryError):
            heap.alloc(1, timeout=0.12)
        counts.append(collector.count)
    assert counts == [1, 1, 1, 2, 2, 3]
    kept.free()
