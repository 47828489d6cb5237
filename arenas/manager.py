"""The arenas of one heap: which one serves a request, where a freed span goes, growth, adoption, decay, relief."""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
import weakref
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

    from .growth import Growth
    from .protocols import Backing, Clock, LockFactory, Placement, PlacementFactory
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
        self._placement = placement
        self._region_bytes = region_bytes
        self.lock_factory = lock_factory
        self._clock = clock
        self._decay = Decay(decay_seconds)
        self._large: dict[str, Arena] = {}  # at most one: entered by setdefault, which needs no lock
        self._large_bytes = min(LARGE_BYTES, region_bytes // 2) if backing.growable else None
        count = arena_count(arenas, growable=backing.growable)
        for _ in range(count):
            self._new_arena()
        if not backing.growable:
            self._divide(granule)
        # Not a cycle: a heap that is dropped goes at once, without waiting for the collector.
        weak = weakref.proxy(self)
        self.routing = make_routing(arenas, self.arenas, lambda: weak._new_arena())  # noqa: PLW0108 - not bound: see above

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

    def _new_arena(self) -> Arena:
        arena = self._make_arena(self._placement(), Doubling(self._region_bytes))
        self._enter(arena)
        return arena

    def _make_arena(self, placement: Placement, growth: Growth) -> Arena:
        table = SpanTable(next(self._numbers), self.backing, placement, self.budget, self.addresses)
        table.closed = self.closed
        table.eager = self._decay.seconds == 0
        table.generation = self._decay.generation
        return Arena(table, growth, lock_factory=self.lock_factory)

    def _enter(self, arena: Arena) -> None:
        self.arena_at[arena.number] = arena
        self.arenas.append(arena)

    # Taking

    def take(self, record: Record) -> bool:
        """Carve a span for the request somewhere; False where neither memory nor limit allows it."""
        home = None
        try:
            home = self._home(record)
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
        large = self._large.get("arena")
        return self._make_large() if large is None else large

    def _make_large(self) -> Arena:
        arena = self._make_arena(WholeFit(page_bytes=self.backing.page_bytes), Exact())
        arena.shared = True
        # Entered before anyone can take from it. Of two made at once one serves, and the other stays empty.
        self._enter(arena)
        return self._large.setdefault("arena", arena)

    def _near_limit(self, record: Record) -> bool:
        if not self.backing.growable:
            return True
        left = self.budget.left_bytes
        return left is not None and left < record.span + FIRST_REGION_BYTES

    def _others(self, home: Arena | None) -> Iterator[Arena]:
        return (
            arena for arena in list(self.arenas) if arena is not home and not arena.shared and not arena.lock.locked()
        )

    def _take_elsewhere(self, record: Record, home: Arena | None) -> bool:
        # This is a signal handler or a finalizer, and the code it interrupted is inside `home`, or adopting one.
        for arena in self._others(home):
            with contextlib.suppress(ArenaBusyError):
                if arena.take(record, grow=True):
                    return True
        if not self.backing.growable:
            raise ArenaBusyError(f"the code interrupted here is inside every arena that {self.backing!r} has")
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
        for arena in list(self.arenas):
            arena.table.generation = self._decay.generation
            if not arena.lock.locked():
                with contextlib.suppress(ArenaBusyError):
                    arena.tidy(expired, self._decay.generation, thorough=False)

    def relieve(self) -> int:
        """Drain every mailbox, find what was forgotten, give back every free page; the bytes given back. One arena's
        lock at a time.
        """
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
        return [*adoption, *(arena.lock for arena in list(self.arenas)), self.budget.lock]

    def renew_locks(self, held: list[Any]) -> None:
        """In a forked child: replace every lock but those held over the fork.

        They were made after those were taken, or the taking was interrupted; a thread that is no more may have them.
        """
        known = set(map(id, held))
        if isinstance(self.routing, ByThread) and id(self.routing.lock) not in known:
            self.routing.lock = threading.RLock()
        if id(self.budget.lock) not in known:
            self.budget.lock = threading.RLock()
        for arena in list(self.arenas):
            if id(arena.lock) not in known:
                arena.renew(self.lock_factory)

    def release_all(self) -> None:
        """End every allocation, keep the memory."""
        for arena in list(self.arenas):
            arena.release_all()

    def close(self) -> None:
        """End every allocation, let go of the memory, serve nothing more."""
        self.closed = True
        for arena in list(self.arenas):
            arena.table.closed = True
            # Busy: a handler closes the heap that the code it interrupted is inside of; that gets no more memory.
            with contextlib.suppress(ArenaBusyError):
                arena.close()
