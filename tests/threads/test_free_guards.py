"""What the ends of blocks guard against, one meeting a test."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any

import pytest

import arenas
from arenas import block as block_module
from arenas.block import Block
from arenas.line import Line, _Place
from arenas.record import Record
from tests.unit._cached import Thread

SIZE = 1000


@pytest.fixture
def heap() -> arenas.Heap:
    """A heap whose caller has a cache, at a time that stands still."""
    heap = arenas.Heap(arenas=1, clock=lambda: 100.0)
    heap.alloc(SIZE).free()
    return heap


# What a free meets


def test_a_block_that_shrinks_while_it_is_freed_serves_its_like(
    heap: arenas.Heap, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not requests of the length that it had when the free began."""
    block = heap.alloc(8 * SIZE)

    def shrink() -> int:
        monkeypatch.undo()
        block.resize(100)
        return threading.get_ident()

    monkeypatch.setattr(block_module, "get_ident", shrink)
    block.free()
    assert block.released
    stocks = heap._manager.routing.cache().stocks()
    assert all(record.span == stock.span for stock in stocks for record in stock.ready)
    heap.check()


def test_a_block_that_moves_while_it_is_freed_is_freed_where_it_is(
    heap: arenas.Heap, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it was is no answer."""
    plain = Block._pair
    with heap.scope() as scope:
        fence, block = scope.alloc(SIZE), scope.alloc(SIZE)

        def pair(self: Block) -> tuple[Record, int]:
            monkeypatch.undo()
            found = plain(self)
            self.resize(20 * SIZE)
            return found

        monkeypatch.setattr(Block, "_pair", pair)
        block.free()
        assert block.released
        assert not fence.released
    assert heap.stats().live_blocks == 0


def test_an_interrupted_look_loses_nothing(heap: arenas.Heap, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was claimed goes to whoever looks next."""
    block = heap.alloc(100)
    assert len(block.view) == 100
    block.resize(SIZE)
    assert len(block.view) == SIZE
    record = block._record

    def interrupt(_: Record) -> bool:
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(Record, "visible", interrupt)
    with pytest.raises(KeyboardInterrupt):
        block.free()
    assert list(heap._manager.arenas[0].mailbox) == [record]


def test_what_no_cache_keeps_goes_home_at_once() -> None:
    """It lies in nobody's mailbox until the next request."""
    heap = arenas.Heap(arenas=1, cache_bytes=0)
    table = heap._manager.arenas[0].table
    heap.alloc(SIZE).free()
    assert not table.mailbox
    assert not table.carved


# What two find at once


class Emptied(deque[Any]):
    """One that somebody else empties after it was looked at, and before anything is taken from it."""

    def popleft(self) -> Any:
        self.clear()
        return super().popleft()

    def __getitem__(self, index: Any) -> Any:
        self.clear()
        return super().__getitem__(index)


def test_a_mailbox_read_by_two_at_once() -> None:
    """By its owner, without the lock, and by who is inside the arena: who comes second finds nothing."""
    thread = Thread()
    thread.arena.mailbox = thread.cache.mailbox = Emptied(thread.mailed(64))
    thread.arena.check()
    thread.arena.mailbox.append(None)
    assert thread.cache.collect() == []


def test_an_inbox_read_by_two_at_once(heap: arenas.Heap) -> None:
    """Who comes second finds nothing."""
    heap._inbox = Emptied([None])
    heap.check()


def test_a_line_that_is_left_while_it_is_woken() -> None:
    """There is nobody to wake any more."""
    line = Line()
    line._places = Emptied([_Place()])
    line.wake()


def test_two_first_views_have_one_list_of_owners(heap: arenas.Heap) -> None:
    """Whoever frees looks at that one."""

    class Meeting(dict[int, list[Any]]):
        """Another thread is always a little faster."""

        def get(self, key: int, default: Any = None) -> Any:
            found = super().get(key, default)
            super().setdefault(key, [])
            return found

        def setdefault(self, key: int, default: Any = None) -> Any:
            super().setdefault(key, [])
            return super().setdefault(key, default)

    record = heap.alloc(SIZE)._record
    assert record.region is not None
    theirs: list[Any] = []
    record.region.roots = Meeting({record.position: theirs})
    assert record._make_roots() is theirs
    del record.region.roots[record.position]
    mine = record._make_roots()
    assert mine is record.region.roots[record.position]
    assert mine is record._make_roots()
