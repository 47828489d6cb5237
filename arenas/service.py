"""How requests are served, between a heap's surface and its manager."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, SupportsIndex

from . import resizing
from .block import Block, HeldBlock
from .ends import Ends
from .errors import HeapClosedError, InvalidRequestError
from .record import Held, Phase, Record, terms
from .shortage import out_of_memory
from .sizes import checked_alignment, checked_size, round_up

if TYPE_CHECKING:
    from .errors import OutOfMemoryError


class Service(Ends):
    """Serves requests. Every method may be called from any thread; none holds a lock of its own."""

    # Positional defaults, though only `size` is meant to be passed by position: keyword-only ones cost an eighth of the
    # whole call. What is unusual, or not at hand in the thread's cache, is served below.
    def alloc(
        self,
        size: SupportsIndex,
        zero: bool = False,  # noqa: FBT001, FBT002
        alignment: SupportsIndex | None = None,
        tag: str | None = None,
        timeout: float | None = 0,
    ) -> Block:
        """A block of ``size`` bytes, uninitialised unless ``zero``.

        ``alignment`` is a power of two up to 1 GiB. ``timeout``: seconds to wait for memory; 0 fails at once, None
        waits for ever. ``tag`` names it in reports. A size of 0 gives a distinct block. O(1) from the thread's cache,
        else O(log n) for n free spans of the thread's arena.

        Raises ``OutOfMemoryError``, with what is free and who holds the rest; ``InvalidRequestError`` for a size or
        alignment that cannot be, ``TypeError`` for what is no integer; ``HeapClosedError``.
        """
        if alignment is None and tag is None and not (zero or timeout) and type(size) is int:
            try:
                cache = self._here.cache
                # A record lost to an interrupt before it is entered in `live` is found by `stray`.
                record = cache.bins[size - 1 >> cache.shift].pop()
                block = HeldBlock()
                block._heap = self
                block._record = record
                record.size = size
                # The serial before the entry, the entry before the look: who closes the heap sets the checkpoint first,
                # and ends what is live after.
                block._serial = record.serial = cache.serial = serial = cache.serial + 1
                cache.live[serial] = record
                if serial < cache.checkpoint:
                    return block
            except (AttributeError, LookupError):
                pass
            else:
                self._look_up(cache)
                return block
        return self._alloc(size, zero=zero, alignment=alignment, tag=tag, timeout=timeout)

    def _alloc(
        self,
        size: SupportsIndex,
        *,
        zero: bool,
        alignment: SupportsIndex | None,
        tag: str | None,
        timeout: float | None,
    ) -> Block:
        block = self._unserved(self._request(size, alignment, tag))
        if zero:
            self._refuse_integers()
        if timeout is not None and not timeout >= 0:
            raise InvalidRequestError(f"timeout must not be negative: {timeout}")
        self._serve(block, zero=zero, timeout=timeout)
        return block

    def _unserved(self, request: Record) -> Block:
        """A handle for a request: it exists first, so that an interruption drops, and frees, what it gets."""
        block = HeldBlock()
        block._heap = self
        block._serial = 0
        block._record = request
        return block

    def _refuse_integers(self) -> None:
        if not self.backing.has_memory:
            raise InvalidRequestError(f"{self.backing!r} has no memory, and no addresses; use alloc() and block.offset")

    def _span(self, size: int, alignment: int) -> int:
        # In steps of the alignment, so that neighbours of one alignment leave no slivers between them.
        return round_up(max(size, 1), max(self._granule, min(alignment, self._alignment)))

    def _request(
        self, size: SupportsIndex, alignment: SupportsIndex | None, tag: str | None, held: Held = Held.HANDLE
    ) -> Record:
        number = checked_size(size)
        usual = self._manager.terms
        if alignment is None and tag is None and held is usual.held:
            return Record(number, -(-number // usual.alignment) * usual.alignment or usual.alignment, usual)
        step = self._alignment if alignment is None else checked_alignment(alignment, self._maximum_alignment)
        if tag is not None and not isinstance(tag, str):
            raise TypeError(f"a tag is a text, not {type(tag).__name__}")
        return Record(number, self._span(number, step), terms(held, step, tag))

    def _serve(self, block: Block, *, zero: bool, timeout: float | None) -> None:
        """Give the block's request a span."""
        while True:
            self._begin()
            if not self._take_ready(block) and not self._take(block):
                self._take_slowly(block, timeout)
            record = block._record
            fresh = record.phase is Phase.FRESH
            record.phase = None  # while nothing can see it yet: what a reset parks stays parked
            if zero:
                self._clear(block, fresh=fresh)
            if self._manager.closed:
                raise HeapClosedError(f"{self!r} was closed")
            if record.serial in record.region.live:  # type: ignore[union-attr]
                return
            # A reset came in between, and took it back: try again, as if called after it.
            block._serial = 0
            block._record = Record(record.size, self._span(record.size, record.alignment), record.terms)

    def _take_ready(self, block: Block) -> bool:
        """Give it a span from the thread's cache, with what others have freed meanwhile."""
        request = block._record
        cache = self._manager.cache_for(request)
        if cache is None:
            return False
        if self._here.cache is not cache:
            self._here.cache = cache  # a façade follows its thread to another arena
        self._manager.collect(cache)
        try:
            record = cache.bins[request.span - 1 >> cache.shift].pop()
        except LookupError:
            return False
        record.size = request.size
        record.terms = request.terms
        if record.terms is not cache.terms:
            record.stock = cache.unstocked
        block._record = record
        block._serial = record.serial = cache.serial = serial = cache.serial + 1
        cache.live[serial] = record
        return True

    def _take(self, block: Block) -> bool:
        record = block._record
        if not self._manager.take(record):
            return False
        self._settle_in(block)
        return True

    def _settle_in(self, block: Block) -> None:
        block._serial = block._record.serial
        self._manager.assign(block._record)

    def _bump(self, chunk: Block, block: Block) -> bool:
        """Give the block a span from the end of a scope's chunk."""
        if not self._manager.bump(chunk._record, block._record):
            return False
        block._serial = block._record.serial
        block._record.phase = None
        return True

    def _take_slowly(self, block: Block, timeout: float | None) -> None:
        record = block._record
        # The first turn is the relief that every request is worth; waiting begins after it.
        turns = self._waiters.turns(timeout if self._manager.could_serve(record) else 0)
        try:
            for turn, _ in enumerate(turns):
                # Before the look: what is freed after it wakes this, and no cache keeps it. At every turn: a thread may
                # have come.
                self._tell_caches()
                if turn and timeout != 0:
                    self._collect()
                self._begin()
                self._manager.relieve()
                if self._take(block):
                    return
            if self._manager.take_anywhere(record):
                self._settle_in(block)
                return
        finally:
            turns.close()
            self._tell_caches()
        raise self._refusal(record)

    def _refusal(self, record: Record, why: str = "") -> OutOfMemoryError:
        self._manager.refusals += 1
        return out_of_memory(self._manager, record, why)

    def _clear(self, block: Block, *, fresh: bool) -> None:
        """Make the memory zeros, unless its pages are known to be."""
        backing = self.backing
        record = block._record
        if record.size == 0 or (fresh and backing.fresh_is_zero and backing.decommit_zeroes):
            return
        # The anchor keeps the span from being used again, should the heap be reset or closed meanwhile. Publish it,
        # then look: what was taken back before is somebody else's by now.
        anchor = record.view(record.size)
        if anchor is not None and not block.released and record.address is not None:
            ctypes.memset(record.address, 0, record.size)  # releases the GIL

    def _after_fork(self) -> None:
        """In the child: the other threads, and a memory that is not the child's own, are gone."""
        self._waiters.forget()
        self._manager.await_memory(awaited=False)
        if not self.backing.fork_private:
            self._manager.close()

    def _resize(self, block: Block, size: SupportsIndex) -> None:
        resizing.resize(self, block, size)
