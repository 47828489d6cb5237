"""Finding what can go back: spans whose views have died, arrays nobody sees, handles that ended without a word."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from .record import Held, unheld

if TYPE_CHECKING:
    from .record import Record
    from .table import SpanTable

# So many parked spans are looked at before an arena grows.
_LOOKS = 64


def orphans(table: SpanTable) -> list[Record]:
    """Claimed records that are still carved: on the way back, or forgotten there by an interruption. O(1) without
    any.
    """
    if len(table.carved) == len(table.live) + len(table.parked):
        return []
    return [record for record in table.carved.values() if not record.is_live and not record.parked]


def look_at_some(table: SpanTable) -> bool:
    """Look at what has waited longest; whether anything came back. Under the arena's lock. O(1).

    Slices that outlive the view they were made from send no hint when they die. Before growing it is worth a look.
    """
    found = sum(map(table.put_back, list(itertools.islice(table.parked.values(), _LOOKS))))
    found += sum(map(table.put_back_unseen, list(itertools.islice(table.doubtful.values(), _LOOKS))))
    return found > 0


def look_at_all(table: SpanTable) -> None:
    """Look at everything that is parked, in doubt, or on its way back. Under the arena's lock."""
    for record in (*table.parked.values(), *orphans(table)):
        table.put_back(record)
    for record in list(table.doubtful.values()):
        table.put_back_unseen(record)


def sweep(table: SpanTable) -> None:
    """End the allocations whose holder is gone without a word. Under the arena's lock. O(records)."""
    for record in unheld(table.live):
        if record.claim():
            record.dropped = record.held is Held.HANDLE
            table.put_back(record)
