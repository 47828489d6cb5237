"""What happens between a heap's public surface and its manager: requests are served, handles end, waiters wait."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import time
import warnings
from collections import deque
from typing import TYPE_CHECKING, SupportsIndex

from . import resizing
from .block import Block, ViewHint
from .errors import (
    ArenaBusyError,
    DoubleFreeError,
    HeapClosedError,
    InvalidRequestError,
)
from .record import Held, Record
from .shortage import out_of_memory
from .sizes import MAXIMUM_ALIGNMENT, MAXIMUM_SIZE, checked_alignment, checked_size, round_up
from .waiting import Waiters

if TYPE_CHECKING:
    from .errors import OutOfMemoryError
    from .manager import Manager
    from .protocols import Backing

# A full collection may free handles in cycles; more often than this it would cost more than it finds.
_COLLECT_SECONDS = 1.0


class Service:
    """The inner half of a heap. Every method may be called from any thread; none holds a lock of its own."""

    def __init__(self, manager: Manager, *, alignment: int, granule: int, warn_on_drop: bool) -> None:
        self._manager = manager
        self._alignment = alignment
        self._granule = granule
        self._maximum_alignment = MAXIMUM_ALIGNMENT if manager.backing.growable else MAXIMUM_SIZE
        self._warn_on_drop = warn_on_drop
        # Left by finalizers: records of dropped handles, hints of views that died. Nothing else may be done there.
        self._inbox: deque[Record | ViewHint] = deque()
        self._waiters = Waiters()
        self._last_collection = 0.0
        self._peak_live_bytes = 0
        self._out_of_memory = 0

    @property
    def backing(self) -> Backing:
        """Where its memory comes from."""
        return self._manager.backing

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called, or the heap could not follow its process through a fork."""
        return self._manager.closed

    # Requests

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

        ``alignment`` is a power of two up to 1 GiB. ``timeout``: seconds to wait for memory; 0 fails at once, None
        waits for ever. ``tag`` names it in reports. A size of 0 gives a distinct block. O(log n) for n free spans of
        the thread's arena.

        Raises ``OutOfMemoryError``, with what is free and who holds the rest; ``InvalidRequestError`` for a size or
        alignment that cannot be, ``TypeError`` for what is no integer; ``HeapClosedError``.
        """
        block = Block(self, self._request(size, alignment, tag))
        if zero:
            self._refuse_integers()
        if timeout is not None and not timeout >= 0:
            raise InvalidRequestError(f"timeout must not be negative: {timeout}")
        self._serve(block, zero=zero, timeout=timeout)
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
        step = self._alignment if alignment is None else checked_alignment(alignment, self._maximum_alignment)
        if tag is not None and not isinstance(tag, str):
            raise TypeError(f"a tag is a text, not {type(tag).__name__}")
        return Record(number, self._span(number, step), step, tag, held)

    def _begin(self) -> None:
        """What every call does first: refuse a closed heap, look into the inbox, give back what decayed."""
        if self._manager.closed:
            raise HeapClosedError(f"{self!r} is closed")
        if self._inbox:
            self._drain_inbox()
        self._manager.tick()

    def _serve(self, block: Block, *, zero: bool, timeout: float | None) -> None:
        """Give the block's request a span. The block exists first, so that an interruption drops, and frees, it."""
        while True:
            self._begin()
            record = block._record
            if not self._manager.take(record):
                self._take_slowly(record, timeout)
            if zero:
                self._clear(record)
            if self._manager.closed:
                raise HeapClosedError(f"{self!r} was closed")
            if record.is_live:
                return
            # A reset came in between, and took it back: try again, as if called after it.
            block._record = Record(
                record.size, self._span(record.size, record.alignment), record.alignment, record.tag, record.held
            )

    def _take_slowly(self, record: Record, timeout: float | None) -> None:
        # The first turn is the relief that every request is worth; waiting begins after it.
        for turn, _ in enumerate(self._waiters.turns(timeout if self._manager.could_serve(record) else 0)):
            self._begin()
            if turn and timeout != 0:
                self._collect()
            self._manager.relieve()
            if self._manager.take(record):
                return
        raise self._refusal(record)

    def _refusal(self, record: Record, why: str = "") -> OutOfMemoryError:
        self._out_of_memory += 1
        return out_of_memory(self._manager, record, why)

    def _collect(self) -> None:
        now = time.monotonic()
        if now - self._last_collection >= _COLLECT_SECONDS:
            self._last_collection = now
            gc.collect()
            self._drain_inbox()

    def _clear(self, record: Record) -> None:
        """Make the memory zeros, unless its pages are known to be."""
        backing = self.backing
        if record.size == 0 or (record.fresh and backing.fresh_is_zero and backing.decommit_zeroes):
            return
        # The anchor keeps the span from being used again, should the heap be reset or closed meanwhile. Publish it,
        # then look: what was taken back before is somebody else's by now.
        anchor = record.view(record.roots, record.size)
        if anchor is not None and record.is_live and record.address is not None:
            ctypes.memset(record.address, 0, record.size)  # releases the GIL

    def _after_fork(self) -> None:
        """In the child: the other threads, and a memory that is not the child's own, are gone."""
        self._waiters.forget()
        if not self.backing.fork_private:
            self._manager.close()

    def _resize(self, block: Block, size: SupportsIndex) -> None:
        resizing.resize(self, block, size)

    # Ends

    def _handle_died(self, record: Record) -> None:
        """From a block's finalizer."""
        self._inbox.append(record)
        if self._waiters:
            self._waiters.wake()

    def _view_died(self, hint: ViewHint, _array: Held = Held.ARRAY) -> None:
        """From a weakref's callback, also while modules are torn down. Of a block that lives on, it is no news."""
        record = self._manager.arena_at[hint.arena_number].table.live.get(hint.serial)
        if record is not None and record.held is not _array:
            return
        self._inbox.append(hint)
        if self._waiters:
            self._waiters.wake()

    def _drain_inbox(self) -> None:
        while True:
            try:
                item = self._inbox.popleft()
            except IndexError:
                return
            if isinstance(item, ViewHint):
                self._look(item)
            elif item.claim():
                item.dropped = True
                seen = not self._warn_on_drop or item.visible()
                self._manager.give(item)
                if not seen and item.held is Held.HANDLE:
                    name = f"{item.number} of {item.size} bytes" + (f", tag {item.tag!r}" if item.tag else "")
                    warnings.warn(f"block {name} was dropped without free()", ResourceWarning, stacklevel=4)

    def _look(self, hint: ViewHint) -> None:
        arena = self._manager.arena_at[hint.arena_number]
        parked = arena.table.parked.get(hint.serial)
        if parked is not None:
            self._manager.give(parked)
            return
        live = arena.table.live.get(hint.serial)
        if live is not None and live.held is Held.ARRAY:
            # Busy: this is a handler or a finalizer, and a slow path will look again.
            with contextlib.suppress(ArenaBusyError):
                arena.reclaim_unseen(live)

    def _release(self, record: Record) -> None:
        """Return a record that this thread has claimed."""
        self._manager.give(record)
        if self._waiters:
            self._waiters.wake()

    def _free_block(self, block: Block) -> None:
        self._begin()
        while True:
            record = block._record
            if record.claim():
                self._release(record)
                return
            if block._record is record:
                raise DoubleFreeError(f"{block!r} was freed already")
            # Moved by a resize between the two looks: free it where it is now.
