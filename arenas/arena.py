"""An arena: one lock, the books it protects, and the mailbox through which others return spans."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

from . import audit
from .errors import ArenaBusyError, BlockReleasedError
from .growth import place_in_new_region
from .record import Mover, number
from .repair import rebuild
from .search import flush, look_at_all, look_at_some, orphans, settle, sweep
from .section import interrupts_section, section
from .summary import summarize

if TYPE_CHECKING:
    from collections.abc import Callable

    from .growth import Growth
    from .protocols import LockFactory
    from .record import Record
    from .stats import Stats
    from .table import SpanTable

T = TypeVar("T")


class Arena:
    """Regions, their spans, one placement, one lock, a mailbox. Every public method may be called from any thread.

    Each method that touches the books is a section: it holds the lock, sets ``_dirty`` on entering and clears it on
    leaving. Who finds it set (an exception was thrown in between, or a fork happened inside) derives the books anew
    first. A section never waits for a thread's own: interrupting code gets ``ArenaBusyError`` and goes elsewhere.

    Lock order: the arena's, then the budget's. Never two arenas' at once. No callback of a user's runs under either.
    """

    def __init__(self, table: SpanTable, growth: Growth, *, lock_factory: LockFactory = threading.Lock) -> None:
        """An arena without memory as yet."""
        self.table = table
        self.number = table.number
        self.mailbox = table.mailbox
        self.shared = False  # whether no thread may ever own it
        self._growth = growth
        # Protects the table, and every field of its records but `roots`, `terms`, `stock` and `phase`.
        self.lock = lock_factory()
        self._dirty = False

    # Taking

    @section
    def take(self, record: Record, *, grow: bool) -> bool:
        """Carve a span for the request; ``grow``: from a new region if need be. False where there is no room."""
        waited = self.lock.locked() and self._meet()
        with self.lock:
            if waited or self._dirty or self.mailbox:
                self._enter(waited)
            self._dirty = True
            table = self.table
            if table.parked:
                look_at_some(table)  # not every view sends word when it dies
            done = table.place(record) or (grow and place_in_new_region(table, self._growth, record))
            self._dirty = False
            return done

    @section
    def take_at(self, record: Record, offset: int) -> bool:
        """Carve exactly ``[offset, offset + span)`` of the backing's one region."""
        waited = self._meet()
        with self.lock:
            self._enter(waited)
            region = next((r for r in self.table.regions if r.offset <= offset < r.offset + r.size), None)
            done = region is not None and self.table.place_at(record, region.base + offset - region.offset)
            self._dirty = False
            return done

    @section
    def bump(self, chunk: Record, record: Record) -> bool:
        """Carve the request from what is left of a scope's chunk; False where it is not enough."""
        waited = self._meet()
        with self.lock:
            self._enter(waited)
            done = self.table.bump(chunk, record)
            self._dirty = False
            return done

    # Giving back

    @section
    def put_back(self, record: Record) -> None:
        """Return a claimed record's span, or park it."""
        waited = self.lock.locked() and self._meet()
        with self.lock:
            if waited or self._dirty or self.mailbox:
                self._enter(waited)
            self._dirty = True
            self.table.put_back(record)
            self._dirty = False

    @section
    def reclaim_unseen(self, serial: int, record: Record) -> bool:
        """End an allocation held by an array, unless something still sees its memory; whether it did."""
        waited = self._meet()
        with self.lock:
            self._enter(waited)
            done = self.table.put_back_unseen(serial, record)
            self._dirty = False
            return done

    # Resizing

    @section
    def resize(self, record: Record, serial: int, size: int, span: int) -> bool:
        """Resize in place; False where there is no room. Raises ``BufferError`` while a view is alive."""
        waited = self._meet()
        with self.lock:
            self._enter(waited)
            mover = Mover(serial)
            try:
                self._begin_move(record, serial, mover)
                done = self.table.resize(record, size, span)
            finally:
                if record.phase is mover:
                    record.phase = None
            self._dirty = False
            return done

    @section
    def begin_move(self, record: Record, serial: int, mover: Mover) -> memoryview | None:
        """Bar new views and anchor the memory, so that a copy can be made of it, until ``record.phase`` is cleared."""
        waited = self._meet()
        with self.lock:
            self._enter(waited)
            self._begin_move(record, serial, mover)
            anchor = record.view(record.size)
            self._dirty = False
            return anchor

    def _begin_move(self, record: Record, serial: int, mover: Mover) -> None:
        # Each error is raised where it is made: one kept in a variable would keep this frame, and a block, alive.
        self._dirty = False
        live = self.table.live
        if serial not in live:
            raise BlockReleasedError(f"allocation {number(serial)} was freed")
        if record.phase is not None:
            raise BufferError(f"allocation {record.number} is being resized already")
        if record.serial != serial:  # the handle was met while another resize changed it
            raise BlockReleasedError(f"allocation {number(serial)} is elsewhere by now")
        # Publish first, then look: who frees it, or makes a view meanwhile, is either seen here, or sees this.
        record.phase = mover
        if serial not in live:
            record.phase = None
            raise BlockReleasedError(f"allocation {number(serial)} was freed")
        if record.visible():
            record.phase = None
            raise BufferError(f"allocation {record.number} of {record.size} bytes has a view; it cannot be resized")
        self._dirty = True

    # Slow paths

    def renew(self, lock_factory: LockFactory) -> None:
        """In a forked child, where whoever may have held the lock is gone: a new lock, the books to be derived anew."""
        self._dirty = True
        self.lock = lock_factory()

    @section
    def tidy(self, expired: bytes, generation: int, *, thorough: bool) -> int:
        """Drain, look at what is parked, give back idle pages and regions; the bytes given back.

        ``expired`` holds the marks of the pages that count as idle. ``thorough`` also takes back what the threads'
        caches hold, and finds what an interrupted finalizer or free left behind. O(free spans), thorough O(records).
        """
        waited = self._meet()
        with self.lock:
            self._enter(waited)
            settle(self.table, expired, generation)
            look_at_all(self.table)
            if thorough:
                flush(self.table)
                sweep(self.table)
            returned = self.table.return_pages(expired) if expired else 0
            self._dirty = False
            return returned

    @section
    def sweep(self) -> None:
        """Find what an interrupted finalizer or free left behind. O(records)."""
        waited = self._meet()
        with self.lock:
            self._enter(waited)
            look_at_all(self.table)
            sweep(self.table)
            self._dirty = False

    @section
    def take_back(self, records: list[Record]) -> None:
        """Return claimed spans for which a thread's cache has no room. Empties the list."""
        waited = self._meet()
        with self.lock:
            self._enter(waited)
            while records:
                self.table.put_back(records[-1])
                records.pop()
            self._dirty = False

    @section
    def release_all(self) -> None:
        """End every allocation; what something still sees is parked."""
        waited = self._meet()
        with self.lock:
            self._enter(waited)
            self._release_all()
            self._dirty = False

    def _release_all(self) -> None:
        for serial, record in self.table.live.copy().items():
            if record.claim(serial):
                self.table.put_back(record)
        flush(self.table)

    @section
    def close(self) -> None:
        """End every allocation and let go of every region. What something still sees stays mapped until it is gone."""
        for cache in self.table.caches:
            cache.close()
        self.table.eager = False  # before anything: giving pages back would punch holes into a file that is to persist
        waited = self._meet()
        with self.lock:
            self._enter(waited)
            self._release_all()
            self.table.close()
            self._dirty = False

    # Reading

    @section
    def read(self, reader: Callable[[SpanTable], T]) -> T:
        """What ``reader`` makes of the books, drained and whole. It must not call back into the heap."""
        waited = self._meet()
        with self.lock:
            self._enter(waited)
            settle(self.table, b"", self.table.generation)
            look_at_all(self.table)
            result = reader(self.table)
            self._dirty = False
            return result

    def stats(self) -> Stats:
        """This arena's statistics."""
        return self.read(summarize)

    def check(self) -> None:
        """Prove the books; raises ``CorruptionError``."""
        self.read(audit.audit)

    # Inside the lock

    def _meet(self) -> bool:
        """Called before every acquisition: whether the lock is taken; raises when this very thread has it."""
        if not self.lock.locked():
            return False
        if interrupts_section():
            raise ArenaBusyError(
                f"arena {self.number} is in use by the code that this signal handler or finalizer interrupted"
            )
        return True

    def _enter(self, waited: bool) -> None:  # noqa: FBT001 - what `_meet` found, passed on
        if self._dirty:
            self._repair()
        self._dirty = True
        self.table.contended += waited
        if self.mailbox:
            self._drain()

    def _drain(self) -> None:
        while True:
            # Never "check, then pop": its owner empties the mailbox without the lock.
            try:
                record = self.mailbox.popleft()
            except IndexError:
                return
            self.table.remote_frees += not record.parked
            self.table.put_back(record)

    def _repair(self) -> None:
        rebuild(self.table)
        for record in orphans(self.table):
            self.table.put_back(record)
