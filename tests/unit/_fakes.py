"""Stand-ins for what lies below a region, and the arenas to route to."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from arenas import AnonymousMemory, BestFit
from arenas.address_map import AddressMap
from arenas.arena import Arena
from arenas.backing import Budget
from arenas.cache import Cache
from arenas.growth import Doubling
from arenas.record import Held, terms
from arenas.table import SpanTable

if TYPE_CHECKING:
    import weakref


class FakeMapping:
    """A mapping without memory that writes down what is given back, and can be told to refuse."""

    def __init__(self, size: int, *, address: int | None = None, offset: int = 0) -> None:
        self.size = size
        self.address = address
        self.offset = offset
        self.refuses = False
        self.given_back: list[tuple[int, int]] = []

    def owner(self, start: int, size: int) -> bytearray:
        return bytearray(size)

    def decommit(self, start: int, size: int) -> bool:
        if self.refuses:
            return False
        self.given_back.append((start, size))
        return True

    def resident_bytes(self) -> int | None:
        return None


def make_arena(number: int) -> Arena:
    """An arena of a heap that is not there."""
    table = SpanTable(number, AnonymousMemory(), BestFit(), Budget(None), AddressMap())
    return Arena(table, Doubling(16384))


def make_arenas(count: int) -> list[Arena]:
    return [make_arena(number) for number in range(count)]


def make_cache(arena: Arena, owner: weakref.ref[Any], *, room_bytes: int = 1 << 16, alignment: int = 64) -> Cache:
    """One more in front of the arena, for the calling thread, as long as the owner lives."""
    ordinary = terms(Held.HANDLE, alignment, None)
    first_serial = len(arena.table.caches) + 1 << 40
    cache = Cache(
        arena, room_bytes=room_bytes, terms=ordinary, first_serial=first_serial, clock=lambda: 0.0, owner=owner
    )
    arena.table.caches.append(cache)
    return cache


class AnnouncedLock:
    """Tells, before it waits, that somebody wants it: so that a test can let one thread meet another inside."""

    def __init__(self, lock: Any) -> None:
        self._lock = lock
        self.wanted = threading.Event()

    def __enter__(self) -> None:
        self.wanted.set()
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()
