"""What the caches' protocols guard against, one meeting a test."""

from __future__ import annotations

import threading
from math import inf
from typing import Any

import pytest

import arenas
from arenas import arena as arena_module
from arenas.errors import ArenaBusyError
from arenas.lost import stray
from arenas.manager import Manager
from arenas.record import Mover
from tests.threads.helpers import elsewhere
from tests.unit._cached import Thread

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


# Locks and mailboxes


def test_what_came_back_serves_its_owner_without_the_lock(heap: arenas.Heap, lock: Forbidding) -> None:
    """The mailbox is emptied into the cache on the way to the arena."""
    block = heap.alloc(SIZE)
    offset = block.offset
    elsewhere(block.free)
    lock.forbidden = True
    assert heap.alloc(SIZE).offset == offset
    lock.forbidden = False


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


def test_a_view_that_its_maker_did_not_drop_is_gone_when_it_has_looked(heap: arenas.Heap) -> None:
    """Without the GIL it waits for its maker, who waits here: a resize finds it gone all the same."""
    made: list[Any] = []
    ready, done = threading.Event(), threading.Event()

    def make() -> None:
        made.append(heap.alloc(SIZE))
        made.append(made[0].view)
        ready.set()
        done.wait(timeout=60)

    maker = threading.Thread(target=make)
    maker.start()
    ready.wait(timeout=60)
    del made[1]
    heap._manager.last_collection = -inf
    try:
        made[0].resize(3 * SIZE)
    finally:
        done.set()
        maker.join()
    assert made[0].size == 3 * SIZE


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


def test_caches_know_of_the_waiter_that_is_left() -> None:
    """One of two gives up; the other still waits."""
    heap = arenas.Heap(arenas=1, limit_bytes=64 * PAGE, clock=lambda: 100.0)
    held = [heap.alloc(PAGE) for _ in range(60)]
    cache = heap._manager.routing.cache()
    turns = heap._waiters.turns(None)
    next(turns)
    with pytest.raises(arenas.OutOfMemoryError):
        heap.alloc(32 * PAGE, timeout=0.001)
    assert [cache.awaited] == [True]
    turns.close()
    held.clear()


def test_a_waiter_that_comes_while_the_caches_are_told_is_known(
    heap: arenas.Heap, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waited when they began to be told."""
    plain = Manager.await_memory
    waiters = []

    def await_memory(manager: Manager, awaited: bool) -> None:
        monkeypatch.undo()
        waiters.append(heap._waiters.turns(None))
        next(waiters[0])
        plain(manager, awaited)

    heap.alloc(SIZE).free()
    monkeypatch.setattr(Manager, "await_memory", await_memory)
    heap._tell_caches()
    assert [heap._manager.routing.cache().awaited] == [True]
    waiters.pop().close()


def test_while_memory_is_awaited_a_free_leaves_nothing_behind(heap: arenas.Heap) -> None:
    """Nor does what was there before it."""
    blocks = [heap.alloc(SIZE) for _ in range(3)]
    blocks.pop().free()
    cache = heap._manager.routing.cache()
    waiter = heap._waiters.turns(None)
    next(waiter)
    heap._tell_caches()
    assert [cache.awaited] == [True]
    blocks.pop().free()
    assert not any(stock.ready for stock in cache.stocks())
    waiter.close()
    heap._tell_caches()
    blocks.pop().free()
    assert any(stock.ready for stock in cache.stocks())


def test_relief_takes_back_what_threads_keep_ready(heap: arenas.Heap) -> None:
    """Whoever asks for it."""
    elsewhere(heap._manager.drain)
    assert not heap._manager.arenas[0].table.carved


# What a cache may hold


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
    """A span that served a block which grew has views of another owner than before."""
    block = heap.alloc(100)
    assert len(block.view) == 100
    block.resize(SIZE)
    assert len(block.view) == SIZE
    block.free()
    block = heap.alloc(SIZE)
    view = block.view
    assert len(block._record.roots or ()) == 2
    view[:] = b"\x01" * SIZE
    block.free()
    others = [heap.alloc(SIZE) for _ in range(3)]
    for other in others:
        other.view[:] = b"\xff" * SIZE
    assert view == b"\x01" * SIZE


def test_a_block_freed_in_the_middle_of_a_move_is_not_ready(heap: arenas.Heap) -> None:
    """Who moves it still reads its memory."""
    block = heap.alloc(SIZE)
    block._record.phase = Mover(block._serial)
    block.free()
    assert not any(stock.ready for stock in heap._manager.routing.cache().stocks())


def test_a_resize_that_comes_too_late_bars_nobody(heap: arenas.Heap) -> None:
    """Its allocation was freed, and the record serves another."""
    block = heap.alloc(SIZE)
    serial = block._serial
    block.free()
    successor = heap.alloc(SIZE)
    successor._record.phase = Mover(serial)
    assert len(successor.view) == SIZE
    successor._record.phase = Mover(successor._serial)
    with pytest.raises(BufferError, match="resized"):
        _ = successor.view
    successor._record.phase = None


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


def test_what_was_lost_out_of_a_cache_is_found(heap: arenas.Heap) -> None:
    """By an interrupt after it was taken from the cache, and before it was entered anywhere."""
    cache = heap._manager.routing.cache()
    assert [stock.ready.pop().span for stock in cache.stocks() if stock.ready]
    assert heap._manager.arenas[0].table.carved
    heap.stats()
    assert not heap._manager.arenas[0].table.carved
