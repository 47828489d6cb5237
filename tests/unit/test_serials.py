"""A record whose span stays with a thread's cache serves one allocation after the other: each end ends its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import arenas
from arenas import lookup, lost, search
from arenas.record import Held, Record
from tests.unit._cached import Thread

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def thread() -> Thread:
    return Thread()


def ready_again(thread: Thread, record: Record) -> None:
    """What another does meanwhile: the allocation ends, and the record serves the next."""
    thread.free(record)
    assert thread.take(record.span) is record


def taken(thread: Thread, held: Held) -> Record:
    thread.kept(64)
    record = thread.take(64)
    assert record is not None
    record.held = held
    return record


def test_a_sweep_ends_what_it_found(thread: Thread, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not what its record serves by the time it is claimed."""
    record = taken(thread, Held.ARRAY)
    plain = lost.unheld

    def unheld(live: dict[int, Record]) -> list[tuple[int, Record]]:
        found = plain(live)
        assert [one for _, one in found] == [record]
        ready_again(thread, record)
        return found

    monkeypatch.setattr(search, "unheld", unheld)
    search.sweep(thread.arena.table)
    assert record.is_live


def test_a_look_at_an_array_ends_that_array(thread: Thread, monkeypatch: pytest.MonkeyPatch) -> None:
    """As above, between the look and the claim."""
    record = taken(thread, Held.ARRAY)
    serial = record.serial

    def visible(_: Record) -> bool:
        monkeypatch.undo()
        ready_again(thread, record)
        return False

    monkeypatch.setattr(Record, "visible", visible)
    assert not thread.arena.reclaim_unseen(serial, record)
    assert record.is_live


def test_late_word_of_a_drop_ends_nothing_else() -> None:
    """The word of a finalizer is read when its record serves another."""
    heap = arenas.Heap(arenas=1)
    block = heap.alloc(64)
    record, serial = block._record, block._serial
    block.free()
    successor = heap.alloc(64)
    assert successor._record is record
    heap._handle_died(record, serial)
    heap.check()
    assert not successor.released


def test_a_free_of_an_address_ends_what_it_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Freed by another thread, and allocated again, between the look-up and the claim: it was freed already."""
    heap = arenas.Heap(arenas=1)
    address = heap.malloc(64)
    plain: Callable[..., Any] = lookup.raw_record

    def raw_record(*arguments: Any) -> Any:
        found = plain(*arguments)
        monkeypatch.undo()
        heap.free(address)
        assert heap.malloc(64) == address
        return found

    monkeypatch.setattr(lookup, "raw_record", raw_record)
    with pytest.raises(arenas.DoubleFreeError):
        heap.free(address)
    assert heap.stats().live_blocks == 1
    heap.free(address)


class Interrupted(dict[Any, Any]):
    """A dict in whose first look something else happens."""

    act: Callable[[], object] | None = None

    def get(self, key: Any, default: Any = None) -> Any:
        found = super().get(key, default)
        act, self.act = self.act, None
        if act:
            act()
        return found


def test_a_length_met_twice_at_once_has_one_stock(thread: Thread) -> None:
    """By a thread, and by the handler that interrupts it: what either keeps can be taken."""
    stocks = Interrupted()
    thread.cache._stocks = stocks
    records = [thread.claimed(64), thread.claimed(64)]
    stocks.act = lambda: thread.cache.keep(records[0])
    assert thread.cache.keep(records[1])
    assert thread.ready == records
