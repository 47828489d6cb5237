"""A thread's cache and its thread, and what a heap promises of its caches."""

from __future__ import annotations

import gc
import threading
import weakref
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from arenas import Heap
from arenas.record import Held
from tests.unit._cached import LEAST, ROOM, Nobody, Thread

if TYPE_CHECKING:
    from collections.abc import Callable

    from arenas.cache import Cache


@pytest.fixture
def thread() -> Thread:
    return Thread()


# Its thread, and what it counts


def test_it_ends_with_its_thread(thread: Thread) -> None:
    """At once; and with the next thread that enters it begins again, with all that is in it."""
    record = thread.kept(64)
    assert [thread.cache.ended, thread.cache.ident] == [False, threading.get_ident()]
    thread.state = None
    assert [thread.cache.ended] == [True]
    state = Nobody()
    idents: list[int] = []

    def enter() -> None:
        thread.cache.enter(weakref.ref(state))
        idents.append(threading.get_ident())

    other = threading.Thread(target=enter)
    other.start()
    other.join()
    assert [thread.cache.ended] == [False]
    assert [thread.cache.ident] == idents
    assert thread.take(64) is record


def test_what_a_thread_that_has_ended_left_comes_home(thread: Thread) -> None:
    """To its arena, with the next look at that."""
    thread.kept(64)
    assert thread.arena.stats().cached_bytes == 64
    thread.state = None
    assert thread.arena.stats().cached_bytes == 0


def test_a_closed_one_is_left_at_the_next_call(thread: Thread) -> None:
    """Whatever its serial is by then."""
    thread.cache.checkpoint = thread.cache.serial + 10
    thread.cache.close()
    assert not thread.cache.serial + 1 < thread.cache.checkpoint


def test_allocations_are_counted_by_their_serials(thread: Thread) -> None:
    """Each is unique to the heap: no serial of the arena's own is among them."""
    carved = [thread.kept(64).serial for _ in range(5)]
    taken = [record.serial for _ in range(3) if (record := thread.take(64)) is not None]
    assert thread.cache.allocations == len(taken) == 3
    assert not set(taken) & set(carved)
    assert thread.arena.stats().allocations == 8


def test_a_dropped_handle_is_counted_once(thread: Thread) -> None:
    """Whether its span stays here or goes back to the arena."""
    assert thread.cache.keep(thread.claimed(64, Held.DROPPED))
    assert thread.cache.keep(thread.claimed(64))
    refused = thread.claimed(100, Held.DROPPED)
    assert not thread.cache.keep(refused)
    thread.give_back([refused])
    assert (thread.cache.dropped, thread.arena.stats().dropped) == (1, 2)


def test_its_memory_is_counted(thread: Thread) -> None:
    """More with each length and each span; the lists are counted, the records are the arena's."""
    figures = [thread.cache.metadata_bytes]
    for span in (64, 128, 4096):
        for _ in range(10):
            thread.kept(span)
        figures.append(thread.cache.metadata_bytes)
    assert figures == sorted(set(figures))
    assert figures[0] > 0
    # A pointer each at least, and not what a record takes.
    assert 30 * 8 < figures[-1] - figures[0] < 30 * 100
    assert thread.arena.stats().metadata_bytes > figures[-1]


# In front of a heap


def test_a_heap_serves_warm_memory_first() -> None:
    with Heap() as heap:
        blocks = [heap.alloc(1000) for _ in range(5)]
        addresses = [block.address for block in blocks]
        for block in blocks:
            block.free()
        assert [block.address for block in [heap.alloc(1000) for _ in range(5)]] == addresses[::-1]


@pytest.mark.parametrize("size", [1, 1000, 4096, 16384, 16385])
def test_a_heaps_thread_keeps_no_more_than_was_allowed(size: int) -> None:
    """After every one of many frees, its own, dropped ones, and those of others; what is too long is not kept at
    all.
    """
    with Heap(cache_bytes=ROOM) as heap:
        blocks = [heap.alloc(size) for _ in range(150)]
        for number in count():
            if not blocks:
                break
            block = blocks.pop()
            if number % 3 == 0:
                block.free()
            elif number % 3 == 1:
                other = threading.Thread(target=block.free)
                other.start()
                other.join()
            del block
            stats = heap.stats()
            assert stats.cached_bytes <= (ROOM if size <= ROOM // 4 else 0)
            assert stats.cached_bytes // -(-size // 64 * 64) <= ROOM // LEAST
        heap.check()


def collected(function: Callable[[], Any]) -> Any:
    """What it returns, with the collector off."""
    gc.disable()
    try:
        return function()
    finally:
        gc.enable()


def test_a_full_cache_does_not_outlive_its_heap() -> None:
    """Nor does the memory behind it wait for the collector."""

    def memory() -> bool:
        heap = Heap()
        blocks = [heap.alloc(1000) for _ in range(10)]
        while blocks:
            blocks.pop().free()
        assert heap.stats().cached_bytes == 10 * 1024
        mapping = heap._manager.arenas[0].table.regions[0].mapping
        whole = weakref.ref(mapping._mmap)  # type: ignore[union-attr]
        del mapping, heap
        return whole() is None

    assert collected(memory)


def cache_of(heap: Heap) -> Cache:
    return heap._manager.routing.cache()


def test_a_heap_without_caches_keeps_nothing() -> None:
    for heap in (Heap(cache_bytes=0), Heap(decay_seconds=0)):
        heap.alloc(1000).free()
        assert heap.stats().cached_bytes == 0
        assert cache_of(heap).room_bytes == 0
        assert cache_of(heap).allocations == 0
        heap.close()


def test_without_room_it_keeps_nothing() -> None:
    thread = Thread(room_bytes=0)
    assert not thread.cache.keep(thread.claimed(64))
    assert thread.ready == []
