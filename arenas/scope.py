"""Bump allocation: many short-lived blocks that end together."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any, NoReturn, SupportsIndex

from .errors import DoubleFreeError, HeapClosedError, InvalidRequestError
from .layout import Layout
from .record import Held, Record, terms

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    import numpy as np
    import numpy.typing as npt

    from .block import Block
    from .heap import Heap
    from .layout import Shape

CHUNK_BYTES = 64 << 10

_local = threading.local()


def this_thread() -> object:
    """An object of the calling thread's own, the same at every call."""
    # An object of the thread's own: numbers from get_ident are used again.
    mine: object = _local.__dict__.setdefault("mine", object())
    return mine


class Scope:
    """Hands out pieces of chunks from their end downwards, without a search; everything in it is freed when it ends.

    For one thread: that which made it (another gets ``InvalidRequestError``). A block may be freed earlier; a view
    that outlives the scope keeps its own span only. What is left of the chunks counts as cached. ``alloc`` is O(1)
    but for new chunks, the end O(blocks).
    """

    def __init__(self, heap: Heap) -> None:
        """Get one from :meth:`arenas.Heap.scope`."""
        self._heap = heap
        self._thread = this_thread()
        self._blocks: list[Block] = []
        self._chunks: list[Block] = []
        self._closed = False

    def alloc(
        self, size: SupportsIndex, *, zero: bool = False, alignment: SupportsIndex | None = None, tag: str | None = None
    ) -> Block:
        """A block that ends with the scope at the latest. Arguments and errors as of :meth:`arenas.Heap.alloc`."""
        self._refuse_strangers()
        heap = self._heap
        record = heap._request(size, alignment, tag)
        if zero:
            heap._refuse_integers()
        block = heap._unserved(record)
        if max(record.span, 16 * record.alignment) > CHUNK_BYTES // 4 or not heap.backing.has_memory:
            heap._serve(block, zero=zero, timeout=0)
        else:
            self._bump(block)
            if zero:
                heap._clear(block, fresh=False)  # another one than above, if the heap was reset meanwhile
        # Interrupted before this, the block is dropped, and freed like any other.
        self._blocks.append(block)
        return block

    def ndarray(self, shape: Shape, dtype: npt.DTypeLike = float) -> np.ndarray[Any, Any]:
        """An uninitialised NumPy array in the scope's memory. Needs the extra ``arenas[numpy]``."""
        layout = Layout(shape, dtype)
        self._heap._refuse_integers()
        return layout.over(self.alloc(layout.size_bytes).view)

    def close(self) -> None:
        """Free everything. Harmless when done already; an interrupted one can be repeated."""
        self._refuse_strangers(closing=True)
        self._closed = True
        for blocks in (self._blocks, self._chunks):
            while blocks:
                # Freed earlier, by another thread just now, or with its heap: ended all the same.
                with contextlib.suppress(DoubleFreeError, HeapClosedError):
                    blocks[-1].free()
                blocks.pop()

    def __enter__(self) -> Self:
        self._refuse_strangers()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a scope cannot be copied or pickled: it ends once")

    def __repr__(self) -> str:
        return f"<Scope of {len(self._blocks)} blocks, {'closed' if self._closed else 'open'}>"

    def _bump(self, block: Block) -> None:
        heap, record = self._heap, block._record
        heap._begin()
        while not (self._chunks and heap._bump(self._chunks[-1], block)):
            # Aligned like the request, so that a fresh chunk has room for it.
            chunk = heap._unserved(Record(0, CHUNK_BYTES, terms(Held.SCOPE, record.alignment, None)))
            if not heap._take(chunk):
                # Too little memory for a chunk may be enough for the request.
                heap._serve(block, zero=False, timeout=0)
                return
            self._chunks.append(chunk)

    def _refuse_strangers(self, *, closing: bool = False) -> None:
        if this_thread() is not self._thread:
            raise InvalidRequestError("a scope belongs to the thread that made it")
        if self._closed and not closing:
            raise HeapClosedError("the scope is closed")
