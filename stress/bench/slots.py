"""Seven live buffers, replaced in turn: what a pipeline does with its frames. A peer makes a buffer of a given size."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any, Final

import arenas

from ..errors import UnavailableError
from .peers import need

SLOTS: Final = 7

_SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - where the system keeps it, not a temporary file of ours

Array = Any
"""A ``numpy.ndarray`` of bytes; NumPy is optional here."""
Make = Callable[[int], tuple[Array, Callable[[], object]]]
"""A buffer of so many bytes, and what ends it once the array is gone."""


class Slots:
    """The buffers of one thread."""

    def __init__(self, make: Make) -> None:
        """All empty."""
        self._make = make
        self._arrays: list[Array] = [None] * SLOTS
        self._ends: list[Callable[[], object]] = [_nothing] * SLOTS

    def replace(self, slot: int, size: int) -> Array:
        """Drop what is in a slot and put a new buffer there."""
        self._arrays[slot] = None
        self._ends[slot]()
        array, self._ends[slot] = self._make(size)
        self._arrays[slot] = array
        return array

    def clear(self) -> None:
        """Drop all."""
        self._arrays = [None] * SLOTS
        for slot, end in enumerate(self._ends):
            self._ends[slot] = _nothing
            end()

    def fill(self, sizes: Iterator[int], count: int) -> None:
        """Replace and fill ``count`` buffers, slot after slot."""
        for slot, size in itertools.islice(zip(itertools.cycle(range(SLOTS)), sizes, strict=False), count):
            self.replace(slot, size).fill(1)


@dataclass(frozen=True, slots=True)
class BufferPeer:
    """One way to get buffers. ``open(largest, threads)``: the most bytes of one, and who will ask; yields what makes a
    `Make`, to be called in each thread.
    """

    name: str
    code: str
    open: Callable[[int, int], AbstractContextManager[Callable[[], Make]]]


@contextmanager
def _heap(_largest: int, _threads: int) -> Iterator[Callable[[], Make]]:
    uint8 = need("numpy").uint8
    with arenas.Heap() as heap:
        yield lambda: lambda size: (heap.ndarray(size, uint8), _nothing)


@contextmanager
def _numpy(_largest: int, _threads: int) -> Iterator[Callable[[], Make]]:
    numpy = need("numpy")
    yield lambda: lambda size: (numpy.empty(size, numpy.uint8), _nothing)


@contextmanager
def _bytearray(_largest: int, _threads: int) -> Iterator[Callable[[], Make]]:
    numpy = need("numpy")
    yield lambda: lambda size: (numpy.frombuffer(bytearray(size), numpy.uint8), _nothing)


@contextmanager
def _ring(largest: int, _threads: int) -> Iterator[Callable[[], Make]]:
    numpy = need("numpy")

    def make_ring() -> Make:
        ring = itertools.cycle([numpy.full(largest, 1, numpy.uint8) for _ in range(SLOTS)])
        return lambda size: (next(ring)[:size], _nothing)

    yield make_ring


@contextmanager
def _shared_memory(largest: int, threads: int) -> Iterator[Callable[[], Make]]:
    numpy = need("numpy")
    status = os.statvfs(_SHARED_MEMORY) if _SHARED_MEMORY.is_dir() else None
    # Touching a page that is not there to be had kills the process.
    if status is None or status.f_bavail * status.f_frsize < 2 * largest * SLOTS * threads:
        raise UnavailableError(f"too little room in {_SHARED_MEMORY}")

    def make(size: int) -> tuple[Array, Callable[[], object]]:
        memory = SharedMemory(create=True, size=size)

        def end() -> None:
            memory.close()
            memory.unlink()

        return numpy.ndarray(size, numpy.uint8, memory.buf), end

    yield lambda: make


@contextmanager
def _pyarrow(_largest: int, _threads: int) -> Iterator[Callable[[], Make]]:
    numpy, pyarrow = need("numpy"), need("pyarrow")
    yield lambda: lambda size: (numpy.frombuffer(pyarrow.allocate_buffer(size), numpy.uint8), _nothing)


@contextmanager
def _torch(_largest: int, _threads: int) -> Iterator[Callable[[], Make]]:
    need("numpy")
    torch = need("torch")
    yield lambda: lambda size: (torch.empty(size, dtype=torch.uint8).numpy(), _nothing)


def _nothing() -> None:
    """Dropping the array was all."""


HEAP: Final = BufferPeer("heap", "heap.ndarray(size, uint8)", _heap)
NUMPY: Final = BufferPeer("np.empty", "np.empty(size, uint8)", _numpy)
BYTEARRAY: Final = BufferPeer("bytearray", "np.frombuffer(bytearray(size), uint8)", _bytearray)
RING: Final = BufferPeer("ring", "next(ring)[:size], filled once before", _ring)
OTHERS: Final = (
    BufferPeer("SharedMemory", "np.ndarray(size, uint8, SharedMemory(create=True, size=size).buf)", _shared_memory),
    BufferPeer("pyarrow", "np.frombuffer(pyarrow.allocate_buffer(size), uint8)", _pyarrow),
    BufferPeer("torch", "torch.empty(size, dtype=torch.uint8).numpy()", _torch),
)
