"""A bounded number of equal arrays, each handed out again when nothing sees it any more."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import operator
import sys
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, SupportsIndex

from .errors import (
    BlockReleasedError,
    DoubleFreeError,
    HeapClosedError,
    InvalidRequestError,
    OutOfMemoryError,
    PoolTimeoutError,
)
from .layout import Layout
from .line import Line
from .sizes import checked_size

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

    import numpy as np
    import numpy.typing as npt

    from .block import Block
    from .heap import Heap
    from .layout import Shape


class _Lease:
    """What an array handed out lies over: ``_lease_type`` makes a ctypes array of it. It dies with the last array, view
    or slice over it, and says so *after* its memory has become invisible; a weakref's callback would come before.
    """

    ending: ClassVar[int]  # references to a lease while it dies: measured, since interpreters differ
    home: tuple[int, list[int], Line] | None = None  # the buffer's index, and whom to tell
    view: memoryview | None = None

    def __del__(self, _references: Any = sys.getrefcount) -> None:  # noqa: ANN401 - kept while modules are torn down
        # More references: garbage in a cycle, which other finalizers may still read. It ends without a word.
        if self.home is None or _references(self) > self.ending:
            return
        self.view = None
        index, ready, line = self.home
        ready.append(index)
        line.wake()


@functools.cache  # as ctypes keeps its own, 3 KB each: some interpreters never free a class
def _lease_type(size: int) -> Any:  # noqa: ANN401 - what mypy cannot know
    return type("Lease", (_Lease, ctypes.Array), {"_type_": ctypes.c_ubyte, "_length_": size})


def _measure_ending() -> int:
    counts: list[int] = []

    class Specimen:
        def __del__(self, _references: Any = sys.getrefcount) -> None:  # noqa: ANN401 - as above
            counts.append(_references(self))

    Specimen()
    return counts[0]


_Lease.ending = _measure_ending()


class _Buffer:
    """One block of a pool. It is ready while nothing sees its memory: no flag says so, the reference counts do."""

    __slots__ = ("block", "taken")

    def __init__(self, block: Block) -> None:
        self.block = block
        self.taken = 0  # how often it was handed out


class Pool:
    """``count`` equal arrays in a heap's memory, and backpressure: who wants one more waits until one is ready again.

    Get one from :meth:`arenas.Heap.pool`. An array goes back by itself, when the last view, slice or array over it has
    died; it is never handed out before. All memory is allocated when the pool is made, so :meth:`get` never runs out
    of it; the array used last is handed out first, its memory is warm.

    Usable from any thread, from signal handlers and from finalizers. A pool ends with :meth:`close`, at the end of
    ``with pool:``, when the last reference to it is dropped, and with its heap's ``reset()`` or ``close()``; arrays
    that are out stay valid. A forked child has a copy of its own, in which the arrays of other threads stay out.
    In asyncio: ``await asyncio.to_thread(pool.get, timeout)``.
    """

    def __init__(
        self,
        heap: Heap,
        shape: Shape,
        dtype: npt.DTypeLike,
        count: SupportsIndex,
        *,
        alignment: SupportsIndex | None = None,
        tag: str | None = None,
    ) -> None:
        self._heap = heap
        self._layout = Layout(shape, dtype)
        heap._refuse_integers()
        self._count = number = operator.index(count)
        if number < 1:
            raise InvalidRequestError(f"a pool of {number} arrays could serve nobody")
        size = self._layout.size_bytes
        checked_size(size * number, "size of a pool")
        self._line = Line()
        self._ready = list(range(number))[::-1]  # which may be ready, the best last: those that sent word
        self._buffers: list[_Buffer] = []  # none once closed
        self._lease = _lease_type(size)
        heap._waiters.add(self._line)
        try:
            for _ in range(number):
                self._buffers.append(_Buffer(heap.alloc(size, alignment=alignment, tag=tag)))
        except BaseException as error:
            made = len(self._buffers)
            self.close()
            if isinstance(error, OutOfMemoryError):
                raise OutOfMemoryError(f"array {made + 1} of a pool of {number}: {error}") from None
            raise

    def get(self, timeout: float | None = None) -> np.ndarray[Any, Any]:
        """An array that nothing else sees, uninitialised: a plain ``numpy.ndarray``, in C order.

        Waits ``timeout`` seconds for one, ``None`` for ever; 0 fails at once, also while others wait. Who has waited
        longest is served first. O(1) where an array is known to be ready, else O(count) for each look.

        Raises ``PoolTimeoutError``, ``HeapClosedError`` once the pool was closed, ``InvalidRequestError`` for a
        negative timeout. Without the GIL an array that another thread dropped may be back only when the one that got
        it runs again, or garbage is collected, which who waits has done once a second.
        """
        if timeout is not None and not timeout >= 0:
            raise InvalidRequestError(f"timeout must not be negative: {timeout}")
        array = self._line.serve(self._take, timeout, self._heap._collect)
        if array is None:
            raise PoolTimeoutError(
                f"no array was ready within {timeout} s: all {self.count} of {self._what} are out, "
                f"and {len(self._line)} other threads wait"
            )
        return array

    @property
    def count(self) -> int:
        """How many arrays there are, ready or out."""
        return self._count

    def __len__(self) -> int:
        return self._count

    @property
    def free(self) -> int:
        """How many arrays are ready now; 0 while threads wait, and once closed. O(count)."""
        return self._line.serve(self._count_ready, 0, self._heap._collect) or 0

    @property
    def shape(self) -> tuple[int, ...]:
        """Of each array."""
        return self._layout.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of each array."""
        dtype: np.dtype[Any] = self._layout.dtype
        return dtype

    @property
    def closed(self) -> bool:
        """Whether the pool was closed, or its heap reset or closed."""
        return not self._buffers or any(buffer.block.released for buffer in self._buffers)

    def close(self) -> None:
        """Give the memory back to the heap. Arrays that are out stay valid, and their memory theirs until they die.

        Whoever waits gets ``HeapClosedError``. Harmless when done already; an interrupted one can be repeated.
        """
        for buffer in self._buffers:
            # With its heap, or by another thread just now: ended all the same.
            with contextlib.suppress(DoubleFreeError, HeapClosedError):
                buffer.block.free()
        self._buffers = []  # an interrupted free is made good once nobody has the handle
        self._line.wake()

    def __enter__(self) -> Self:
        if self.closed:
            raise self._end()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a pool cannot be copied or pickled: its memory belongs to one process")

    def __repr__(self) -> str:
        return f"<Pool of {self.count} arrays, each {self._what}{', closed' if self.closed else ''}>"

    @property
    def _what(self) -> str:
        return f"{self.shape} {self.dtype} ({self._layout.size_bytes} bytes)"

    def _end(self) -> HeapClosedError:
        return HeapClosedError(f"{self!r} is closed")

    # What the line calls: by one thread at a time, and by the handlers and finalizers that interrupt it.

    def _take(self) -> np.ndarray[Any, Any] | None:
        buffers = self._buffers
        for index in self._candidates():
            if not buffers or (buffer := buffers[index]).block.released:
                raise self._end()
            taken = buffer.taken
            if buffer.block._record.visible():
                continue
            lease = self._lease_of(buffer.block, index)
            if buffer.taken == taken:  # else a handler or a finalizer was faster; and no call between this and the next
                buffer.taken = taken + 1
                return self._layout.over(lease)
        return None

    def _candidates(self) -> Iterator[int]:
        # Those that sent word; then all, for not every end does.
        with contextlib.suppress(IndexError):
            while True:
                yield self._ready.pop()
        yield from range(self._count)

    def _lease_of(self, block: Block, index: int) -> Any:  # noqa: ANN401 - a ctypes array that the pool has made
        try:
            lease = self._lease.from_address(block.address)
            lease.home = index, self._ready, self._line
            lease.view = block.view  # what keeps it visible; not in a variable, which a traceback would keep
        except (BlockReleasedError, HeapClosedError):
            raise self._end() from None
        return lease

    def _count_ready(self) -> int:
        if self.closed:
            return 0
        return sum(not buffer.block._record.visible() for buffer in self._buffers)
