"""Which arena a thread uses: one rule a class."""

from __future__ import annotations

import itertools
import threading
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

from . import system
from .errors import ArenaBusyError, InvalidRequestError
from .section import interrupts_section

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .arena import Arena
    from .cache import Cache

    #: What tells whether a thread still lives.
    Owner = weakref.ref[Any]


class Routing(Protocol):
    """Chooses an arena for the calling thread, and the thread's cache in front of it."""

    here: threading.local
    """``here.cache`` is the calling thread's cache, once it has one: the shortest way to it."""

    def cache(self) -> Cache:
        """The cache, and so the arena, that this thread allocates through now."""

    def may_enter(self, arena: Arena) -> bool:
        """Whether this thread frees into the arena itself; otherwise it leaves the span in the mailbox."""


class _ThreadState:
    """Lives as long as its thread. Its identity is the thread's: ``get_ident`` numbers are used again."""

    __slots__ = ("__weakref__",)


class _Owner(weakref.ref[Any]):
    """A reference to a thread's state that knows the cache to give up when the thread ends."""

    __slots__ = ("cache",)
    cache: Cache


class _Adoption:
    """The caches of one group of arenas: each belongs to a thread, and to the next new one once that has ended.

    An ended thread's cache is found through the weak reference to the thread's state: its callback is the deque's own
    ``append``, one step that nothing can interrupt.
    """

    def __init__(self, caches: Callable[[], Iterable[Cache]], new_cache: Callable[[Owner], Cache]) -> None:
        """``caches``: all there are in the group; ``new_cache`` adds one."""
        self._caches = caches
        self._new_cache = new_cache
        self._idle: deque[_Owner] = deque()  # owners that ended, with their caches
        # Protects adoption: no cache gets two threads. Re-entrant: a handler may be a thread's first call, while it
        # adopts.
        self.lock = threading.RLock()

    def adopt(self, state: _ThreadState) -> Cache:
        """A cache for a thread that has none. O(1); O(caches) for one that finds none idle."""
        if not interrupts_section():
            with self.lock:
                return self._adopt(state)
        # A finalizer inside an arena's section must not wait for a thread that may be waiting for that arena.
        if not self.lock.acquire(blocking=False):
            raise ArenaBusyError(
                "another thread is adopting an arena, and may be waiting for the code interrupted here"
            )
        try:
            return self._adopt(state)
        finally:
            self.lock.release()

    def _adopt(self, state: _ThreadState) -> Cache:
        owner = _Owner(state, self._idle.append)
        cache = self._next_idle(state)
        if cache is None:
            cache = self._new_cache(owner)
        owner.cache = cache
        cache.enter(owner)
        return cache

    def _next_idle(self, state: _ThreadState) -> Cache | None:
        while True:
            try:
                owner = self._idle.popleft()
            except IndexError:
                break
            cache: Cache | None = getattr(owner, "cache", None)
            if cache is not None and cache.owner is owner:
                return cache
        # An interrupted adoption, this thread's own perhaps, may have gone half way.
        return next((cache for cache in self._caches() if cache.ended or cache.owner() is state), None)


class ByThread:
    """An arena a thread, adopted with its cache by the next new thread once its owner has ended."""

    def __init__(
        self, arenas: list[Arena], new_arena: Callable[[], Arena], new_cache: Callable[[Arena, Owner], Cache]
    ) -> None:
        self.here = threading.local()
        self._adoption = _Adoption(
            lambda: (cache for arena in list(arenas) for cache in arena.table.caches),
            lambda owner: new_cache(new_arena(), owner),
        )

    @property
    def locks(self) -> list[Any]:
        """Every lock, for a fork."""
        return [self._adoption.lock]

    def renew_locks(self, held: set[int]) -> None:
        """In a forked child: replace those that are not held over the fork."""
        if id(self._adoption.lock) not in held:
            self._adoption.lock = threading.RLock()

    def cache(self) -> Cache:
        """This thread's. O(1) but for a thread's first call."""
        try:
            cache: Cache = self.here.cache
        except AttributeError:
            state = self.here.__dict__.setdefault("state", _ThreadState())
            cache = self.here.cache = self._adoption.adopt(state)
        return cache

    def may_enter(self, arena: Arena) -> bool:
        """The owner always; anyone where there is no owner and the lock is free."""
        try:
            if self.here.cache.arena_number == arena.number:
                return True
        except AttributeError:
            pass
        return all(cache.ended for cache in arena.table.caches) and not arena.lock.locked()


class Shared:
    """A fixed number of arenas that nobody owns, with a cache a thread in front of each; each thread keeps to one, the
    threads spread evenly, contended ones avoided.
    """

    def __init__(self, arenas: list[Arena], count: int, new_cache: Callable[[Arena, Owner], Cache]) -> None:
        self.here = threading.local()
        self._arenas = arenas
        self._count = count
        self._next = itertools.count()
        self._adoptions = [_adoption(arena, new_cache) for arena in arenas[:count]]

    @property
    def locks(self) -> list[Any]:
        """Every lock, for a fork."""
        return [adoption.lock for adoption in self._adoptions]

    def renew_locks(self, held: set[int]) -> None:
        """In a forked child: replace those that are not held over the fork."""
        for adoption in self._adoptions:
            if id(adoption.lock) not in held:
                adoption.lock = threading.RLock()

    def cache(self) -> Cache:
        """This thread's in front of its arena, or of the next one whose lock is free."""
        number = self._uncontended(self._slot())
        mine: dict[int, Cache] = self.here.__dict__.setdefault("caches", {})
        cache = mine.get(number)
        if cache is None:
            state = self.here.__dict__.setdefault("state", _ThreadState())
            cache = mine[number] = self._adoptions[number].adopt(state)
        self.here.cache = cache
        return cache

    def may_enter(self, arena: Arena) -> bool:
        """Anyone, while the lock is free."""
        return not arena.lock.locked()

    def _slot(self) -> int:
        try:
            slot: int = self.here.slot
        except AttributeError:
            slot = self.here.slot = next(self._next) % self._count
        return slot

    def _uncontended(self, slot: int) -> int:
        for step in range(self._count):
            number = (slot + step) % self._count
            arena = self._arenas[number]
            if not arena.lock.locked():
                if step:
                    self.here.slot = number  # it stays there
                return number
            arena.table.contended += 1  # without its lock: a statistic, which may miss one
        return slot


def _adoption(arena: Arena, new_cache: Callable[[Arena, Owner], Cache]) -> _Adoption:
    return _Adoption(lambda: list(arena.table.caches), lambda owner: new_cache(arena, owner))


class ByCpu(Shared):
    """An arena a CPU this process may run on (``os.sched_getaffinity``), chosen by the CPU the thread runs on just now.

    Asked when a thread's cache has nothing to give. Where the C library does not tell the CPU, each thread keeps to one
    arena as in :class:`Shared`.
    """

    def __init__(self, arenas: list[Arena], cpus: tuple[int, ...], new_cache: Callable[[Arena, Owner], Cache]) -> None:
        super().__init__(arenas, len(cpus), new_cache)
        self._slot_of = {cpu: slot for slot, cpu in enumerate(cpus)}

    def _slot(self) -> int:
        if system.current_cpu is None:
            return super()._slot()
        cpu = system.current_cpu()
        # A process may have been moved to CPUs it was not on when the heap was built.
        return self._slot_of.get(cpu, cpu % self._count)


def arena_count(spec: str | int, *, growable: bool) -> int:
    """How many arenas to build at once: 0 for one a thread, built as threads come. Raises ``InvalidRequestError``."""
    if spec == "cpu":
        return len(system.usable_cpus())
    if spec == "thread":
        if not growable:
            raise InvalidRequestError(
                'arenas="thread" needs a backing that can map more regions; pass a number, or "cpu"'
            )
        return 0
    if isinstance(spec, bool) or not isinstance(spec, int):
        raise InvalidRequestError(f'arenas must be "thread", "cpu" or a number, not {spec!r}')
    if spec < 1:
        raise InvalidRequestError(f"arenas must be at least 1: {spec}")
    return spec


def make_routing(
    spec: str | int,
    arenas: list[Arena],
    new_arena: Callable[[], Arena],
    new_cache: Callable[[Arena, Owner], Cache],
) -> ByThread | Shared:
    """The rule named by a heap's ``arenas=``, over arenas that are there already unless it is one a thread."""
    if spec == "thread":
        return ByThread(arenas, new_arena, new_cache)
    if spec == "cpu":
        return ByCpu(arenas, system.usable_cpus(), new_cache)
    return Shared(arenas, int(spec), new_cache)
