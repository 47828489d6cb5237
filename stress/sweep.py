"""The interval sweep: no two blocks may hold the same bytes at the same time.

Each client keeps a journal: when a block was born (after the allocator gave it) and when it died (before the allocator
got it back), so that what the journals say of a block's life is never longer than the truth. A sweep takes the entries
of all journals in the order of time and keeps the ranges that are live, sorted by address; a range that is born among
them must touch none.

A clock may be so coarse that a block is born and dies at one and the same reading of it. Of such a reading only what
holds in whatever order is judged: deaths come first, and a block that has died when it is born is passed over.

It runs beside the clients without a lock: a deque's ``append`` and ``popleft`` are each one step, and a client
says beforehand from when on it may still write. What is older, in every journal, is complete.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter, deque
from typing import TYPE_CHECKING, Any, Final

from sortedcontainers import SortedDict

if TYPE_CHECKING:
    from collections.abc import Callable

DEATH: Final = 0
BIRTH: Final = 1
# In this order, so that at one and the same reading of the clock deaths come first.
Entry = tuple[float, int, int, int, str]
"""When (nanoseconds), `DEATH` or `BIRTH`, address, bytes, the block's name."""

NEVER: Final = math.inf


class Journal:
    """What one client did, and from when on it may still add to that. Written by one thread at a time."""

    __slots__ = ("at_least", "entries")

    def __init__(self) -> None:
        """Closed: nothing will be written before `open`."""
        self.entries: deque[Entry] = deque()
        self.at_least: float = NEVER

    def open(self) -> None:
        """From now on entries may come."""
        self.at_least = 0  # holds every sweep back while the clock is read
        self.at_least = time.monotonic_ns()

    def close(self) -> None:
        """No entry will come before the next `open`: sweeps need not wait for this client."""
        self.at_least = NEVER


class Sweep:
    """Takes entries from journals as they become complete. Any thread may have it done; one at a time does it."""

    def __init__(self, report: Callable[[str], None]) -> None:
        """``report`` is told of every overlap."""
        self._report = report
        self._turn = threading.Lock()  # protects what is live; a leaf: nothing else is locked under it
        self._journals: list[Journal] = []
        self._live: SortedDict[int, tuple[int, str]] = SortedDict()  # by address: bytes and name
        self._early: Counter[tuple[float, int, int, str]] = Counter()  # deaths that came before their births

    def journal(self) -> Journal:
        """A new journal, closed."""
        journal = Journal()
        self._journals.append(journal)
        return journal

    def advance(self) -> None:
        """Look at everything that is complete. O(n log m) for n entries among m live blocks."""
        with self._turn:
            self._advance(min([time.monotonic_ns(), *(each.at_least for each in self._journals)]))  # the clock first

    def finish(self) -> None:
        """Look at everything that is left, once all clients are done."""
        with self._turn:
            self._advance(NEVER)

    def _advance(self, horizon: float) -> None:
        complete: list[Entry] = []
        for journal in self._journals:
            entries = journal.entries
            while entries and entries[0][0] < horizon:
                complete.append(entries.popleft())
        complete.sort()
        for entry in complete:
            self._take(entry)
        self._early.clear()  # no reading of the clock is looked at in two parts

    def _take(self, entry: Entry) -> None:
        when, kind, address, size, name = entry
        life = (when, address, size, name)
        if kind == DEATH:
            if self._live.get(address) == (size, name):
                del self._live[address]
            else:
                self._early[life] += 1
            return
        if self._early[life]:
            self._early[life] -= 1
            return
        other = self._touching(address, max(size, 1))  # blocks of no bytes have addresses of their own
        if other is not None:
            where, (length, theirs) = other
            self._report(
                f"block {name} of {size} bytes at {address:#x} overlaps block {theirs} of {length} bytes "
                f"at {where:#x}, both live"
            )
        self._live[address] = (size, name)

    def _touching(self, address: int, size: int) -> Any:  # noqa: ANN401 - an item, or None: the stubs do not say
        live = self._live
        index = live.bisect_right(address)
        if index:
            before = live.peekitem(index - 1)
            if before[0] + max(before[1][0], 1) > address:
                return before
        if index < len(live):
            after = live.peekitem(index)
            if after[0] < address + size:
                return after
        return None
