"""Stand-ins for what lies below a region, and the arenas to route to."""

from __future__ import annotations

import threading
from typing import Any

from arenas import AnonymousMemory, BestFit
from arenas.address_map import AddressMap
from arenas.arena import Arena
from arenas.backing import Budget
from arenas.growth import Doubling
from arenas.table import SpanTable


class FakeMapping:
    """A mapping without memory that writes down what is given back, and can be told to refuse."""

    def __init__(self, size: int, *, address: int | None = None, offset: int = 0) -> None:
        self.size = size
        self.address = address
        self.offset = offset
        self.refuses = False
        self.given_back: list[tuple[int, int]] = []

    def root(self, start: int, size: int) -> memoryview:
        return memoryview(bytearray(size))

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
