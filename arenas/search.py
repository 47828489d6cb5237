"""Finding what can go back: spans whose views have died, arrays nobody sees, handles that ended without a word."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from .lost import stray, unheld
from .record import Held

if TYPE_CHECKING:
    from .record import Record
    from .table import SpanTable

# So many parked spans are looked at before an arena grows.
_LOOKS = 64


def orphans(table: SpanTable) -> list[Record]:
    """Records lost to an interruption, freed but neither in a cache nor on the way. O(cached spans) without any."""
    # Counted first: claims and caches change meanwhile, so this may see one too many, never one too few for long.
    ready = sum(len(stock.ready) for cache in table.caches for stock in cache.stocks())
    if len(table.carved) <= len(table.live) + len(table.parked) + ready:
        return []
    return stray(table.carved)


def look_at_some(table: SpanTable) -> bool:
    """Look at what has waited longest; whether anything came back. Under the arena's lock. O(1).

    Slices that outlive the view they were made from send no hint when they die. Before growing it is worth a look.
    """
    found = sum(map(table.put_back, list(itertools.islice(table.parked.values(), _LOOKS))))
    found += sum(itertools.starmap(table.put_back_unseen, list(itertools.islice(table.doubtful.items(), _LOOKS))))
    return found > 0


def flush(table: SpanTable) -> None:
    """Take back everything the threads' caches hold. Under the arena's lock."""
    for cache in table.caches:
        for record in cache.emptied():
            table.put_back(record)


def settle(table: SpanTable, expired: bytes, generation: int) -> None:
    """Take back what has lain idle in a cache, or in that of a thread that has ended. Under the arena's lock. O(cached
    spans).
    """
    for cache in table.caches:
        if cache.ended:
            for record in cache.emptied():
                table.put_back(record)
        elif expired:
            # Idle for as long as a page that expires now: so its pages go at once.
            table.generation = expired[0] if expired else generation
            for record in cache.idle(expired, generation):
                table.put_back(record)
    table.generation = generation


def look_at_all(table: SpanTable) -> None:
    """Look at everything that is parked, in doubt, or lost. Under the arena's lock."""
    for record in (*table.parked.values(), *orphans(table)):
        table.put_back(record)
    for serial, record in list(table.doubtful.items()):
        table.put_back_unseen(serial, record)


def sweep(table: SpanTable) -> None:
    """End the allocations whose holder is gone without a word. Under the arena's lock. O(records)."""
    for serial, record in unheld(table.live):
        if record.claim(serial):
            if record.held is Held.HANDLE:
                record.held = Held.DROPPED
            table.put_back(record)
