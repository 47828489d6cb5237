"""What the end of a heap, and of what lives in it, guards against, one meeting a test."""

from __future__ import annotations

import queue
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

import arenas
from arenas import arena as arena_module
from arenas import search, upkeep
from arenas.pool import Pool
from arenas.record import Record
from tests.threads.helpers import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from arenas.cache import Cache
    from arenas.table import SpanTable

SIZE = 1000


@pytest.fixture
def heap() -> arenas.Heap:
    """A heap whose caller has a cache, at a time that stands still."""
    heap = arenas.Heap(arenas=1, clock=lambda: 100.0)
    heap.alloc(SIZE).free()
    return heap


@pytest.fixture
def owner() -> Iterator[ThreadPoolExecutor]:
    """Another thread, which goes on until the test is over."""
    with ThreadPoolExecutor(1) as owner:
        yield owner


# The end of a heap


def test_what_was_taken_while_the_heap_closed_is_refused(
    owner: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its thread takes from its cache while another closes the heap: after all has ended, before that is emptied."""
    heap = arenas.Heap(clock=lambda: 100.0)
    blocks: list[arenas.Block] = []

    def warm_up() -> None:
        for _ in range(3):
            heap.alloc(SIZE).free()

    owner.submit(warm_up).result(PATIENCE_SECONDS)
    reached = []

    def flush(table: SpanTable) -> None:
        monkeypatch.undo()
        reached.extend([record for cache in table.caches for stock in cache.stocks() for record in stock.ready])
        with pytest.raises(arenas.HeapClosedError):
            owner.submit(lambda: blocks.append(heap.alloc(SIZE))).result(PATIENCE_SECONDS)
        search.flush(table)

    monkeypatch.setattr(arena_module, "flush", flush)
    heap.close()
    assert len(reached) == 1
    assert not blocks


def test_a_thread_at_its_checkpoint_during_the_close_is_told(
    heap: arenas.Heap, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had found it reached, and had not asked any further."""

    def look_up(whole: arenas.Heap, cache: Cache) -> None:
        monkeypatch.undo()
        heap.close()
        whole._look_up(cache)

    heap._here.cache.checkpoint = 0
    monkeypatch.setattr(arenas.Heap, "_look_up", look_up)
    for _ in range(3):
        with pytest.raises(arenas.HeapClosedError):
            heap.alloc(SIZE)


def test_what_a_thread_had_in_hand_at_the_close_is_not_served(heap: arenas.Heap) -> None:
    """However often it asks."""
    cache = heap._here.cache
    blocks = [heap.alloc(SIZE) for _ in range(5)]
    for block in blocks:
        block.free()
    (stock,) = cache.stocks()
    in_hand = [stock.ready.pop() for _ in range(5)]
    heap.close()
    stock.ready.extend(in_hand)
    for _ in range(5):
        with pytest.raises(arenas.HeapClosedError):
            heap.alloc(SIZE)


def test_a_close_during_a_look_is_not_forgotten(heap: arenas.Heap, monkeypatch: pytest.MonkeyPatch) -> None:
    """It came after the thread had asked, and before that went on."""
    cache = heap._here.cache
    plain: Callable[[arenas.Heap], None] = arenas.Heap._begin

    def begin(whole: arenas.Heap) -> None:
        plain(whole)
        cache.close()

    monkeypatch.setattr(arenas.Heap, "_begin", begin)
    cache.close()
    heap.alloc(SIZE)
    assert cache.serial + 1 >= cache.checkpoint


def test_what_is_entered_after_the_heap_has_closed_is_refused(heap: arenas.Heap) -> None:
    """It was taken before; all that was entered by then has ended."""

    class Closing(dict[int, Record]):
        def __setitem__(self, serial: int, record: Record) -> None:
            heap.close()
            super().__setitem__(serial, record)

    cache = heap._here.cache
    cache.checkpoint = cache.serial + 10
    cache.live = Closing()
    with pytest.raises(arenas.HeapClosedError):
        heap.alloc(SIZE)
    assert cache.live


def test_an_arena_made_while_the_heap_closed_is_closed(heap: arenas.Heap) -> None:
    """It was made before, and entered after."""
    manager = heap._manager
    (first,) = manager.arenas
    made = manager._make_arena(type(first.table.placement)(), first._growth)
    heap.close()
    manager._enter(made)
    assert made.table.closed


# Once only


def test_decay_is_started_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often it is asked for."""
    started: list[object] = []

    def start(watch: object) -> None:
        started.append(watch)

    monkeypatch.setattr(upkeep._Watch, "start", start)
    heap = arenas.Heap(decay_seconds=60.0)
    heap.start_decay()
    heap.start_decay()
    assert len(started) == 1


def test_what_a_handler_took_from_a_pool_is_its_own(heap: arenas.Heap, monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes while the code that it interrupts is about to have the same array."""
    pytest.importorskip("numpy")
    pool = heap.pool(SIZE, "u1", 1)
    plain: Callable[..., Any] = Pool._lease_of
    taken = []

    def lease_of(self: Pool, *arguments: Any) -> Any:
        monkeypatch.undo()
        taken.append(self.get(0))
        return plain(self, *arguments)

    monkeypatch.setattr(Pool, "_lease_of", lease_of)
    with pytest.raises(arenas.PoolTimeoutError):
        pool.get(0)
    assert taken


def test_the_end_of_a_heap_reaches_who_waits_for_a_pool(heap: arenas.Heap) -> None:
    """And nobody is served after it."""
    pytest.importorskip("numpy")
    pool = heap.pool(SIZE, "u1", 1)
    array = pool.get()
    place: queue.SimpleQueue[None] = queue.SimpleQueue()

    class Head:
        """Stands for one that waits."""

        words = place
        thread = 0

    pool._line._places.append(Head())  # type: ignore[arg-type]
    heap.reset()
    assert place.qsize() == 1
    pool._line._places.clear()
    del array
    with pytest.raises(arenas.HeapClosedError):
        pool.get(0)


def test_a_pool_serves_who_came_first(heap: arenas.Heap) -> None:
    """An array is ready; and yet one who comes now is behind another."""
    pytest.importorskip("numpy")
    pool = heap.pool(SIZE, "u1", 1)

    class Head:
        """Stands for one that waits, and has looked."""

        words: queue.SimpleQueue[None] = queue.SimpleQueue()
        thread = 0
        in_vain = True

    pool._line._places.append(Head())  # type: ignore[arg-type]
    with pytest.raises(arenas.PoolTimeoutError):
        pool.get(0)
