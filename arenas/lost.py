"""Records whose holder is gone without a word: found by counting who refers to them."""

from __future__ import annotations

import sys

from .record import Held, Record, terms
from .system import FREE_THREADED


def unheld(live: dict[int, Record]) -> list[tuple[int, Record]]:
    """Live allocations whose holder is gone without a word, by serial: an array whose last view died, a handle whose
    finalizer was interrupted.

    Under the arena's lock. A handle is gone when nothing but the arena refers to the record; the handle's own
    reference never changes hands, so its count cannot be misread. O(records).
    """
    found = []
    # The serial is what the claim goes by: the record may serve another allocation by the time it is looked at.
    for serial, record, references in _counted(live):
        if record.held is Held.ARRAY:
            gone = not record.visible()
        else:
            gone = record.held is not Held.ADDRESS and references <= _UNHELD
        if gone:
            found.append((serial, record))
    return found


def stray(carved: dict[int, Record]) -> list[Record]:
    """Records that are neither live nor parked, and that nothing but the table refers to: lost on the way back, or out
    of a cache, to an interruption.

    Under the arena's lock. What a cache, a mailbox or another thread's frame has in hand is referred to. O(records).
    """
    if not FREE_THREADED:
        return _unreferenced(carved)
    # As for `visible`: a reference that was changing threads is not missed twice. What is kept of the first look must
    # not refer to the records.
    before = {id(record) for record in _unreferenced(carved)}
    return [record for record in _unreferenced(carved) if id(record) in before] if before else []


def _unreferenced(carved: dict[int, Record]) -> list[Record]:
    return [r for _, r, references in _counted(carved) if references <= _STRAY and not r.is_live and not r.parked]


def _counted(records: dict[int, Record]) -> list[tuple[int, Record, int]]:
    return [(key, record, sys.getrefcount(record)) for key, record in list(records.items())]


# What is counted where nobody holds one: measured, for interpreters differ in how many temporary references they hold.
def _measure_unheld() -> tuple[int, int]:
    record = Record(0, 0, terms(Held.HANDLE, 1, None))
    live, carved = {1: record}, {0: record}
    del record
    both = _counted(live)[0][2]
    live.clear()
    return both, _counted(carved)[0][2]


_UNHELD, _STRAY = _measure_unheld()
