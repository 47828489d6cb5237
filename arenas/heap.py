"""The public object: memory for many threads, behind one surface."""

from __future__ import annotations

import dataclasses
import operator
import threading
import time
from typing import TYPE_CHECKING, Any, SupportsIndex

from . import arrays, fork, lookup
from .backing import AnonymousMemory
from .block import Block, ViewHint
from .errors import DoubleFreeError, HeapClosedError, InvalidRequestError
from .manager import DEFAULT_REGION_BYTES, Manager
from .placement import BestFit
from .record import Held
from .scope import Scope
from .service import Service
from .sizes import checked_alignment, checked_size
from .snapshot import BlockInfo, Snapshot, spans_of
from .stats import Stats

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    import numpy as np
    import numpy.typing as npt

    from .protocols import Backing, Clock, LockFactory, PlacementFactory

    Shape = SupportsIndex | tuple[SupportsIndex, ...]

# What C promises for any type.
MALLOC_ALIGNMENT = 16


class Heap(Service):
    """Blocks of memory (or of any address space) for many threads.

    Parameters, all by keyword:

    ``backing``
        Where memory comes from: :class:`AnonymousMemory` (default), :class:`FileMemory`, :class:`AddressSpace`.
    ``placement``
        Which free span a request gets: called once an arena. Parameters: ``functools.partial(arenas.BestFit, split_bytes=64)``.
    ``arenas``
        ``"thread"``: one a thread (default). ``"cpu"``: one a CPU the process may use. A number: so many, shared. Over a
        file or an address space the default is 1, and each arena has an equal part for good.
    ``alignment``
        Of blocks, in bytes: a power of two; 64 by default, 1 over an address space.
    ``limit_bytes``
        Bounds committed bytes, whole pages: those handed out at least once and not since returned. Never exceeded.
    ``region_bytes``
        Longest ordinary region: an arena's first has up to 128 KiB, each further one twice the one before, up to this (64 MiB).
        Blocks of at least 1 MiB, or half of this if that is less, get regions of their own.
    ``decay_seconds``
        Idle pages go back to the system at the first call after so long; 0: at once; None: only by :meth:`trim`.
    ``warn_on_drop``
        Whether a block collected without ``free()`` gives a ``ResourceWarning``.
    ``name``
        Shown in its ``repr``.

    Callable from any thread, from signal handlers and from finalizers. Raises ``InvalidRequestError`` for an option that cannot be.
    Two more are for tests and tools: ``clock`` (monotonic seconds) and ``lock_factory`` (makes each arena's lock).
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
        backing = AnonymousMemory() if backing is None else backing
        step = backing.alignment if alignment is None else checked_alignment(alignment)
        granule = min(step, MALLOC_ALIGNMENT) if backing.has_memory else 1
        if decay_seconds is not None and decay_seconds < 0:
            raise InvalidRequestError(f"decay_seconds must not be negative: {decay_seconds}")
        manager = Manager(
            backing,
            placement,
            arenas=("thread" if backing.growable else 1) if arenas is None else arenas,
            granule=granule,
            limit_bytes=_limit(limit_bytes, backing),
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

    def alloc(
        self,
        size: SupportsIndex,
        *,
        zero: bool = False,
        alignment: SupportsIndex | None = None,
        tag: str | None = None,
        timeout: float | None = 0,
    ) -> Block:
        """A block of ``size`` bytes, uninitialised unless ``zero``.

        ``alignment`` is a power of two up to 1 GiB. ``timeout``: seconds to wait for memory; 0 fails at once, None waits for ever. ``tag`` names it in
        reports. A size of 0 gives a distinct block. O(log n) for n free spans of the thread's arena.

        Raises ``OutOfMemoryError``, with what is free and who holds the rest; ``InvalidRequestError`` for a size or alignment that cannot
        be, ``TypeError`` for what is no integer; ``HeapClosedError``.
        """
        block = Block(self, self._request(size, alignment, tag))
        if zero and not self.backing.has_memory:
            raise InvalidRequestError(f"{self.backing!r} has no memory to make zero")
        self._serve(block, zero=zero, timeout=timeout)
        return block

    def adopt(self, offset: SupportsIndex, size: SupportsIndex, *, tag: str | None = None) -> Block:
        """A block over ``[offset, offset + size)`` of the backing, its bytes as they are: for a file opened again.

        Only over a backing with one region. Raises ``InvalidRequestError`` unless all of it is free and ``offset`` is aligned as blocks are.
        O(free spans).
        """
        start = checked_size(offset, "offset")
        if self.backing.growable:
            raise InvalidRequestError(f"{self.backing!r} has no lasting offsets to adopt")
        if start % self._alignment:
            raise InvalidRequestError(f"offset {start} is not a multiple of the alignment, {self._alignment}")
        self._begin()
        block = Block(self, self._request(size, None, tag))
        if not any(arena.take_at(block._record, start) for arena in self._manager.arenas):
            raise InvalidRequestError(f"[{start}, {start + block.capacity}) is not free, or not inside {self.backing!r}")
        return block

    def scope(self) -> Scope:
        """For many short-lived blocks: bump allocation by this thread, all freed when its ``with`` ends."""
        self._begin()
        return Scope(self)

    # Arrays

    def ndarray(
        self,
        shape: Shape,
        dtype: npt.DTypeLike = float,
        *,
        order: arrays.Order = "C",
        tag: str | None = None,
        timeout: float | None = 0,
    ) -> np.ndarray[Any, Any]:
        """An uninitialised NumPy array in this heap's memory, which is used again when the last view of it has died.

        A plain ``numpy.ndarray``. Raises as :meth:`alloc`, ``TypeError`` for a dtype that holds objects, ``ImportError`` without NumPy.
        """
        return self._array(arrays.Layout(shape, dtype, order), tag=tag, timeout=timeout)

    def zeros(self, shape: Shape, dtype: npt.DTypeLike = float, **options: Any) -> np.ndarray[Any, Any]:
        """As :meth:`ndarray`, filled with zeros; pages that are known to be zero are not touched."""
        order = options.pop("order", "C")
        return self._array(arrays.Layout(shape, dtype, order), zero=True, **options)

    def full(self, shape: Shape, value: object, dtype: npt.DTypeLike | None = None, **options: Any) -> np.ndarray[Any, Any]:
        """As :meth:`ndarray`, filled with ``value``, whose dtype it gets where none is named."""
        array = self.ndarray(shape, arrays.numpy().asarray(value).dtype if dtype is None else dtype, **options)
        array[...] = value
        return array

    def array(self, source: object, dtype: npt.DTypeLike | None = None, **options: Any) -> np.ndarray[Any, Any]:
        """A copy of ``source`` (anything NumPy makes an array of) in this heap's memory."""
        given = arrays.numpy().asarray(source, dtype)
        array = self.ndarray(given.shape, given.dtype, **options)
        array[...] = given
        return array

    def _array(self, layout: arrays.Layout, *, zero: bool = False, tag: str | None = None, timeout: float | None = 0) -> np.ndarray[Any, Any]:
        block = self.alloc(layout.size_bytes, zero=zero, tag=tag, timeout=timeout)
        array = layout.over(block.view)
        record = block._record
        hint = ViewHint(array, self._view_died)
        hint.record = record
        record.hint = hint
        # Last: from here on the array holds the memory, and the handle may go.
        record.held = Held.ARRAY
        return array

    # C-style

    def malloc(self, size: SupportsIndex) -> int:
        """The address of ``size`` bytes, aligned to 16, for ``ctypes`` and ``cffi``; freed with :meth:`free`.

        ``malloc(0)`` gives a distinct address. Raises as :meth:`alloc`; ``InvalidRequestError`` over an ``AddressSpace``.
        """
        return self._raw(size, MALLOC_ALIGNMENT)

    def calloc(self, count: SupportsIndex, size: SupportsIndex = 1) -> int:
        """The address of ``count * size`` zeroed bytes. Integers have no overflow: what does not fit is ``InvalidRequestError``."""
        return self._raw(checked_size(count, "count") * checked_size(size), MALLOC_ALIGNMENT, zero=True)

    def aligned_alloc(self, alignment: SupportsIndex, size: SupportsIndex) -> int:
        """As :meth:`malloc`, aligned to any power of two up to 1 GiB."""
        return self._raw(size, alignment)

    def realloc(self, address: SupportsIndex | None, size: SupportsIndex) -> int | None:
        """Resize; the address may change. ``realloc(None, n)`` allocates, ``realloc(a, 0)`` frees and gives None.

        Raises as :meth:`malloc` and :meth:`free`; the old memory is then as it was.
        """
        number = checked_size(size)
        if address is None:
            return self.malloc(number)
        if number == 0:
            return self.free(address)
        self._begin()
        block = Block(self, lookup.raw_record(self._manager, self._address(address)))
        self._resize(block, number)
        return self._detach(block)

    def free(self, address: SupportsIndex | None) -> None:
        """Free what :meth:`malloc` and its kin gave; None is nothing.

        Raises ``DoubleFreeError``, ``InteriorAddressError``, ``ForeignAddressError`` or plain ``InvalidFreeError``, with nothing changed;
        ``TypeError`` for a block (call ``block.free()``). An address freed long ago and not in use is an ``InvalidFreeError``; one in use again
        is somebody else's, and cannot be told from theirs.
        """
        if address is None:
            return
        number = self._address(address)
        self._begin()
        record = lookup.raw_record(self._manager, number)
        if not record.claim():
            raise DoubleFreeError(f"address {number:#x} was freed by another thread at the same time")
        self._release(record)

    def find(self, address: SupportsIndex) -> BlockInfo | None:
        """Which allocation an address lies in, and how far inside; None for free memory and strangers. O(spans of one region).

        Over an ``AddressSpace`` the argument is an offset.
        """
        number = self._address(address)
        self._refuse_closed()
        return lookup.find(self._manager, number)

    def _raw(self, size: SupportsIndex, alignment: SupportsIndex, *, zero: bool = False) -> int:
        if not self.backing.has_memory:
            raise InvalidRequestError(f"{self.backing!r} has no addresses; use alloc() and block.offset")
        block = Block(self, self._request(size, alignment, None))
        self._serve(block, zero=zero, timeout=0)
        return self._detach(block)

    @staticmethod
    def _detach(block: Block) -> int:
        address = block._record.address
        assert address is not None
        block._record.held = Held.ADDRESS
        return address

    @staticmethod
    def _address(address: SupportsIndex) -> int:
        if isinstance(address, Block):
            raise TypeError(f"{address!r} is a handle, not an address: call block.free()")
        return operator.index(address)

    # Looking

    def stats(self) -> Stats:
        """What the heap and each arena hold: frozen, subtractable. Each arena is read under its lock, one after the other.

        O(arenas + regions), and O(pages) for ``resident_bytes``. Also of a closed heap.
        """
        self._settle()
        total = Stats.total(arena.stats() for arena in list(self._manager.arenas))
        self._manager.sample_peak()
        return dataclasses.replace(total, peak_live_bytes=self._manager.peak_live_bytes, out_of_memory=self._out_of_memory)

    def snapshot(self) -> Snapshot:
        """Every span: live, scope, parked, mailbox and free. Holds one arena's lock at a time. O(spans)."""
        self._settle()
        parts = [arena.read(spans_of) for arena in list(self._manager.arenas)]
        return Snapshot(tuple(span for part in parts for span in part), self.name)

    def check(self) -> None:
        """Prove that the spans tile their regions, neighbours are joined, every index agrees and every sum adds up.

        Raises ``CorruptionError`` with the state in its message. O(n log n), one arena's lock at a time. Also of a closed heap.
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
        self._waiters.wake()

    def close(self) -> None:
        """Free everything and give the memory back. Memory that something still sees stays mapped until that is gone.

        Closing twice is harmless. Raises ``InvalidRequestError`` on the default heap.
        """
        self._refuse_permanent("close")
        self._manager.close()
        self._waiters.wake()

    def __enter__(self) -> Self:
        self._refuse_closed()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        name = f" {self.name!r}" if getattr(self, "name", None) else ""
        return f"<Heap{name} over {self.backing!r}, {len(self._manager.arenas)} arenas{', closed' if self.closed else ''}>"

    def _settle(self) -> None:
        self._drain_inbox()
        if not self.closed:
            self._manager.tick()

    def _refuse_closed(self) -> None:
        if self.closed:
            raise HeapClosedError(f"{self!r} is closed")

    def _refuse_permanent(self, what: str) -> None:
        if self._permanent:
            raise InvalidRequestError(f"cannot {what} the default heap: others may have blocks in it; make a Heap of your own")


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
