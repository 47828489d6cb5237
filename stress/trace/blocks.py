"""Which blocks of a recording are live and which were, in little memory however long the recording."""

from __future__ import annotations

from typing import Final

_PAGE_BITS: Final = 11


class Bitmap:
    """A set of integers, kept as pages of 2,048 bits: a bit for each where they are dense, as names of blocks are."""

    __slots__ = ("_pages",)

    def __init__(self) -> None:
        """Begin empty."""
        self._pages: dict[int, bytearray] = {}  # number >> _PAGE_BITS: its page

    def add(self, number: int) -> None:
        """Put a number in; harmless when it is."""
        page = self._pages.get(number >> _PAGE_BITS)
        if page is None:
            page = self._pages[number >> _PAGE_BITS] = bytearray(1 << (_PAGE_BITS - 3))
        bit = number & ((1 << _PAGE_BITS) - 1)
        page[bit >> 3] |= 1 << (bit & 7)

    def discard(self, number: int) -> None:
        """Take a number out; harmless when it is not in."""
        page = self._pages.get(number >> _PAGE_BITS)
        if page is not None:
            bit = number & ((1 << _PAGE_BITS) - 1)
            page[bit >> 3] &= ~(1 << (bit & 7))

    def __contains__(self, number: int) -> bool:
        """Whether a number is in."""
        page = self._pages.get(number >> _PAGE_BITS)
        bit = number & ((1 << _PAGE_BITS) - 1)
        return page is not None and bool(page[bit >> 3] >> (bit & 7) & 1)


LARGEST: Final = 1 << 47
"""Bytes that a process can address, on the systems there are."""


class LineError(ValueError):
    """What is wrong with a line. Who reads the file adds its place and raises `errors.TraceError`."""


class Blocks:
    """The blocks of a recording by their names in the file. Dead ones cost a bit each."""

    def __init__(self) -> None:
        """Nothing allocated yet."""
        self.count = 0
        self._live: dict[int, int] = {}  # a live block's name: its number
        self._dead = Bitmap()

    def is_live(self, name: int) -> bool:
        """Whether a block of that name is live."""
        return name in self._live

    def is_dead(self, name: int) -> bool:
        """Whether a block of that name was ever freed."""
        return name in self._dead

    def born(self, name: int) -> int:
        """The number of a fresh block; the caller has seen that none of that name is live."""
        assert name not in self._live, f"{name} is live"
        number = self._live[name] = self.count
        self.count += 1
        return number

    def number(self, name: int) -> int:
        """The number of a live block."""
        number = self._live.get(name)
        if number is None:
            raise self._missing(name)
        return number

    def died(self, name: int) -> int:
        """The number of a block that is freed now."""
        number = self._live.pop(name, None)
        if number is None:
            raise self._missing(name)
        self._dead.add(name)
        return number

    def _missing(self, name: int) -> LineError:
        return LineError(f"block {name} was " + ("freed before" if name in self._dead else "never allocated"))


def sized(text: str) -> int:
    """How many bytes a block is to have.

    Raises:
        LineError: no process has so many addresses; the allocator would rightly refuse it, and be blamed.

    """
    size = int(text)
    if size > LARGEST:
        raise LineError(f"a block of {size:,} bytes is longer than an address space, which has {LARGEST:,}")
    return size
