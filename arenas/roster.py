"""The arenas of one heap, and the caches in front of them: how they are made, their locks, their end."""

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
from .cache import Cache
from .decay import Decay
from .errors import ArenaBusyError
from .growth import Doubling, Exact
from .placement import WholeFit
from .record import SERIAL_BITS
from .routing import arena_count, make_routing
from .sizes import round_down
from .slices import MappingSlice
from .table import SpanTable

if TYPE_CHECKING:
    from .growth import Growth
    from .protocols import Backing, Clock, LockFactory, Placement, PlacementFactory
    from .record import Terms

DEFAULT_REGION_BYTES = 64 << 20
LARGE_BYTES = 1 << 20
DEFAULT_CACHE_BYTES = 1 << 20


class Roster:
    """The state of a manager. Every method may be called from any thread."""

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
        cache_bytes: int = 0,
        terms: Terms,
        clock: Clock = time.monotonic,
        lock_factory: LockFactory = threading.Lock,
    ) -> None:
        self.backing = backing
        self.addresses = AddressMap()
        self.budget = Budget(limit_bytes)
        self.arenas: list[Arena] = []  # only ever appended to
        self.arena_at: dict[int, Arena] = {}  # the same by number: an interrupted creation may skip one
        self._numbers = itertools.count()
        self._serials = itertools.count()  # who hands out serials, an arena or a cache, begins at a number of its own
        self.closed = False
        self.permanent = False  # the default heap: others may have blocks in it
        self.peak_live_bytes = 0
        self.refusals = 0  # requests refused for want of memory
        self.last_collection = 0.0  # when garbage was last collected to find some
        self._placement = placement
        self._region_bytes = region_bytes
        self.lock_factory = lock_factory
        self._clock = clock
        self._decay = Decay(decay_seconds)
        self._cache_bytes = cache_bytes if decay_seconds != 0 else 0
        self.terms = terms  # of what caches keep
        self._bounded = limit_bytes is not None or not backing.growable
        self._large: dict[str, Arena] = {}  # at most one: entered by setdefault, which needs no lock
        self._large_bytes = min(LARGE_BYTES, region_bytes // 2) if backing.growable else None
        count = arena_count(arenas, growable=backing.growable)
        for _ in range(count):
            self._new_arena()
        if not backing.growable:
            self._divide(granule)
        # Not a cycle: a heap that is dropped goes at once, without waiting for the collector.
        weak = weakref.proxy(self)
        self.routing = make_routing(
            arenas,
            self.arenas,
            lambda: weak._arena_of_nobody(),  # noqa: PLW0108 - not bound: see above
            lambda arena, owner: weak._new_cache(arena, owner),  # noqa: PLW0108
        )
        self.here = self.routing.here

    @property
    def decay_seconds(self) -> float | None:
        """After how long an idle page goes back."""
        return self._decay.seconds

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
        table = SpanTable(
            next(self._numbers), self.backing, placement, self.budget, self.addresses, first_serial=self._first_serial()
        )
        table.closed = self.closed
        table.eager = self._decay.seconds == 0
        table.generation = self._decay.generation
        return Arena(table, growth, lock_factory=self.lock_factory)

    def _arena_of_nobody(self) -> Arena:
        # One made in an emergency has no thread yet.
        free = (arena for arena in list(self.arenas) if not arena.shared and not arena.table.caches)
        return next(free, None) or self._new_arena()

    def _new_cache(self, arena: Arena, owner: weakref.ref[Any]) -> Cache:
        cache = Cache(
            arena,
            room_bytes=self._cache_bytes,
            terms=self.terms,
            first_serial=self._first_serial(),
            clock=self._clock,
            owner=owner,
        )
        arena.table.caches.append(cache)
        return cache

    def _first_serial(self) -> int:
        return next(self._serials) << SERIAL_BITS

    def _enter(self, arena: Arena) -> None:
        self.arena_at[arena.number] = arena
        self.arenas.append(arena)
        if self.closed:  # entered first, then looked: `close` did not see it, perhaps
            arena.table.closed = True

    def _make_large(self) -> Arena:
        arena = self._make_arena(WholeFit(page_bytes=self.backing.page_bytes), Exact())
        arena.shared = True
        # Entered before anyone can take from it. Of two made at once one serves, and the other stays empty.
        self._enter(arena)
        return self._large.setdefault("arena", arena)

    def locks_in_order(self) -> list[Any]:
        """Every lock, in the order in which they nest: for a fork."""
        return [*self.routing.locks, *(arena.lock for arena in list(self.arenas)), self.budget.lock]

    def renew_locks(self, held: list[Any]) -> None:
        """In a forked child: replace every lock but those held over the fork.

        They were made after those were taken, or the taking was interrupted; a thread that is no more may have them.
        """
        known = set(map(id, held))
        self.routing.renew_locks(known)
        if id(self.budget.lock) not in known:
            self.budget.lock = threading.RLock()
        for arena in list(self.arenas):
            if id(arena.lock) not in known:
                arena.renew(self.lock_factory)

    def release_all(self) -> None:
        """End every allocation, keep the memory."""
        for arena in list(self.arenas):
            arena.release_all()

    def __del__(self) -> None:
        # What caches hold refers to them: without this it would wait for the collector, and the memory with it.
        for arena in getattr(self, "arenas", ()):
            for cache in arena.table.caches:
                cache.bins.clear()
                for _ in cache.emptied():
                    pass
            arena.mailbox.clear()

    def close(self) -> None:
        """End every allocation, let go of the memory, serve nothing more."""
        self.closed = True
        for arena in list(self.arenas):
            arena.table.closed = True
            # Busy: a handler closes the heap that the code it interrupted is inside of; that gets no more memory.
            with contextlib.suppress(ArenaBusyError):
                arena.close()
