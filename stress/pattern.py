"""Self-checking contents: what a block is filled with, and how to see that not one byte has changed.

A block's contents are a window into a megabyte of seeded noise, beginning at a place derived from the block. So the
contents depend on the block *and* on the position within it: another block's bytes, a shifted copy and a cleared page
all show. Filling is one ``memmove`` and checking one ``memcmp``, both called by address: no bytes object is ever built,
except to say what went wrong. Blocks longer than the noise repeat it.

Python's own lock is held across a small copy, since handing it over costs more than the copy, and released across a
large one, so that threads really overlap there.
"""

from __future__ import annotations

import ctypes
import random
from typing import Any, Final

STARTS: Final = 1 << 16
"""Windows begin at one of so many places."""
PERIOD: Final = (1 << 20) + 7
"""Bytes after which the contents of a long block repeat: odd, so that a page moved by whole pages shows."""
_RELEASE_THE_LOCK: Final = 1 << 15
_STRIDE: Final = 40_503  # 2**16 divided by the golden ratio, odd: spreads consecutive blocks over all the starts
_SHOWN: Final = 16


def _function(library: ctypes.CDLL, name: str, result: type[Any] | None) -> Any:  # noqa: ANN401 - a foreign function
    function = library[name]  # a new object each time, so the prototypes below are nobody else's
    function.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
    function.restype = result
    return function


_holding = ctypes.PyDLL(None)
_releasing = ctypes.CDLL(None)
_copy = _function(_holding, "memmove", None)
_copy_large = _function(_releasing, "memmove", None)
_compare = _function(_holding, "memcmp", ctypes.c_int)
_compare_large = _function(_releasing, "memcmp", ctypes.c_int)
_view = _holding["PyMemoryView_FromMemory"]
_view.argtypes, _view.restype = (ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_int), ctypes.py_object
_WRITABLE: Final = 0x200  # PyBUF_WRITE


def view(address: int, size: int) -> memoryview:
    """The bytes at an address, which must not be touched once they are freed.

    Not by way of a ctypes array: each length is a type of its own, and free-threaded Python 3.13 keeps types for ever.
    """
    seen: memoryview = _view(address, size, _WRITABLE)
    return seen


def start_of(block: int) -> int:
    """Where in the noise a new block's window begins."""
    return block * _STRIDE % STARTS


def next_start(start: int) -> int:
    """Where it begins after a resize: elsewhere, so that a stale copy of the old contents cannot pass for the new."""
    return (start + _STRIDE // 2) % STARTS


class Noise:
    """A seeded pattern. Immutable once made, so any number of threads may use it."""

    def __init__(self, seed: int) -> None:
        """Make a megabyte of noise: a few milliseconds."""
        size = PERIOD + STARTS
        self._noise = (ctypes.c_char * size).from_buffer_copy(random.Random(seed).randbytes(size))  # noqa: S311
        self._zeroes = (ctypes.c_char * PERIOD)()
        self._noise_address = ctypes.addressof(self._noise)
        self._zeroes_address = ctypes.addressof(self._zeroes)

    def fill(self, address: int, size: int, start: int) -> None:
        """Write the window that begins at ``start`` into ``size`` bytes at ``address``."""
        source = self._noise_address + start
        if size <= _RELEASE_THE_LOCK:
            _copy(address, source, size)
            return
        filled = min(size, PERIOD)
        _copy_large(address, source, filled)
        while filled < size:  # by doubling: few calls, each of which may have to wait for Python's lock
            step = min(filled, size - filled)
            _copy_large(address + filled, address, step)
            filled += step

    def holds(self, address: int, size: int, start: int) -> bool:
        """Whether all ``size`` bytes at ``address`` are still what `fill` wrote."""
        return _same(address, self._noise_address + start, size)

    def is_zero(self, address: int, size: int) -> bool:
        """Whether all ``size`` bytes at ``address`` are zero."""
        return _same(address, self._zeroes_address, size)

    def extent(self, address: int, size: int, start: int) -> tuple[int, int] | None:
        """Which bytes of a block, first and last, differ from its window. Slow."""
        expected = ctypes.string_at(self._noise_address + start, min(size, PERIOD))
        found = ctypes.string_at(address, size)
        extents = []
        for chunk in range(0, size, PERIOD):
            piece = found[chunk : chunk + PERIOD]
            bits = int.from_bytes(piece, "little") ^ int.from_bytes(expected[: len(piece)], "little")
            if bits:
                extents.append((chunk + ((bits & -bits).bit_length() - 1) // 8, chunk + (bits.bit_length() - 1) // 8))
        return (extents[0][0], extents[-1][1]) if extents else None

    def first_difference(self, address: int, size: int, start: int | None) -> str:
        """Say where and how a block differs from its window, or from zeroes where ``start`` is None. Slow."""
        base = self._zeroes_address if start is None else self._noise_address + start
        expected = ctypes.string_at(base, min(size, PERIOD))
        found = ctypes.string_at(address, size)
        for chunk in range(0, size, PERIOD):
            piece = found[chunk : chunk + PERIOD]
            if piece != expected[: len(piece)]:
                offset = next(i for i in range(len(piece)) if piece[i] != expected[i])
                was, now = (some[offset : offset + _SHOWN].hex(" ") for some in (expected, piece))
                return f"from byte {chunk + offset} on it should be {was} and is {now}"
        return "the difference was gone when looked at again: somebody is still writing"


class Blank(Noise):
    """For addresses with no memory behind them: fills nothing, finds nothing wrong."""

    def __init__(self) -> None:
        """Nothing to prepare."""

    def fill(self, address: int, size: int, start: int) -> None:
        """Leave it."""

    def holds(self, address: int, size: int, start: int) -> bool:
        """Take it for granted."""
        del address, size, start
        return True

    def is_zero(self, address: int, size: int) -> bool:
        """Take it for granted."""
        del address, size
        return True


def _same(address: int, base: int, size: int) -> bool:
    """Whether a range equals the period at ``base``, repeated: its first period must, and then each the one before."""
    if size <= _RELEASE_THE_LOCK:
        return bool(_compare(address, base, size) == 0)
    if _compare_large(address, base, min(size, PERIOD)) != 0:
        return False
    return size <= PERIOD or bool(_compare_large(address, address + PERIOD, size - PERIOD) == 0)
