"""What the caches' protocols guard against, one meeting a test."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from math import inf
from typing import TYPE_CHECKING, Any

import pytest

import arenas
from arenas import arena as arena_module
from arenas import upkeep
from arenas.decay import Decay
from arenas.errors import ArenaBusyError
from arenas.lost import stray
from arenas.pool import Pool
from tests.threads.helpers import PATIENCE_SECONDS, elsewhere
from tests.unit._cached import Thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from arenas.table import SpanTable

SIZE = 1000
PAGE = 4096


class Forbidding:
    """A lock that can be forbidden to be taken."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.forbidden = False
        self.taken = 0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        assert not self.forbidden
        self.taken += 1
        return self._lock.acquire(blocking, timeout)

    def release(self) -> None:
        self._lock.release()

    def locked(self) -> bool:
        return self._lock.locked()

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


@pytest.fixture
def lock() -> Forbidding:
    return Forbidding()


@pytest.fixture
def heap(lock: Forbidding) -> arenas.Heap:
    """A heap whose caller has a cache, in front of an arena with a known lock, at a time that stands still."""
    heap = arenas.Heap(arenas=1, lock_factory=lambda: lock, clock=lambda: 100.0)
    heap.alloc(SIZE).free()
    return heap


@pytest.fixture
def owner() -> Iterator[ThreadPoolExecutor]:
    """Another thread, which goes on until the test is over."""
    with ThreadPoolExecutor(1) as owner:
        yield owner


# Locks and mailboxes


def test_what_came_back_serves_its_owner_without_the_lock(heap: arenas.Heap, lock: Forbidding) -> None:
    """The mailbox is emptied into the cache on the way to the arena."""
    block = heap.alloc(SIZE)
    offset = block.offset
    elsewhere(block.free)
    lock.forbidden = True
    assert heap.alloc(SIZE).offset == offset
    lock.forbidden = False


def test_what_a_full_cache_gives_back_goes_under_the_lock() -> None:
    """So does all that changes the books."""
    thread = Thread()
    kept = thread.kept(64)
    lock = thread.arena.lock = Forbidding()  # type: ignore[assignment]
    table = thread.arena.table
    plain = table.placement.give

    class Watching:
        """Stands for the placement."""

        def __getattr__(self, name: str) -> Any:
            return getattr(placement, name)

        def give(self, position: int, size: int) -> tuple[int, int]:
            assert lock.locked()
            return plain(position, size)

    placement = table.placement
    table.placement = Watching()  # type: ignore[assignment]
    thread.give_back(list(thread.cache.emptied()))
    assert kept.position not in table.carved


def test_what_a_full_cache_gives_back_to_a_busy_arena_is_mailed(
    heap: arenas.Heap, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A handler cannot wait for what it interrupted: that finds it."""
    cache = heap._manager.routing.cache()
    (arena,) = heap._manager.arenas

    def busy(_: object) -> None:
        raise ArenaBusyError

    monkeypatch.setattr(arena_module.Arena, "take_back", lambda *_: busy(_))
    records = list(cache.emptied())
    heap._manager._take_back(cache, records)
    assert records
    assert list(arena.mailbox) == records


def test_what_was_collected_has_come_home(heap: arenas.Heap) -> None:
    """What the collector finds has ended by the time it has looked."""

    class Cycle:
        def __init__(self) -> None:
            self.me = self
            self.block = heap.alloc(SIZE)

    Cycle()
    heap._manager.last_collection = -inf
    heap._collect()
    assert not heap._inbox
    assert not heap._manager.arenas[0].table.live


# Caches that are emptied


def test_a_reset_empties_the_caches(heap: arenas.Heap) -> None:
    """All memory is free to all again."""
    heap.reset()
    assert heap.stats().cached_bytes == 0


def test_what_lies_idle_in_a_cache_decays() -> None:
    """As any free page does, at the first call that is late enough."""
    now = [100.0]
    heap = arenas.Heap(arenas=1, decay_seconds=8.0, clock=lambda: now[0])
    heap.alloc(SIZE).free()
    for _ in range(20):
        now[0] += 1.0
        heap.stats()
    assert heap._manager.arenas[0].table.carved == {}


def test_caches_keep_again_when_nobody_waits() -> None:
    """Whether the waiter has said so, or was interrupted before it could."""
    heap = arenas.Heap(arenas=1, limit_bytes=64 * PAGE, clock=lambda: 100.0)
    heap.alloc(SIZE).free()
    cache = heap._manager.routing.cache()
    held = [heap.alloc(PAGE) for _ in range(60)]
    with pytest.raises(arenas.OutOfMemoryError):
        heap.alloc(32 * PAGE, timeout=0.001)
    assert [cache.awaited] == [False]
    heap._manager.await_memory(awaited=True)
    held.pop().free()
    assert [cache.awaited] == [False]


# What a cache may hold


def test_what_a_neighbour_lent_goes_back_to_it() -> None:
    """A span of another's arena does not stay in this thread's cache."""
    heap = arenas.Heap(clock=lambda: 100.0)
    heap.alloc(SIZE).free()
    mine = heap._manager.routing.cache()
    other = heap._manager._new_arena()
    block = heap._unserved(heap._request(SIZE, None, None))
    assert other.take(block._record, grow=True)
    block._serial = block._record.serial
    heap._manager.assign(block._record)
    block.free()
    assert all(record.arena_number == mine.arena_number for stock in mine.stocks() for record in stock.ready)


def test_a_span_of_another_length_serves_its_like(heap: arenas.Heap) -> None:
    """Not requests of the length that it had before it grew or shrank."""
    block = heap.alloc(8 * SIZE)
    block.resize(100)
    block.free()
    cache = heap._manager.routing.cache()
    assert all(record.span == stock.span for stock in cache.stocks() for record in stock.ready)


def test_a_tag_is_not_passed_on(heap: arenas.Heap) -> None:
    """A span from the cache that was given a tag loses it there again."""
    heap.alloc(SIZE).free()
    heap.alloc(SIZE, tag="mine").free()
    assert heap.alloc(SIZE).tag is None


def test_every_owner_of_a_view_is_looked_at(heap: arenas.Heap) -> None:
    """A block that grew has a view of another owner than before."""
    block = heap.alloc(100)
    del_me = block.view
    del del_me
    block.resize(SIZE)
    view = block.view
    assert len(block._record.roots or ()) == 2
    view[:] = b"\x01" * SIZE
    block.free()
    others = [heap.alloc(SIZE) for _ in range(3)]
    for other in others:
        other.view[:] = b"\xff" * SIZE
    assert view == b"\x01" * SIZE


# The end of a heap


@pytest.mark.parametrize("late", [False, True])
def test_what_was_taken_while_the_heap_closed_is_refused(
    owner: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch, late: bool
) -> None:
    """Its thread takes from its cache while another closes the heap, just before the caches are emptied or the books
    closed.
    """
    heap = arenas.Heap(clock=lambda: 100.0)
    blocks: list[arenas.Block] = []
    owner.submit(lambda: heap.alloc(SIZE).free()).result(PATIENCE_SECONDS)
    plain = arena_module.flush
    reached = []

    def flush(table: SpanTable) -> None:
        if late:
            plain(table)
        monkeypatch.undo()
        reached.append(len([record for cache in table.caches for stock in cache.stocks() for record in stock.ready]))
        with pytest.raises(arenas.HeapClosedError):
            owner.submit(lambda: blocks.append(heap.alloc(SIZE))).result(PATIENCE_SECONDS)
        plain(table)

    monkeypatch.setattr(arena_module, "flush", flush)
    heap.close()
    assert reached == [0 if late else 1]
    assert not blocks


def test_a_cache_that_ticks_during_the_close_is_closed(heap: arenas.Heap, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tick had asked the clock already."""
    cache = heap._manager.routing.cache()

    def due(_: Decay, now: float) -> float:
        monkeypatch.undo()
        heap.close()
        return now + 1

    monkeypatch.setattr(Decay, "due", due)
    heap._manager.tick()
    assert cache.due == -inf


def test_an_arena_made_while_the_heap_closed_is_closed(heap: arenas.Heap) -> None:
    """It was made before, and entered after."""
    manager = heap._manager
    (first,) = manager.arenas
    made = manager._make_arena(type(first.table.placement)(), first._growth)
    heap.close()
    manager._enter(made)
    assert made.table.closed


# What was lost


def test_what_is_ready_or_in_hand_is_not_lost() -> None:
    """Whether it lies in a cache, or another thread's frame has it."""
    thread = Thread()
    kept, in_hand = thread.kept(64), thread.claimed(64)
    assert stray(thread.arena.table.carved) == []
    del kept
    assert stray(thread.arena.table.carved) == []
    serial = in_hand.serial
    del in_hand
    assert [record.serial for record in stray(thread.arena.table.carved)] == [serial]


def test_what_is_live_or_parked_is_not_stray() -> None:
    """Though nothing else refers to it: not what the tables have by another name."""
    thread = Thread()
    table = thread.arena.table
    record = thread.carve(64)
    table.carved[record.position] = record
    table.live[record.serial] = record
    serials = dict.fromkeys(table.live)
    assert stray(table.carved) == []
    view = record.view(64)
    thread.give_back([record] if record.claim(record.serial) else [])
    assert table.parked
    del record
    assert stray(table.carved) == []
    assert serials
    assert view is not None


def test_what_was_lost_out_of_a_cache_is_found(heap: arenas.Heap) -> None:
    """By an interrupt after it was taken from the cache, and before it was entered anywhere."""
    cache = heap._manager.routing.cache()
    assert [stock.ready.pop().span for stock in cache.stocks() if stock.ready]
    assert heap._manager.arenas[0].table.carved
    heap.stats()
    assert not heap._manager.arenas[0].table.carved


# Once only


def test_decay_is_started_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often it is asked for."""
    started: list[object] = []
    monkeypatch.setattr(upkeep._Watch, "start", lambda watch: started.append(watch))
    heap = arenas.Heap(decay_seconds=60.0)
    heap.start_decay()
    heap.start_decay()
    assert len(started) == 1


def test_what_a_handler_took_from_a_pool_is_its_own(heap: arenas.Heap, monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes while the code that it interrupts is about to have the same array."""
    pytest.importorskip("numpy")
    pool = heap.pool(SIZE, "u1", 2)
    plain: Callable[..., Any] = Pool._lease_of
    taken = []

    def lease_of(self: Pool, index: int) -> Any:
        monkeypatch.undo()
        taken.append(self.get())
        return plain(self, index)

    monkeypatch.setattr(Pool, "_lease_of", lease_of)
    array = pool.get()
    assert array.ctypes.data != taken[0].ctypes.data


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
