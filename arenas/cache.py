"""A thread's own stock of ready spans, in front of its arena."""

from __future__ import annotations

import sys
from threading import get_ident
from typing import TYPE_CHECKING, Any

from .record import NEVER_KEPT, Held, Record, Stock, Terms

if TYPE_CHECKING:
    import weakref
    from collections.abc import Iterator

    from .arena import Arena
    from .protocols import Clock

# What a span counts for at least: this bounds how many small ones a cache holds.
_LEAST_CHARGE = 1024

# So many allocations may be served without a look at the clock, which takes as long as an eighth of one.
UNCLOCKED = 64

# A cache holds no span that takes more than this part of it.
_LARGEST_PART = 4


class Cache:
    """Spans of one arena, freed by their thread or sent back to it, and ready to be taken again: last in, first out,
    so that memory still warm is used first.

    Its thread takes and puts without any lock: each step is one operation on a list, which is atomic. So is what
    others do to it: they pop, when memory is short or the thread has ended. A span in here is carved in the arena's
    table like any other, and not live; that is how everything that counts or looks treats it.

    Bounded by ``room_bytes``, of which a span uses its length, but at least 1 KiB. What puts counts down ``room``, what
    takes does not count it up: it is counted anew when it seems used up.
    """

    __slots__ = (
        "_first_serial",
        "_looked",
        "_noted",
        "_stocks",
        "arena_number",
        "bins",
        "checkpoint",
        "clock",
        "dropped",
        "due",
        "ident",
        "least_room",
        "live",
        "mailbox",
        "owner",
        "remote_frees",
        "room",
        "room_bytes",
        "serial",
        "shift",
        "terms",
        "unstocked",
    )

    def __init__(
        self, arena: Arena, *, room_bytes: int, terms: Terms, first_serial: int, clock: Clock, owner: weakref.ref[Any]
    ) -> None:
        """For the calling thread, which lives as long as what ``owner`` refers to. ``terms``: of what is kept."""
        self.arena_number = arena.number
        self.live = arena.table.live
        self.mailbox = arena.mailbox
        self.room_bytes = room_bytes
        self.room = room_bytes
        self.clock = clock
        self.due = 0.0  # when it is time for upkeep
        self.serial = self._first_serial = first_serial  # of the last allocation
        self.checkpoint = 0  # the serial at which its thread looks at the clock, or whether its heap was closed
        self.shift = terms.alignment.bit_length() - 1
        self.bins: dict[int, list[Record]] = {}  # (length - 1) >> shift -> its stock's list
        # Less room than this makes who frees look up: more than there can be while somebody waits for memory. Not in
        # `room`, which each free reads and writes: a word in there would be lost.
        self.least_room = 0
        self.remote_frees = self.dropped = 0
        self.terms = terms
        self.unstocked = arena.table.unstocked
        self._stocks: dict[int, Stock] = {}
        self._noted: dict[int, int] = {}  # serial -> the generation since which its span may lie here
        self._looked = arena.table.generation  # when that was asked last
        self.enter(owner)

    def enter(self, owner: weakref.ref[Any]) -> None:
        """Make it the calling thread's: a new one's, or that of the one which goes on after another has ended."""
        self.owner = owner
        self.ident = get_ident()

    @property
    def ended(self) -> bool:
        """Whether its thread is no more."""
        return self.owner() is None

    @property
    def allocations(self) -> int:
        """Allocations served from here, ever."""
        return self.serial - self._first_serial

    @property
    def awaited(self) -> bool:
        """Whether somebody waits for memory."""
        return self.least_room > 0

    # By its thread

    def stock(self, record: Record) -> Stock | None:
        """Where the record may go when it is freed: with those that an ordinary request of its length is given."""
        return self._stock(record) if record.terms == self.terms else None

    def _stock(self, record: Record) -> Stock | None:
        span = record.span
        region = record.region
        if region is None or region.fresh_bytes(record.position, span):
            return None  # longer than what was asked for, and its end not committed
        key = span - 1 >> self.shift
        stock = self._stocks.get(key)
        if stock is None:
            if key + 1 << self.shift != span or span * _LARGEST_PART > self.room_bytes:
                return None
            stock = self._stocks.setdefault(key, Stock(self, span, max(span, _LEAST_CHARGE)))
            self.bins[key] = stock.ready
        return stock if stock.span == span else None

    def keep(self, record: Record) -> bool:
        """Take in a claimed span of this arena, which nobody can see; False where it does not suit, or there is no
        room.
        """
        if self.awaited or record.phase is not None or record.stock is NEVER_KEPT:
            return False  # a parked one may be met by a search of the arena's as well
        if record.position & (self.terms.alignment - 1):
            return False
        stock = self._stock(record)
        if stock is None:
            return False
        if self.room < stock.charge:
            self._count()  # what was taken has made room
            if self.room < stock.charge:
                return False
        self.dropped += record.held is Held.DROPPED
        self.room -= stock.charge
        record.terms = self.terms
        record.stock = stock
        # Last: from here on it can be taken.
        stock.ready.append(record)
        return True

    def collect(self) -> list[Record]:
        """Take in what other threads have freed; gives back those for which there is no room, or that are visible."""
        refused: list[Record] = []
        while True:
            try:
                record = self.mailbox.popleft()
            except IndexError:
                return refused
            self.remote_frees += not record.parked
            if record.visible() or not self.keep(record):
                refused.append(record)

    def surplus(self) -> list[Record]:
        """Count what is here; if it is too much, the oldest half of it is given back."""
        out: list[Record] = []
        if self._held() > self.room_bytes - (self.room_bytes >> 2):
            for stock in self.stocks():
                records = _popped(stock)  # the last first
                half = len(records) // 2
                out += reversed(records[half:])
                stock.ready.extend(reversed(records[:half]))
        self._count()
        return out

    def _count(self) -> None:
        self.room = self.room_bytes - self._held()

    def _held(self) -> int:
        return sum(len(stock.ready) * stock.charge for stock in self.stocks())

    # By anyone

    def stocks(self) -> list[Stock]:
        """Its stocks."""
        return list(self._stocks.copy().values())

    def emptied(self) -> Iterator[Record]:
        """Everything in it, one after the other, no longer in it."""
        for stock in self.stocks():
            while True:
                try:
                    yield stock.ready.pop()
                except IndexError:
                    break
        self._count()

    def await_memory(self, awaited: bool) -> None:  # noqa: FBT001 - a state to be in
        """While somebody waits for memory, its thread keeps nothing back, and looks up at each free."""
        self.least_room = self.room_bytes + 1 if awaited else 0  # there is never so much

    def idle(self, expired: bytes, generation: int) -> list[Record]:
        """What has lain here since one of the ``expired`` generations, no longer in it. Called once a generation."""
        found = []
        noted = {}
        looked, self._looked = self._looked, generation
        for stock in self.stocks():
            kept = []
            for record in reversed(_popped(stock)):
                since = self._noted.get(record.serial, looked)
                if since in expired:
                    found.append(record)
                else:
                    noted[record.serial] = since
                    kept.append(record)
            stock.ready.extend(kept)
        self._noted = noted
        return found

    def close(self) -> None:
        """Make its thread look up after whatever it takes next."""
        self.checkpoint = 0

    @property
    def metadata_bytes(self) -> int:
        """Python memory of the cache."""
        stocks = self.stocks()
        lists = sum(sys.getsizeof(stock.ready) + sys.getsizeof(stock) for stock in stocks)
        return sys.getsizeof(self) + sys.getsizeof(self.bins) + sys.getsizeof(self._stocks) + lists


def _popped(stock: Stock) -> list[Record]:
    """All of a stock, the last first, no longer in it. Its thread may take some meanwhile, and put others."""
    records: list[Record] = []
    while True:
        try:
            records.append(stock.ready.pop())
        except IndexError:
            return records
