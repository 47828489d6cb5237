"""What else there is in Python to hold bytes in: each as a pool, written as anybody would write an adapter."""

from __future__ import annotations

import multiprocessing.heap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    # What ``multiprocessing.heap.Heap.malloc`` gives: an arena, and where in it the block begins and ends.
    Piece = tuple[Any, int, int]


class ByteArrays:
    """``bytearray``: the token is the block, and ends when it is forgotten."""

    alignment = 8  # what Python's own allocators promise for the smallest
    forgetful = True

    def allocate(self, size: int) -> bytearray:
        """A new one."""
        return bytearray(size)

    def free(self, token: bytearray) -> None:
        """Whoever calls this forgets it."""

    def view(self, token: bytearray) -> bytearray:
        """It is a buffer itself."""
        return token

    def resize(self, token: bytearray, size: int) -> bytearray:
        """In place, as it grows for everybody."""
        if size < len(token):
            del token[size:]
        else:
            token.extend(bytes(size - len(token)))
        return token


class NumpyArrays:
    """``numpy.empty``: the same with arrays, over C's ``malloc`` and NumPy's cache in front of it."""

    alignment = 16
    forgetful = True

    def __init__(self) -> None:
        """Raises ``ImportError`` where there is no NumPy."""
        import numpy as np  # noqa: PLC0415 - optional

        self._empty = np.empty

    def allocate(self, size: int) -> np.ndarray[Any, Any]:
        """A new one."""
        return self._empty(size, "u1")

    def free(self, token: np.ndarray[Any, Any]) -> None:
        """Whoever calls this forgets it."""

    def view(self, token: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """It is a buffer itself."""
        return token

    def resize(self, token: np.ndarray[Any, Any], size: int) -> np.ndarray[Any, Any]:
        """``realloc``: nothing else refers to it, though NumPy cannot know that."""
        token.resize(size, refcheck=False)
        return token


class SharedHeap:
    """``multiprocessing.heap``: what ``multiprocessing``'s shared ctypes are allocated from."""

    alignment = 8

    def __init__(self) -> None:
        """One of its own, not the one that ``multiprocessing`` uses."""
        self._heap: Any = multiprocessing.heap.Heap()

    def allocate(self, size: int) -> Piece:
        """``malloc``."""
        piece: Piece = self._heap.malloc(size)
        return piece

    def free(self, token: Piece) -> None:
        """``free``."""
        self._heap.free(token)

    def view(self, token: Piece) -> memoryview:
        """Its part of the arena."""
        arena, start, stop = token
        return memoryview(arena.buffer)[start:stop]

    def committed_bytes(self) -> int:
        """What its arenas have; there is no public way to ask."""
        return sum(arena.size for arena in list(self._heap._arenas))  # noqa: SLF001 - see above
