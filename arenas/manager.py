"""Which arena serves a request, where a freed span goes, decay, relief."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from .errors import ArenaBusyError
from .growth import FIRST_REGION_BYTES
from .region import ALL_MARKS
from .roster import Roster

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .arena import Arena
    from .cache import Cache
    from .record import Record


class Manager(Roster):
    """Routes requests and frees. Every method may be called from any thread.

    Large blocks go to an arena of their own whose every region is one block: their warm memory belongs to the heap,
    not to a thread, so 32 threads taking turns keep one thread's worth.
    """

    # Taking

    def take(self, record: Record) -> bool:
        """Carve a span for the request somewhere; False where neither memory nor limit allows it."""
        home = None
        try:
            home = self.home(record)
            if not self._bounded or not self._near_limit(record.span):
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

    def home(self, record: Record) -> Arena:
        """The arena that serves a request of this size by this thread."""
        if self._large_bytes is None or record.span < self._large_bytes:
            return self.arena_at[self.routing.cache().arena_number]
        large = self._large.get("arena")
        return self._make_large() if large is None else large

    def _near_limit(self, span: int) -> bool:
        if not self.backing.growable:
            return True
        left = self.budget.left_bytes
        return left is not None and left < span + FIRST_REGION_BYTES

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

    def take_anywhere(self, record: Record) -> bool:
        """The last try before a refusal: in every arena, waiting for its lock, from what is there."""
        if not self._near_limit(record.span):
            return False
        for arena in list(self.arenas):
            if not arena.shared:
                with contextlib.suppress(ArenaBusyError):
                    if arena.take(record, grow=False):
                        return True
        return False

    def lives(self, serial: int) -> bool:
        """Whether there is a live allocation of this serial, wherever."""
        return any(serial in arena.table.live for arena in list(self.arenas))

    def bump(self, chunk: Record, record: Record) -> bool:
        """Carve the request from a scope's chunk; False where it is used up, or gone with a reset."""
        return chunk.is_live and self.arena_at[chunk.arena_number].bump(chunk, record)

    # Giving back

    def give(self, record: Record) -> None:
        """Return a claimed record: to this thread's cache, into its arena where this thread may enter it, else into the
        arena's mailbox. Never waits for another owner.
        """
        arena = self.arena_at[record.region.arena_number]  # type: ignore[union-attr]
        if self._cache_bytes:
            cache = self.my_cache()
            if cache is not None and cache.arena_number == arena.number and not record.visible() and cache.keep(record):
                return
        if self.routing.may_enter(arena) if not arena.shared else not arena.lock.locked():
            try:
                arena.put_back(record)
            except ArenaBusyError:
                pass
            else:
                return
        arena.mailbox.append(record)

    def cache_for(self, request: Record) -> Cache | None:
        """This thread's cache, if it may hold what the request needs."""
        step = self.terms.alignment
        if request.span > self._cache_bytes or request.alignment > step or request.span & (step - 1):
            return None
        try:
            return self.routing.cache()
        except ArenaBusyError:
            return None

    def assign(self, record: Record) -> None:
        """Let what was taken go to this thread's cache when it is freed, if it suits."""
        if self._cache_bytes:
            cache = self.my_cache()
            if cache is not None and cache.arena_number == record.arena_number:
                stock = cache.stock(record)
                if stock is not None:
                    record.stock = stock
                    record.span = stock.span  # the same, but one integer for all of them

    def my_cache(self) -> Cache | None:
        """This thread's cache, if it has one."""
        cache: Cache | None = getattr(self.here, "cache", None)
        return cache

    def make_way(self, cache: Cache) -> None:
        """A free found this thread's cache full, or memory awaited: its oldest half, or all, goes back to the arena."""
        if not cache.awaited:
            self._take_back(cache, cache.surplus())
            return
        # One at a time: what waits here for the lock is out of the reach of who is short of memory, and has it.
        for record in cache.emptied():
            self._take_back(cache, [record])

    def collect(self, cache: Cache) -> None:
        """Take what others have freed into this thread's cache."""
        if cache.mailbox:
            self._take_back(cache, cache.collect())

    def _take_back(self, cache: Cache, records: list[Record]) -> None:
        if records:
            arena = self.arena_at[cache.arena_number]
            try:
                arena.take_back(records)
            except ArenaBusyError:
                arena.mailbox.extend(records)

    def await_memory(self, awaited: bool) -> None:  # noqa: FBT001 - a state to be in
        """Tell every thread's cache whether somebody waits for memory."""
        for arena in list(self.arenas):
            for cache in list(arena.table.caches):
                cache.await_memory(awaited)

    # Upkeep

    def tick(self) -> None:
        """Give back what has been idle for ``decay_seconds``. Nothing but a look at the clock, most of the time."""
        now = self._clock()
        expired = self._decay.expired(now)
        cache = self.my_cache()
        if cache is not None:
            cache.due = self._decay.due(now)
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

    def make_room(self, span: int) -> bool:
        """Short of memory, gather what is on its way back and, under a limit, idle pages; whether it was short."""
        if not self._near_limit(span):
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

    def sweep(self) -> None:
        """Find what interruptions have left behind, one arena's lock at a time."""
        for arena in list(self.arenas):
            with contextlib.suppress(ArenaBusyError):
                arena.sweep()
