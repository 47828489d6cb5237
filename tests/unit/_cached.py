"""A thread with a cache, at work as allocations and frees are, one step at a time."""

from __future__ import annotations

import weakref

from arenas.record import Held, Record, terms
from tests.unit._fakes import make_arena, make_cache

ROOM = 1 << 16
LEAST = 1024  # what a short span counts for


class Nobody:
    """What a thread's state is to its cache."""


class Thread:
    """An arena and a thread's cache in front of it."""

    def __init__(self, room_bytes: int = ROOM, alignment: int = 64) -> None:
        self.arena = make_arena(3)
        self.state: Nobody | None = Nobody()
        self.alignment = alignment
        self.cache = make_cache(self.arena, weakref.ref(self.state), room_bytes=room_bytes, alignment=alignment)

    def carve(self, span: int, held: Held = Held.HANDLE, alignment: int | None = None) -> Record:
        """A live record."""
        record = Record(span, span, terms(held, self.alignment if alignment is None else alignment, None))
        assert self.arena.take(record, grow=True)
        record.phase = None
        return record

    def claimed(self, span: int, held: Held = Held.HANDLE) -> Record:
        record = self.carve(span, held)
        assert record.claim(record.serial)
        return record

    def kept(self, span: int) -> Record:
        record = self.claimed(span)
        assert self.cache.keep(record)
        return record

    def mailed(self, *spans: int) -> list[Record]:
        """Freed by another thread, in this order."""
        records = [self.claimed(span) for span in spans]
        self.arena.mailbox.extend(records)
        return records

    def take(self, size: int) -> Record | None:
        """As an allocation does; None where the cache has nothing of this length."""
        ready = self.cache.bins.get(size - 1 >> self.cache.shift)
        if not ready:
            return None
        record = ready.pop()
        record.serial = self.cache.serial = self.cache.serial + 1
        self.cache.live[record.serial] = record
        return record

    def free(self, record: Record) -> None:
        """As its own thread does, which looks up only when the room is used up."""
        assert record.claim(record.serial)
        record.stock.ready.append(record)
        self.cache.room -= record.stock.charge
        if self.cache.room < self.cache.least_room:
            self.give_back(self.cache.surplus())

    def give_back(self, records: list[Record]) -> None:
        self.arena.take_back(records)

    @property
    def ready(self) -> list[Record]:
        """All that is in the cache."""
        return [record for stock in self.cache.stocks() for record in stock.ready]

    @property
    def charge(self) -> int:
        """What that counts for."""
        return sum(max(record.span, LEAST) for record in self.ready)
