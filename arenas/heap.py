"""The public object: memory for many threads, behind one surface."""

from __future__ import annotations

import dataclasses
import operator
import threading
import time
from typing import TYPE_CHECKING, NoReturn, SupportsIndex, cast

from . import fork, lookup, options
from .arrays import Arrays
from .backing import AnonymousMemory
from .ends import Mine
from .errors import HeapClosedError, InvalidRequestError
from .manager import Manager
from .placement import BestFit
from .protocols import Backing
from .raw import MALLOC_ALIGNMENT, Raw
from .record import Held, Record, terms
from .scope import Scope, this_thread
from .sizes import checked_size
from .snapshot import BlockInfo, Snapshot, spans_of
from .stats import Stats
from .system import FREE_THREADED
from .upkeep import Upkeep

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from .block import Block
    from .ends import Here
    from .protocols import Clock, LockFactory, PlacementFactory


class Heap(Arrays, Raw, Upkeep):
    """Blocks of memory (or of any address space) for many threads.

    Parameters, all by keyword:

    ``backing``
        Where memory comes from: :class:`AnonymousMemory` (default), :class:`FileMemory`, :class:`AddressSpace`.
    ``placement``
        Which free span a request gets: called once an arena. Parameters: ``functools.partial(arenas.BestFit,
        split_bytes=64)``.
    ``arenas``
        ``"thread"``: one a thread (default). ``"cpu"``: one a CPU the process may use. A number: so many, shared.
        Over a file or an address space the default is 1, and each arena has an equal part for good.
    ``alignment``
        Of blocks, in bytes: a power of two; 64 by default, 1 over an address space.
    ``limit_bytes``
        Bounds committed bytes, whole pages: those handed out at least once and not since returned. Never exceeded.
    ``region_bytes``
        Longest ordinary region: an arena's first has up to 128 KiB, each further one twice the one before, up to this
        (64 MiB). Blocks of at least 1 MiB, or half of this if that is less, get regions of their own.
    ``cache_bytes``
        What each thread may keep of its freed blocks, ready for its next ones: 1 MiB by default, none over a file or an
        address space. It holds blocks of up to a quarter of that, each counted as 1 KiB at least.
    ``decay_seconds``
        Idle pages go back to the system at the first call after so long (of a thread that is served from its own cache,
        at the 64th at the latest); 0: at once; None: only by :meth:`trim`.
    ``warn_on_drop``
        Whether a block collected without ``free()`` gives a ``ResourceWarning``.
    ``name``
        Shown in its ``repr``.

    Callable from any thread, from signal handlers and from finalizers. Raises ``InvalidRequestError`` for an option
    that cannot be. Two more are for tests and tools: ``clock`` (monotonic seconds) and ``lock_factory`` (makes each
    arena's lock).
    """

    def __init__(
        self,
        *,
        backing: Backing | None = None,
        placement: PlacementFactory = BestFit,
        arenas: str | int | None = None,
        alignment: SupportsIndex | None = None,
        limit_bytes: SupportsIndex | None = None,
        region_bytes: SupportsIndex | None = None,
        cache_bytes: SupportsIndex | None = None,
        decay_seconds: float | None = 10.0,
        warn_on_drop: bool = False,
        name: str | None = None,
        clock: Clock = time.monotonic,
        lock_factory: LockFactory = threading.Lock,
    ) -> None:
        source: Backing = AnonymousMemory() if backing is None else backing
        if not isinstance(source, Backing):
            raise TypeError(f"a backing is wanted, not {type(source).__name__}")
        if not callable(placement):
            raise TypeError(f"placement is called once an arena; {type(placement).__name__} cannot be")
        step = options.alignment_of(alignment, source)
        granule = min(step, MALLOC_ALIGNMENT) if source.has_memory else 1
        if decay_seconds is not None and not decay_seconds >= 0:
            raise InvalidRequestError(f"decay_seconds must not be negative: {decay_seconds}")
        manager = Manager(
            source,
            placement,
            arenas=("thread" if source.growable else 1) if arenas is None else arenas,
            granule=granule,
            limit_bytes=options.limit_of(limit_bytes, source),
            region_bytes=options.region_of(region_bytes),
            decay_seconds=decay_seconds,
            cache_bytes=options.cache_of(cache_bytes, source),
            terms=terms(Held.HANDLE, step, None),
            clock=clock,
            lock_factory=lock_factory,
        )
        super().__init__(manager, alignment=step, granule=granule, warn_on_drop=warn_on_drop)
        self.name = name
        fork.register(self)

    # Blocks

    def adopt(
        self,
        offset: SupportsIndex,
        size: SupportsIndex,
        *,
        alignment: SupportsIndex | None = None,
        tag: str | None = None,
    ) -> Block:
        """A block over ``[offset, offset + size)`` of the backing, its bytes as they are: for a file opened again.

        Only over a backing with one region. ``alignment`` is that which the block was made with. Raises
        ``InvalidRequestError`` unless all of it is free and ``offset`` is so aligned. O(free spans).
        """
        start = checked_size(offset, "offset")
        if self.backing.growable:
            raise InvalidRequestError(f"{self.backing!r} has no lasting offsets to adopt")
        request = self._request(size, alignment, tag)
        if start % request.alignment:
            raise InvalidRequestError(f"offset {start} is not a multiple of the alignment, {request.alignment}")
        self._begin()
        block = self._unserved(request)
        if not self._take_at(request, start):
            left = self._manager.budget.left_bytes
            if left is not None and left < request.span:
                raise self._refusal(request)
            raise InvalidRequestError(f"[{start}, {start + request.span}) is not free, or not inside {self.backing!r}")
        block._serial = request.serial
        request.phase = None
        return block

    def _take_at(self, request: Record, start: int) -> bool:
        for _ in range(2):
            if any(arena.take_at(request, start) for arena in self._manager.arenas):
                return True
            self._manager.drain()  # it may lie in a thread's cache
        return False

    def local(self) -> Local:
        """A façade of this heap for the calling thread, with the same surface: what to hold in a hot loop.

        It saves each allocation the search for the thread's cache, and, without the GIL, threads that each have their
        own do not slow each other down by sharing one heap object. Its blocks may be freed by any thread.
        """
        self._begin()
        return Local(self)

    def scope(self) -> Scope:
        """For many short-lived blocks: bump allocation by this thread, all freed when its ``with`` ends."""
        self._begin()
        return Scope(self)

    # Looking

    def find(self, address: SupportsIndex) -> BlockInfo | None:
        """Which allocation an address lies in, and how far inside; None for free memory and strangers. O(spans of its
        arena).

        Over an ``AddressSpace`` the argument is an offset.
        """
        number = operator.index(address)
        self._refuse_closed()
        return lookup.find(self._manager, number)

    def stats(self) -> Stats:
        """What the heap and each arena hold: frozen, subtractable. Each arena is read under its lock, one after the
        other.

        O(regions + live allocations), and O(pages) for ``resident_bytes``. Also of a closed heap.
        """
        self._settle()
        total = Stats.total(arena.stats() for arena in list(self._manager.arenas))
        highest = max((arena.peak_live_bytes for arena in total.arenas), default=0)
        manager = self._manager
        manager.peak_live_bytes = max(manager.peak_live_bytes, highest, total.live_bytes)
        return dataclasses.replace(total, peak_live_bytes=manager.peak_live_bytes, out_of_memory=manager.refusals)

    def snapshot(self) -> Snapshot:
        """Every span: live, scope, parked, cached and free. Holds one arena's lock at a time. O(spans)."""
        self._settle()
        parts = [arena.read(spans_of) for arena in list(self._manager.arenas)]
        return Snapshot(tuple(span for part in parts for span in part), self.name)

    def check(self) -> None:
        """Prove that the spans tile their regions, neighbours are joined, every index agrees and every sum adds up.

        Raises ``CorruptionError`` with the state in its message. O(n log n), one arena's lock at a time. Also of a
        closed heap.
        """
        self._settle()
        self._manager.sweep()
        for arena in list(self._manager.arenas):
            arena.check()

    # Upkeep

    def reset(self) -> None:
        """Free everything and keep the memory. What something still sees is parked; addresses and handles are dead.

        Raises ``InvalidRequestError`` on the default heap, where others have blocks too.
        """
        self._refuse_permanent("reset")
        self._begin()
        self._manager.release_all()
        self._waiters.end()

    def close(self) -> None:
        """Free everything and give the memory back. Memory that something still sees stays mapped until that is gone.

        Closing twice is harmless. Raises ``InvalidRequestError`` on the default heap.
        """
        self._refuse_permanent("close")
        self._manager.close()
        self.stop_decay()
        self._waiters.end()

    def __enter__(self) -> Self:
        self._refuse_closed()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a heap cannot be copied or pickled: its memory belongs to one process")

    def __repr__(self) -> str:
        name = f" {self.name!r}" if getattr(self, "name", None) else ""
        return (
            f"<Heap{name} over {self.backing!r}, {len(self._manager.arenas)} arenas{', closed' if self.closed else ''}>"
        )

    def _refuse_closed(self) -> None:
        if self.closed:
            raise HeapClosedError(f"{self!r} is closed")

    def _refuse_permanent(self, what: str) -> None:
        if self._manager.permanent:
            raise InvalidRequestError(
                f"cannot {what} the default heap: others may have blocks in it; make a Heap of your own"
            )


class Local(Heap):
    """One thread's façade of a heap: :meth:`Heap.local` makes it, in its thread.

    All but requests may be called from any thread; a request by another is ``InvalidRequestError``, at the latest when
    this thread's cache has nothing at hand. Leaving its ``with`` does not close the heap.
    """

    def __init__(self, heap: Heap) -> None:
        # The same manager, inbox and waiters: only the way to the cache differs. One by one: an object whose `__dict__`
        # was asked for is slower ever after, and so would the heap be.
        for name in ("name", *self.SHARED):
            setattr(self, name, getattr(heap, name))
        self._whole = heap.whole
        self._thread = this_thread()
        # With the GIL, what the fast path does after it popped a record is one step for every other thread. Without,
        # the cache is for its thread alone.
        self._here = cast("Here", threading.local()) if FREE_THREADED else Mine()
        self._here.cache = self._manager.routing.cache()

    @property
    def whole(self) -> Heap:
        """The heap itself."""
        return self._whole

    def _request(
        self, size: SupportsIndex, alignment: SupportsIndex | None, tag: str | None, held: Held = Held.HANDLE
    ) -> Record:
        if this_thread() is not self._thread:
            raise InvalidRequestError(f"{self!r} is for the thread that made it; make another with heap.local()")
        return super()._request(size, alignment, tag, held)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pass

    def __repr__(self) -> str:
        return f"<Local of {self._whole!r}>"
