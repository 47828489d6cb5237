"""How allocations end between a heap's surface and its manager: freed, dropped, or no longer seen."""

from __future__ import annotations

import contextlib
import gc
import time
import warnings
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol, cast

from .block import ENDS_PLAIN, Block, ViewHint
from .cache import UNCLOCKED
from .errors import ArenaBusyError, DoubleFreeError, HeapClosedError
from .record import Held, Record
from .sizes import MAXIMUM_ALIGNMENT, MAXIMUM_SIZE
from .system import FREE_THREADED
from .waiting import Waiters

if TYPE_CHECKING:
    from .cache import Cache
    from .heap import Heap
    from .manager import Manager
    from .protocols import Backing

# A full collection may free handles in cycles; more often than this it would cost more than it finds.
_COLLECT_SECONDS = 1.0


class Here(Protocol):
    """Where the calling thread finds its cache: a ``threading.local``, or what belongs to one thread."""

    cache: Cache


class Mine:
    """The second, with the GIL."""

    __slots__ = ("cache",)
    cache: Cache


class Ends:
    """The innermost part of a heap: its state, its inbox, and what is freed. Any thread may call any method."""

    # What a façade has of its heap: all but the way to the cache.
    SHARED = (
        *("_manager", "_alignment", "_granule", "_maximum_alignment"),
        *("_warn_on_drop", "_inbox", "_waiters", "_watches"),
    )

    def __init__(self, manager: Manager, *, alignment: int, granule: int, warn_on_drop: bool) -> None:
        self._manager = manager
        self._alignment = alignment
        self._granule = granule
        self._maximum_alignment = MAXIMUM_ALIGNMENT if manager.backing.growable else MAXIMUM_SIZE
        self._warn_on_drop = warn_on_drop
        self._here: Here = manager.here
        # Left by finalizers: dropped handles' records and serials, hints of arrays that died. Nothing else may be done
        # there.
        self._inbox: deque[tuple[Record, int] | ViewHint] = deque()
        self._waiters = Waiters()
        self._watches: dict[str, Any] = {}  # at most one: entered by setdefault, which needs no lock

    @property
    def backing(self) -> Backing:
        """Where its memory comes from."""
        return self._manager.backing

    @property
    def whole(self) -> Heap:
        """The heap itself, of which this may be a thread's façade."""
        return cast("Heap", self)

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called, or the heap could not follow its process through a fork."""
        return self._manager.closed

    def _begin(self) -> None:
        """What every call beyond the thread's cache does first: refuse a closed heap, look into the inbox, give back
        what decayed.
        """
        if self._manager.closed:
            raise HeapClosedError(f"{self!r} is closed")
        self._settle()

    def _settle(self) -> None:
        """The same, of a closed heap too."""
        if self._inbox:
            self._drain_inbox()
        cache = getattr(self._here, "cache", None)
        if (cache is None or cache.clock() >= cache.due) and not self._manager.closed:
            self._manager.tick()
        if cache is not None and cache.least_room and not self._waiters:
            self._tell_caches()  # a waiter was interrupted before it could say so

    def _look_up(self, cache: Cache) -> None:
        """The thread of this cache has reached its checkpoint, or the heap was closed."""
        cache.checkpoint = cache.serial + UNCLOCKED
        if self._manager.closed:  # looked at after: who closes it says so first, and sets the checkpoint after
            cache.checkpoint = 0
        self._begin()

    def _collect(self) -> None:
        now = time.monotonic()
        if now - self._manager.last_collection >= _COLLECT_SECONDS:
            self._manager.last_collection = now
            gc.collect()
            if FREE_THREADED:
                # A view of another thread's making ends in the first; only then what it held does, in the second.
                gc.collect()
            self._drain_inbox()

    def _handle_died(self, record: Record, serial: int) -> None:
        """From a block's finalizer."""
        self._inbox.append((record, serial))
        if self._waiters:
            self._waiters.wake()

    def _view_died(self, hint: ViewHint, _array: Held = Held.ARRAY) -> None:
        """From a weakref's callback, also while modules are torn down. Of a block that lives on, it is no news."""
        table = self._manager.arena_at[hint.arena_number].table
        serial = hint.serial
        table.hints.pop(serial, None)
        live = table.live.get(serial)
        if live is not None and live.terms.held is not _array:
            return
        if live is not None or serial in table.parked:
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
            else:
                self._drop(*item)

    def _drop(self, record: Record, serial: int) -> None:
        if not record.claim(serial):
            return
        name = f"{record.number} of {record.size} bytes" + (f", tag {record.tag!r}" if record.tag else "")
        warn = self._warn_on_drop and record.held is Held.HANDLE and not record.visible()
        if record.held is Held.HANDLE:
            record.held = Held.DROPPED
        self._manager.give(record)
        if warn:
            warnings.warn(f"block {name} was dropped without free()", ResourceWarning, stacklevel=5)

    def _look(self, hint: ViewHint) -> None:
        arena = self._manager.arena_at[hint.arena_number]
        parked = arena.table.parked.get(hint.serial)
        if parked is not None:
            self._manager.give(parked)
            return
        live = arena.table.live.get(hint.serial)
        if live is None or live.held is not Held.ARRAY:
            return
        if not live.visible():
            if live.claim(hint.serial):
                self._manager.give(live)
            return
        # Busy: this is a handler or a finalizer, and a slow path will look again.
        with contextlib.suppress(ArenaBusyError):
            arena.reclaim_unseen(hint.serial, live)

    def _release(self, record: Record) -> None:
        """Return a record that this thread has claimed."""
        self._manager.give(record)
        if self._waiters:
            self._waiters.wake()

    def _give(self, record: Record) -> None:
        """Return a record that this thread has claimed, and do what every call beyond the thread's cache does."""
        self._release(record)
        self._settle()

    def _free_slowly(self, block: Block) -> None:
        """What :meth:`arenas.Block.free` does where the span cannot go straight to the thread's cache or its owner's
        mailbox.
        """
        self._begin()
        while True:
            record, serial = block._pair()
            if record.serial == serial and record.claim(serial):
                if ENDS_PLAIN:
                    block.__class__ = Block
                self._release(record)
                return
            if self._manager.lives(serial):
                raise BufferError(f"{block!r} is being moved by another thread")
            if block._record is record:
                raise DoubleFreeError(f"{block!r} was freed already")
            # Moved by a resize between the two looks: free it where it is now.

    def _make_way(self, cache: Cache) -> None:
        """A free has found its thread's cache full, or memory awaited."""
        if cache.awaited and not self._waiters:
            self._tell_caches()  # a waiter was interrupted before it could say so
        self._manager.make_way(cache)
        if self._waiters:
            self._waiters.wake()

    def _tell_caches(self) -> None:
        """Tell every thread's cache whether somebody waits for memory."""
        while True:
            waiting = bool(self._waiters)
            self._manager.await_memory(waiting)
            if bool(self._waiters) == waiting:  # looked at after: one may have come, or the last gone
                return
