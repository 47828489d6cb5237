"""The arenas of one heap: which one serves a request, where a freed span goes, growth, adoption, decay, relief."""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from typing import TYPE_CHECKING, Any

from .address_map import AddressMap
from .arena import Arena
from .backing import Budget
from .decay import Decay
from .errors import ArenaBusyError
from .growth import FIRST_REGION_BYTES, Doubling, Exact
from .placement import WholeFit
from .routing import ByThread, arena_count, make_routing
from .sizes import round_down
from .slices import MappingSlice
from .table import ALL_MARKS, SpanTable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .protocols import Backing, Clock, LockFactory, PlacementFactory
    from .record import Record

DEFAULT_REGION_BYTES = 64 << 20
LARGE_BYTES = 1 << 20


class Manager:
    """Routes requests and frees. Every method may be called from any thread.

    Large blocks go to an arena of their own whose every region is one block: their warm memory belongs to the heap,
    not to a thread, so 32 threads taking turns keep one thread's worth.
    """

    def __init__(
        self,
        backing: Backing,
        placement: PlacementFactory,
        *,
        arenas: str | int,
        granule: int,
        limit_bytes: int | None,
        region_bytes: int,
        decay_seconds: float | None,
        clock: Clock = time.monotonic,
        lock_factory: LockFactory = threading.Lock,
    ) -> None:
        self.backing = backing
        self.addresses = AddressMap()
        self.budget = Budget(limit_bytes)
        self.arenas: list[Arena] = []  # only ever appended to
        self.arena_at: dict[int, Arena] = {}  # the same by number: an interrupted creation may skip one
        self._numbers = itertools.count()
        self.closed = False
        self.peak_live_bytes = 0
        self._placement = placement
        self._region_bytes = region_bytes
        self._lock_factory = lock_factory
        self._clock = clock
        self._decay = Decay(decay_seconds)
        self._large: Arena | None = None
        self._large_bytes = min(LARGE_BYTES, region_bytes // 2) if backing.growable else None
        # Protects the creation of arenas, and nothing else. Re-entrant: a handler may need an emergency arena.
        self.lock = threading.RLock()
        count = arena_count(arenas, growable=backing.growable)
        for _ in range(count):
            self._new_arena()
        if not backing.growable:
            self._divide(granule)
        self.routing = make_routing(arenas, self.arenas, self._new_arena)

    def _divide(self, granule: int) -> None:
        # One region only: each arena gets an equal part of it for good.
        size = self.backing.size_bytes or 0
        whole = self.backing.map(size, self.backing.alignment)
        step = max(self.backing.page_bytes, granule)
        part = round_down(size // len(self.arenas), step) if len(self.arenas) > 1 else 0
        for index, arena in enumerate(self.arenas):
            start = index * part
            end = start + part if index < len(self.arenas) - 1 else round_down(size, granule)
            if end > start:
                arena.table.add_region(MappingSlice(whole, start, end - start))

    def _new_arena(self, *, large: bool = False) -> Arena:
        with self.lock:
            placement = WholeFit(page_bytes=self.backing.page_bytes) if large else self._placement()
            table = SpanTable(next(self._numbers), self.backing, placement, self.budget, self.addresses)
            table.closed = self.closed
            table.eager = self._decay.seconds == 0
            table.generation = self._decay.generation
            growth = Exact() if large else Doubling(self._region_bytes)
            arena = Arena(table, growth, lock_factory=self._lock_factory)
            arena.shared = large
            self.arena_at[arena.number] = arena
            self.arenas.append(arena)
            return arena

    # Taking

    def take(self, record: Record) -> bool:
        """Carve a span for the request somewhere; False where neither memory nor limit allows it."""
        home = self._home(record)
        try:
            if not self._near_limit(record):
                return home.take(record, grow=True)
            # Growing would soon hit the limit: first whatever the neighbours have lying about.
            return (
                home.take(record, grow=False)
                or any(arena.take(record, grow=False) for arena in self._others(home))
                or home.take(record, grow=True)
            )
        except ArenaBusyError:
            return self._take_elsewhere(record, home)

    def could_serve(self, record: Record) -> bool:
        """Whether the request would fit if nothing else were allocated: otherwise waiting for memory is in vain."""
        limit = self.budget.limit_bytes
        if limit is not None and record.span > limit:
            return False
        return self.backing.growable or any(record.span <= arena.table.reserved_bytes for arena in self.arenas)

    def _home(self, record: Record) -> Arena:
        if self._large_bytes is None or record.span < self._large_bytes:
            return self.routing.home()
        if self._large is None:
            with self.lock:
                if self._large is None:
                    self._large = self._new_arena(large=True)
        return self._large

    def _near_limit(self, record: Record) -> bool:
        if not self.backing.growable:
            return True
        left = self.budget.left_bytes
        return left is not None and left < record.span + FIRST_REGION_BYTES

    def _others(self, home: Arena) -> Iterator[Arena]:
        return (
            arena for arena in list(self.arenas) if arena is not home and not arena.shared and not arena.lock.locked()
        )

    def _take_elsewhere(self, record: Record, home: Arena) -> bool:
        # This is a signal handler or a finalizer, and the code it interrupted is inside `home`.
        for arena in self._others(home):
            with contextlib.suppress(ArenaBusyError):
                if arena.take(record, grow=True):
                    return True
        if not self.backing.growable:
            raise ArenaBusyError(
                f"arena {home.number} is in use by the code interrupted here; {self.backing!r} has no other"
            )
        return self._new_arena().take(record, grow=True)

    def bump(self, chunk: Record, record: Record) -> bool:
        """Carve the request from a scope's chunk; False where it is used up, or gone with a reset."""
        return chunk.is_live and self.arena_at[chunk.arena_number].bump(chunk, record)

    # Giving back

    def give(self, record: Record) -> None:
        """Return a claimed record: into its arena where this thread may enter it, else into the arena's mailbox.
        Never waits for another owner.
        """
        arena = self.arena_at[record.arena_number]
        if self.routing.may_enter(arena) if not arena.shared else not arena.lock.locked():
            try:
                arena.put_back(record)
            except ArenaBusyError:
                pass
            else:
                return
        arena.mailbox.append(record)

    # Upkeep

    def tick(self) -> None:
        """Give back what has been idle for ``decay_seconds``. Nothing but a look at the clock, most of the time."""
        expired = self._decay.expired(self._clock())
        if expired is None:
            return
        self.sample_peak()
        for arena in list(self.arenas):
            arena.table.generation = self._decay.generation
            if not arena.lock.locked():
                with contextlib.suppress(ArenaBusyError):
                    arena.tidy(expired, self._decay.generation, thorough=False)

    def sample_peak(self) -> None:
        """Note what is live now. Read without locks: a sample, and the arenas' own peaks are no more than that
        either.
        """
        now = sum(arena.table.asked_bytes for arena in list(self.arenas))
        highest = max((arena.table.peak_live_bytes for arena in list(self.arenas)), default=0)
        self.peak_live_bytes = max(self.peak_live_bytes, highest, now)

    def relieve(self) -> int:
        """Drain every mailbox, find what was forgotten, give back every free page; the bytes given back. One arena's
        lock at a time.
        """
        self.sample_peak()
        returned = 0
        for arena in list(self.arenas):
            with contextlib.suppress(ArenaBusyError):
                returned += arena.tidy(ALL_MARKS, self._decay.generation, thorough=True)
        return returned

    def make_room(self, record: Record) -> bool:
        """Short of memory, gather what is on its way back and, under a limit, idle pages; whether it was short."""
        if not self._near_limit(record):
            return False
        if self.budget.limit_bytes is None:
            self.drain()
        else:
            self.relieve()
        return True

    def drain(self) -> None:
        """As :meth:`relieve`, keeping the pages."""
        for arena in list(self.arenas):
            with contextlib.suppress(ArenaBusyError):
                arena.tidy(b"", self._decay.generation, thorough=True)

    def locks_in_order(self) -> list[Any]:
        """Every lock, in the order in which they nest: for a fork."""
        adoption = [self.routing.lock] if isinstance(self.routing, ByThread) else []
        return [*adoption, self.lock, *(arena.lock for arena in list(self.arenas)), self.budget.lock]

    def release_all(self) -> None:
        """End every allocation, keep the memory."""
        for arena in list(self.arenas):
            arena.release_all()

    def close(self) -> None:
        """End every allocation, let go of the memory, serve nothing more."""
        self.closed = True
        with self.lock:
            arenas = list(self.arenas)
        for arena in arenas:
            arena.close()
