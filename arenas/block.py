"""The handle of one allocation."""

from __future__ import annotations

import contextlib
import time
import weakref
from sys import getrefcount
from threading import get_ident
from typing import TYPE_CHECKING, Any, NoReturn, SupportsIndex

from .errors import BlockReleasedError, DoubleFreeError, HeapClosedError, InvalidRequestError
from .layout import Layout
from .record import UNSEEN_FIRST, Handle, Held, Mover, number
from .system import FREE_THREADED

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    import numpy as np
    import numpy.typing as npt

    from .heap import Heap
    from .layout import Shape
    from .record import Record
    from .service import Service


class ViewHint(weakref.ref[Any]):
    """Calls the heap when a view dies. A hint that it is time to look, no proof: finalizers that may read the view run
    after it.
    """

    # No reference to the record itself: those are counted, to find handles that ended without a word.
    __slots__ = ("arena_number", "serial")
    arena_number: int
    serial: int

    @classmethod
    def watch(cls, visible: object, record: Record, heap: Service) -> None:
        """Have the heap called when ``visible`` dies, through which the record's memory can be seen."""
        hints = heap._manager.arena_at[record.arena_number].table.hints
        serial = record.serial
        watched = hints.get(serial)
        if watched is None or watched() is None:  # one is enough for a hint
            hint = cls(visible, heap._view_died)
            hint.arena_number = record.arena_number
            hint.serial = serial
            hints[serial] = hint


class Block(Handle):
    """One allocation: a span of a heap, and the way to its memory.

    Get one from :meth:`arenas.Heap.alloc`. It ends with :meth:`free`, at the end of ``with block:``, or when the last
    reference to it is dropped; its memory is used again only when nothing can see it any more.

    Usable from any thread. Freed by two at once, exactly one succeeds and the other gets ``DoubleFreeError``. Once it
    has ended only its ``repr``, ``heap`` and ``released`` can be asked; all else is ``BlockReleasedError``.
    It has no ``__buffer__`` on purpose: ``np.ndarray(buffer=block)`` would keep only a reference to the handle, which
    ``free`` could not see.
    """

    __slots__ = ()
    _heap: Service
    _record: Record
    _serial: int

    @property
    def size(self) -> int:
        """Bytes asked for."""
        return self._live_record().size

    @property
    def capacity(self) -> int:
        """Bytes to which it can grow without moving, whatever its neighbours are."""
        return self._live_record().span

    @property
    def alignment(self) -> int:
        """The power of two that divides its address."""
        return self._live_record().alignment

    @property
    def arena(self) -> int:
        """The number of the arena it was taken from."""
        return self._live_record().arena_number

    @property
    def heap(self) -> Heap:
        """The heap it was taken from."""
        return self._heap.whole

    @property
    def tag(self) -> str | None:
        """What the caller named it."""
        return self._live_record().tag

    @property
    def offset(self) -> int:
        """Where it begins in its backing."""
        return self._live_record().offset

    @property
    def address(self) -> int:
        """Where it begins in this process. Raises ``InvalidRequestError`` over an ``AddressSpace``."""
        address = self._live_record().address
        if address is None:
            raise InvalidRequestError("an AddressSpace has no addresses; use block.offset")
        return address

    @property
    def view(self) -> memoryview:
        """A fresh writable ``memoryview`` of the ``size`` bytes. O(1).

        While it, or anything made from it, is alive the memory is not used again, whatever becomes of the block.
        Raises ``BufferError`` while another thread resizes the block.
        """
        while True:
            record = self._record
            size = record.size
            # Publish the view's anchor, then look: freers and movers change the state first, then look for anchors.
            view = record.view(size)
            if (
                view is not None
                and self._serial in record.region.live  # type: ignore[union-attr]
                and (record.phase is None or not record.barred)
                and record.size == size
                and self._record is record
            ):
                if record.region.awaited:  # type: ignore[union-attr]
                    ViewHint.watch(view, record, self._heap)
                return view
            view = None  # an error's traceback keeps this frame, and must not keep a successor's memory visible
            self._live_record()
            if record.barred:
                raise BufferError(f"{self!r} is being resized by another thread")

    def ndarray(self, shape: Shape, dtype: npt.DTypeLike = float) -> np.ndarray[Any, Any]:
        """A NumPy array over the block's memory, from its start; it counts as a view. Needs the extra
        ``arenas[numpy]``.

        Raises ``InvalidRequestError`` if the block is too small for it, ``TypeError`` for a dtype that holds objects.
        """
        layout = Layout(shape, dtype)
        if layout.size_bytes > self.size:
            raise InvalidRequestError(f"an array of {layout.size_bytes} bytes does not fit into {self!r}")
        return layout.over(self.view)

    def resize(self, size: SupportsIndex) -> None:
        """Change the size; contents are kept up to the smaller of the two. In place where there is room, else by
        moving.

        Raises ``BufferError`` while a view is alive (as ``bytearray`` does), ``OutOfMemoryError`` with nothing changed,
        ``BlockReleasedError`` once freed, ``InvalidRequestError`` and ``TypeError`` for what is no size.
        """
        self._heap._resize(self, size)

    def free(self) -> None:
        """Give the memory back. Raises ``DoubleFreeError`` if that was done already."""
        record = self._record
        serial = self._serial
        stock = record.stock
        cache = stock.cache
        mine = cache.ident == get_ident()  # before the claim: after it, a call is where an interrupt could fall
        if FREE_THREADED and record.serial != serial:
            self._heap._free_slowly(self)  # freed long ago, or met between a resize's two stores
            return
        try:
            # The claim: of two threads that try, one finds the entry. No call, so no interrupt between it and the push.
            del cache.live[serial]
        except KeyError:
            self._heap._free_slowly(self)
            return
        # Claimed first, then looked: who makes a view, or resizes, publishes first and then looks for the claim.
        if record.phase is not None or record.stock is not stock:
            self._heap._release(record)
            return
        roots = record.roots
        if roots:
            try:
                # What `record.visible()` says, without its call where one owner was looked at once.
                seen = getrefcount(roots[0]) > UNSEEN_FIRST or ((FREE_THREADED or len(roots) > 1) and record.visible())
            except BaseException:
                cache.mailbox.append(record)  # an interrupt; who drains it looks again
                raise
            if seen:
                self._heap._release(record)
                return
        if ENDS_PLAIN:
            self.__class__ = Block  # which has no finalizer to run
        if mine:
            stock.ready.append(record)
            cache.room = room = cache.room - stock.charge
            if room < cache.least_room:  # which is looked at after the push
                self._heap._make_way(cache)
        elif stock.charge:
            cache.mailbox.append(record)
            if cache.least_room:
                self._heap._waiters.wake()
        else:
            self._heap._give(record)

    @property
    def released(self) -> bool:
        """Whether it has been freed."""
        record, serial = self._pair()
        if record.serial == serial:
            return record.region is None or serial not in record.region.live
        return not self._heap._manager.lives(serial)

    def __enter__(self) -> Self:
        self._live_record()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # Freed inside, by another thread just now, or with its heap: ended all the same.
        with contextlib.suppress(DoubleFreeError, HeapClosedError):
            self.free()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a block cannot be copied or pickled: its memory has one owner; copy bytes(block.view)")

    def __repr__(self) -> str:
        record = self._record
        size, tag = f" of {record.size} bytes", "" if record.tag is None else f", tag {record.tag!r}"
        if record.serial != self._serial:
            size = tag = ""  # the record serves another allocation by now
        return f"<Block {number(self._serial)}{size}{tag}, {'freed' if self.released else 'live'}>"

    def _pair(self) -> tuple[Record, int]:
        """The record and the serial, which belong together unless the record serves another allocation by now."""
        record, serial = self._record, self._serial
        for _ in range(_PATIENCE):
            if record.serial == serial:
                break
            # The phase first: it is cleared after a resize has stored both.
            if not isinstance(record.phase, Mover) and self._record is record and self._serial == serial:
                break
            time.sleep(0)
            record, serial = self._record, self._serial
        return record, serial

    def _live_record(self) -> Record:
        while True:
            record, serial = self._pair()
            region = record.region
            if region is not None and record.serial == serial and serial in region.live:
                return record
            if self._heap._manager.lives(serial):
                raise BufferError(f"{self!r} is being moved by another thread")
            if self._record is record:
                break
        if self._heap.closed:
            raise HeapClosedError(f"{self!r} went with its heap, which is closed")
        raise BlockReleasedError(f"{self!r} was freed: its memory may belong to another by now")


class HeldBlock(Block):
    """A block that has not been freed yet. Dropped, it gives its memory back."""

    __slots__ = ()

    def __del__(self, _ends_with_handle: tuple[Held, ...] = (Held.HANDLE, Held.SCOPE)) -> None:
        # Runs anywhere, also while this thread holds the arena's lock, also when modules are being torn down: leave
        # word, wake a waiter, nothing else.
        try:
            record = self._record
            serial = self._serial or record.serial  # none yet: interrupted just after it was served
            if serial in record.region.live and record.terms.held in _ends_with_handle:  # type: ignore[union-attr]
                self._heap._handle_died(record, serial)
        except AttributeError:
            pass  # interrupted before it had a record, or that a region


# A freed block becomes a plain one: that costs an eighth of the finalizer's call. Without the GIL, changing an object's
# class may stop the world.
ENDS_PLAIN = not FREE_THREADED

# Without the GIL a resize may be met between its two stores; so often it is looked at again. Not for ever: the one that
# waits may be a handler in the thread that resizes what this block's memory is used for now.
_PATIENCE = 1000 if FREE_THREADED else 0
