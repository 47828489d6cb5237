"""The public object: memory for many threads, behind one surface."""

from __future__ import annotations

import dataclasses
import operator
import threading
import time
from typing import TYPE_CHECKING, NoReturn, SupportsIndex

from . import fork, lookup
from .arrays import Arrays
from .backing import AnonymousMemory
from .block import Block
from .errors import HeapClosedError, InvalidRequestError
from .manager import DEFAULT_REGION_BYTES, Manager
from .placement import BestFit
from .pool import Pool
from .protocols import Backing
from .raw import MALLOC_ALIGNMENT, Raw
from .scope import Scope
from .sizes import MAXIMUM_ALIGNMENT, checked_alignment, checked_size
from .snapshot import BlockInfo, Snapshot, spans_of
from .stats import Stats

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    import numpy.typing as npt

    from .layout import Shape
    from .protocols import Clock, LockFactory, PlacementFactory


class Heap(Arrays, Raw):
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
    ``decay_seconds``
        Idle pages go back to the system at the first call after so long; 0: at once; None: only by :meth:`trim`.
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
        step = source.alignment if alignment is None else _default_alignment(alignment, source)
        granule = min(step, MALLOC_ALIGNMENT) if source.has_memory else 1
        if decay_seconds is not None and not decay_seconds >= 0:
            raise InvalidRequestError(f"decay_seconds must not be negative: {decay_seconds}")
        manager = Manager(
            source,
            placement,
            arenas=("thread" if source.growable else 1) if arenas is None else arenas,
            granule=granule,
            limit_bytes=_limit(limit_bytes, source),
            region_bytes=_region_bytes(region_bytes),
            decay_seconds=decay_seconds,
            clock=clock,
            lock_factory=lock_factory,
        )
        super().__init__(manager, alignment=step, granule=granule, warn_on_drop=warn_on_drop)
        self.name = name
        self._permanent = False  # the default heap
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
        block = Block(self, request)
        if not any(arena.take_at(request, start) for arena in self._manager.arenas):
            left = self._manager.budget.left_bytes
            if left is not None and left < request.span:
                raise self._refusal(request)
            raise InvalidRequestError(f"[{start}, {start + request.span}) is not free, or not inside {self.backing!r}")
        return block

    def scope(self) -> Scope:
        """For many short-lived blocks: bump allocation by this thread, all freed when its ``with`` ends."""
        self._begin()
        return Scope(self)

    def pool(
        self,
        shape: Shape,
        dtype: npt.DTypeLike,
        count: SupportsIndex,
        *,
        alignment: SupportsIndex | None = None,
        tag: str | None = None,
    ) -> Pool:
        """``count`` equal arrays that are used again and again: see :class:`Pool`. Needs the extra ``arenas[numpy]``.

        Allocates all of them. Raises as :meth:`alloc`; ``InvalidRequestError`` for a ``count`` below 1, ``TypeError``
        for a dtype that holds objects, ``ImportError`` without NumPy. O(count).
        """
        self._begin()
        return Pool(self, shape, dtype, count, alignment=alignment, tag=tag)

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

        O(arenas + regions), and O(pages) for ``resident_bytes``. Also of a closed heap.
        """
        self._settle()
        total = Stats.total(arena.stats() for arena in list(self._manager.arenas))
        highest = max((arena.peak_live_bytes for arena in total.arenas), default=0)
        self._peak_live_bytes = max(self._peak_live_bytes, highest, total.live_bytes)
        return dataclasses.replace(total, peak_live_bytes=self._peak_live_bytes, out_of_memory=self._out_of_memory)

    def snapshot(self) -> Snapshot:
        """Every span: live, scope, parked, mailbox and free. Holds one arena's lock at a time. O(spans)."""
        self._settle()
        parts = [arena.read(spans_of) for arena in list(self._manager.arenas)]
        return Snapshot(tuple(span for part in parts for span in part), self.name)

    def check(self) -> None:
        """Prove that the spans tile their regions, neighbours are joined, every index agrees and every sum adds up.

        Raises ``CorruptionError`` with the state in its message. O(n log n), one arena's lock at a time. Also of a
        closed heap.
        """
        self._settle()
        self._manager.drain()
        for arena in list(self._manager.arenas):
            arena.check()

    # Upkeep

    def trim(self) -> int:
        """Give every free page and every unused region back to the system; the bytes given back."""
        self._begin()
        return self._manager.relieve()

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

    def _settle(self) -> None:
        self._drain_inbox()
        if not self.closed:
            self._manager.tick()

    def _refuse_closed(self) -> None:
        if self.closed:
            raise HeapClosedError(f"{self!r} is closed")

    def _refuse_permanent(self, what: str) -> None:
        if self._permanent:
            raise InvalidRequestError(
                f"cannot {what} the default heap: others may have blocks in it; make a Heap of your own"
            )


def _default_alignment(alignment: SupportsIndex, backing: Backing) -> int:
    # A file may be mapped at another page the next time, and its offsets are to be aligned then as well.
    lasting = backing.has_memory and not backing.growable
    return checked_alignment(alignment, backing.page_bytes if lasting else MAXIMUM_ALIGNMENT)


def _limit(limit_bytes: SupportsIndex | None, backing: Backing) -> int | None:
    if limit_bytes is None:
        return None
    if not backing.page_bytes:
        raise InvalidRequestError(f"{backing!r} commits nothing that could be limited; its size is its limit")
    limit = checked_size(limit_bytes, "limit_bytes")
    if limit < backing.page_bytes:
        raise InvalidRequestError(f"limit_bytes of {limit} is less than one page ({backing.page_bytes} bytes)")
    return limit


def _region_bytes(region_bytes: SupportsIndex | None) -> int:
    if region_bytes is None:
        return DEFAULT_REGION_BYTES
    size = checked_size(region_bytes, "region_bytes")
    if size == 0:
        raise InvalidRequestError("region_bytes must be positive: 0")
    return size
