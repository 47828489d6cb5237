"""The handle of one allocation."""

from __future__ import annotations

import contextlib
import weakref
from typing import TYPE_CHECKING, Any, NoReturn, SupportsIndex, cast

from .errors import BlockReleasedError, DoubleFreeError, HeapClosedError, InvalidRequestError
from .layout import Layout
from .record import Held

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
    """Calls the heap when a view dies. A hint that it is time to look, no proof: finalizers that may read the view
    run after it.
    """

    # No reference to the record itself: those are counted, to find handles that ended without a word.
    __slots__ = ("arena_number", "serial")
    arena_number: int
    serial: int

    @classmethod
    def watch(cls, visible: object, record: Record, heap: Service) -> None:
        """Have the heap called when ``visible`` dies, through which the record's memory can be seen."""
        hint = cls(visible, heap._view_died)
        hint.arena_number = record.arena_number
        hint.serial = record.serial
        record.hint = hint


class Block:
    """One allocation: a span of a heap, and the way to its memory.

    Get one from :meth:`arenas.Heap.alloc`. It ends with :meth:`free`, at the end of ``with block:``, or when the last
    reference to it is dropped; its memory is used again only when nothing can see it any more.

    Usable from any thread. Freed by two at once, exactly one succeeds and the other gets ``DoubleFreeError``.
    It has no ``__buffer__`` on purpose: ``np.ndarray(buffer=block)`` would keep only a reference to the handle, which
    ``free`` could not see.
    """

    __slots__ = ("__weakref__", "_heap", "_record")

    def __init__(self, heap: Service, record: Record) -> None:
        self._heap = heap
        self._record = record

    @property
    def size(self) -> int:
        """Bytes asked for."""
        return self._record.size

    @property
    def capacity(self) -> int:
        """Bytes to which it can grow without moving, whatever its neighbours are."""
        return self._record.span

    @property
    def alignment(self) -> int:
        """The power of two that divides its address."""
        return self._record.alignment

    @property
    def arena(self) -> int:
        """The number of the arena it was taken from."""
        return self._record.arena_number

    @property
    def heap(self) -> Heap:
        """The heap it was taken from."""
        return cast("Heap", self._heap)

    @property
    def tag(self) -> str | None:
        """What the caller named it."""
        return self._record.tag

    @property
    def offset(self) -> int:
        """Where it begins in its backing. Raises ``BlockReleasedError`` once freed."""
        return self._live_record().offset

    @property
    def address(self) -> int:
        """Where it begins in this process. Raises ``InvalidRequestError`` over an ``AddressSpace``,
        ``BlockReleasedError`` once freed.
        """
        address = self._live_record().address
        if address is None:
            raise InvalidRequestError("an AddressSpace has no addresses; use block.offset")
        return address

    @property
    def view(self) -> memoryview:
        """A fresh writable ``memoryview`` of the ``size`` bytes. O(1).

        While it, or anything made from it, is alive the memory is not used again, whatever becomes of the block.
        Raises ``BlockReleasedError`` once freed, ``BufferError`` while another thread resizes the block.
        """
        while True:
            record = self._record
            roots = record.roots  # before the size, which a resize changes first
            size = record.size
            self._live_record()
            # Publish the view's anchor, then look again: freers and movers change the state first, then look for
            # anchors.
            view = record.view(roots, size)
            if record.mover is not None:
                raise BufferError(f"{self!r} is being resized by another thread")
            if view is None or not record.is_live:
                self._live_record()
            elif record.roots is roots and self._record is record:
                if record.hint is None or record.hint() is None:
                    ViewHint.watch(view, record, self._heap)
                return view

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
        self._heap._free_block(self)

    @property
    def released(self) -> bool:
        """Whether it has been freed."""
        return not self._record.is_live

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
        state = "live" if record.is_live else "freed"
        tag = "" if record.tag is None else f", tag {record.tag!r}"
        return f"<Block {record.number} of {record.size} bytes{tag}, {state}>"

    def __del__(self, _ends_with_handle: tuple[Held, ...] = (Held.HANDLE, Held.SCOPE)) -> None:
        # Runs anywhere, also while this thread holds the arena's lock, also when modules are being torn down: leave
        # word, wake a waiter, nothing else.
        record = getattr(self, "_record", None)  # none: interrupted before there was one
        if record is not None and record.is_live and record.held in _ends_with_handle:
            self._heap._handle_died(record)

    def _live_record(self) -> Record:
        record = self._record
        if not record.is_live:
            if self._heap.closed:
                raise HeapClosedError(f"{self!r} went with its heap, which is closed")
            raise BlockReleasedError(f"{self!r} was freed: its memory may belong to another by now")
        return record
