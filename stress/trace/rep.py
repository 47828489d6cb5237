r"""Malloc-lab recordings (``.rep``), a line at a time.

The format of the exercise in Bryant and O'Hallaron, *Computer Systems: A Programmer's Perspective*, and of its many
descendants: a header of numbers, then ``a ID SIZE`` (malloc), ``r ID SIZE`` (realloc) and ``f ID`` (free), of one
thread. What the numbers are depends on the year, but the count of ids and that of operations always stand side by side:

=============================  ==============================================
2002, the book's               suggested heap size, ids, operations, weight
2016, the rewritten exercise   weight, ids, operations, most bytes live
cut down by hand               without the first number, the last, or both
=============================  ==============================================

The drivers read it by ``scanf``, so spaces, blank lines and line ends are as they come. They also give the lines their
meaning: a pointer for each id, null at first. So ``f -1`` frees nothing; ``r`` on an id never seen allocates; ``r`` to
size 0 frees and leaves a null pointer; an id may be used again once its block is dead, for a fresh block. What in C
would lose a block, free it twice or use it after that is refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from .blocks import Bitmap, Blocks, LineError, sized
from .lines import shown
from .operations import ALLOCATE, FREE, RESIZE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .operations import Batch

THREAD: Final = 0
_NULL: Final = -1
_LONGEST_HEADER: Final = 4
_OPERATION: Final = re.compile(r"\s*(?:([ar])\s+(\d{1,18})\s+(\d{1,18})|(f)\s+(-1|\d{1,18}))\s*", re.ASCII)
_NUMBERS: Final = re.compile(r"\s*\d{1,18}(\s+\d{1,18})*\s*", re.ASCII)


def header_numbers(line: str) -> list[int] | None:
    """The numbers of a header line, or None where it is none."""
    return [int(word) for word in line.split()] if _NUMBERS.fullmatch(line) else None


def counts(header: Sequence[int]) -> list[tuple[int, int]]:
    """What the counts of ids and of operations may be, likeliest first."""
    if len(header) == 2:  # noqa: PLR2004 - nothing but the two
        return [(header[0], header[1])]
    if len(header) == 3:  # noqa: PLR2004 - the first number is missing, or the last
        return [(header[1], header[2]), (header[0], header[1])]
    return [(header[1], header[2])]


class Rep:
    """Takes line after line; keeps what a driver's table of pointers would hold."""

    def __init__(self, header: Sequence[int]) -> None:
        """Make ready for the lines after a header of so many numbers.

        Raises:
            LineError: they are too few or too many.

        """
        if not 2 <= len(header) <= _LONGEST_HEADER:  # noqa: PLR2004 - ids and operations at least
            raise LineError(f"the header of a malloc-lab file has 2 to 4 numbers, not {len(header)}")
        self.notes: list[str] = []
        self._counts = counts(header)
        self._blocks = Blocks()
        self._null = Bitmap()  # ids whose pointer became null by a resize to 0
        self._taken = 0
        self._highest = -1

    def take(self, line: str, batch: Batch) -> None:
        """Add what a line does to a batch, if it does anything.

        Raises:
            LineError: the line is no operation, or an impossible one.

        """
        match = _OPERATION.fullmatch(line)
        if match is None:
            raise LineError(f"not an operation: {shown(line)} (expected `a ID SIZE`, `r ID SIZE` or `f ID`)")
        self._taken += 1
        letter, name, size, freeing, freed = match.groups()
        block = int(freed if freeing else name)
        self._highest = max(self._highest, block)
        if freeing:
            self._free(block, batch)
        elif letter == "a":
            self._allocate(block, sized(size), batch)
        else:
            self._resize(block, sized(size), batch)

    def _allocate(self, block: int, size: int, batch: Batch) -> None:
        if self._blocks.is_live(block):
            raise LineError(f"block {block} is allocated again while it is live: nothing could free the first one")
        self._null.discard(block)
        batch.add(THREAD, ALLOCATE, self._blocks.born(block), size)

    def _resize(self, block: int, size: int, batch: Batch) -> None:
        if self._blocks.is_live(block):
            if size:
                batch.add(THREAD, RESIZE, self._blocks.number(block), size)
            else:
                batch.add(THREAD, FREE, self._blocks.died(block))
                self._null.add(block)
        elif self._blocks.is_dead(block) and block not in self._null:
            raise LineError(f"block {block} was freed before")
        else:
            self._allocate(block, size, batch)

    def _free(self, block: int, batch: Batch) -> None:
        if block != _NULL and block not in self._null:
            batch.add(THREAD, FREE, self._blocks.died(block))

    def finish(self) -> None:
        """Compare what was there with what the header promised.

        The drivers stop at a wrong count of operations, so that is an error here: the file is cut short, or two were
        joined. Of the ids they only want to know how long a table to make; a wrong count harms nobody, and is noted.
        """
        right = [ids for ids, operations in self._counts if operations == self._taken]
        if not right:
            declared = " or ".join(str(operations) for _, operations in self._counts)
            raise LineError(f"the recording ends after {self._taken} operations; its header declares {declared}")
        if self._highest + 1 not in right:
            self.notes.append(f"the header declares {right[0]} ids; the highest is {self._highest}")
