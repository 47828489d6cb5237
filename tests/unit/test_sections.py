"""Each section of an arena is under its lock."""

from __future__ import annotations

from typing import Any

import pytest

from arenas.record import Mover, Record
from arenas.table import SpanTable
from tests.unit._cached import Thread


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
