"""Each section of an arena is under its lock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from arenas.record import Mover, Record
from arenas.table import SpanTable
from tests.unit._cached import Thread

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("section", "verb"),
    [
        ("bump", "bump"),
        ("put_back", "put_back"),
        ("take_back", "put_back"),
        ("reclaim_unseen", "put_back_unseen"),
        ("begin_move", "visible"),
    ],
)
def test_the_books_are_used_under_the_lock(section: str, verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever verb of theirs it is."""
    thread = Thread()
    record = thread.carve(64)
    arguments: dict[str, tuple[Any, ...]] = {
        "bump": (record, record),
        "put_back": (record,),
        "take_back": ([record],),
        "reclaim_unseen": (record.serial, record),
        "begin_move": (record, record.serial, Mover(record.serial)),
    }
    locked = []

    def use(*_: object) -> bool:
        locked.append(thread.arena.lock.locked())
        return False

    monkeypatch.setattr(Record if verb == "visible" else SpanTable, verb, use)
    getattr(thread.arena, section)(*arguments[section])
    assert locked == [True]


def test_a_record_met_twice_gives_nothing_back_of_its_successor() -> None:
    """Its span may have been carved anew."""
    thread = Thread()
    record = thread.claimed(64)
    thread.arena.put_back(record)
    successor = thread.carve(64)
    assert successor.position == record.position
    thread.arena.put_back(record)
    assert thread.arena.table.carved == {successor.position: successor}


def test_what_others_freed_serves_the_next_request() -> None:
    """It comes home before a place is looked for."""
    thread = Thread()
    (freed,) = thread.mailed(64)
    assert thread.carve(64).position == freed.position


def test_what_others_freed_comes_home_with_the_next_return() -> None:
    """An owner that only frees leaves nothing in the mailbox."""
    thread = Thread()
    record = thread.claimed(64)
    thread.mailed(64)
    thread.arena.put_back(record)
    assert not thread.arena.mailbox
    assert not thread.arena.table.carved


@pytest.mark.parametrize("section", ["take", "put_back"])
def test_what_an_interrupt_left_is_made_whole_first(section: str) -> None:
    """Before anything is taken from the books, or entered."""
    thread = Thread()
    record = thread.claimed(64)
    thread.arena.table.placement.clear()
    thread.arena._dirty = True
    if section == "take":
        thread.carve(64)
    else:
        thread.arena.put_back(record)
    thread.arena.check()


def test_what_an_interrupted_section_had_in_hand_comes_home() -> None:
    """Nothing but the books knows of it."""
    thread = Thread()
    position = thread.claimed(64).position
    thread.arena._dirty = True
    assert thread.carve(64).position == position


@pytest.mark.parametrize(("section", "verb"), [("take", "place"), ("put_back", "put_back"), ("_enter", "bump")])
def test_an_interrupted_section_is_known(section: str, verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes next finds it marked."""
    thread = Thread()
    record = thread.carve(64)

    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(SpanTable, verb, interrupt)
    sections: dict[str, Callable[[], object]] = {
        "take": lambda: thread.carve(64),
        "put_back": lambda: thread.arena.put_back(record),
        "_enter": lambda: thread.arena.bump(record, record),
    }
    with pytest.raises(KeyboardInterrupt):
        sections[section]()
    assert thread.arena._dirty


def test_what_was_parked_is_looked_at_before_a_place_is_looked_for() -> None:
    """Not every view sends word when it dies."""
    thread = Thread()
    record = thread.carve(64)
    view = record.view(64)
    assert record.claim(record.serial)
    thread.arena.put_back(record)
    assert record.parked
    del view
    assert thread.carve(64).position == record.position
