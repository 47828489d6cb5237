"""Operations as columns: sixty-five thousand of them fit in two megabytes."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import Final

ALLOCATE: Final = 0
ZEROED: Final = 1
RESIZE: Final = 2
FREE: Final = 3
LETTERS: Final = "acrf"
"""The kinds, by number."""

BATCH_OPERATIONS: Final = 1 << 16


@dataclass(slots=True)
class Batch:
    """Consecutive operations of a recording.

    Blocks are numbered from 0 in the order in which the recording allocates them, whatever names the file gives them:
    no two have the same number.
    """

    first: int = 0
    """The place of the first operation in the recording."""
    threads: array[int] = field(default_factory=lambda: array("L"))
    kinds: array[int] = field(default_factory=lambda: array("B"))
    blocks: array[int] = field(default_factory=lambda: array("Q"))
    sizes: array[int] = field(default_factory=lambda: array("Q"))
    alignments: array[int] = field(default_factory=lambda: array("Q"))

    def __len__(self) -> int:
        """How many operations."""
        return len(self.kinds)

    def add(self, thread: int, kind: int, block: int, size: int = 0, alignment: int = 0) -> None:
        """Append an operation. ``alignment`` 0 asks for nothing in particular."""
        self.threads.append(thread)
        self.kinds.append(kind)
        self.blocks.append(block)
        self.sizes.append(size)
        self.alignments.append(alignment)

    def describe(self, index: int) -> str:
        """One operation in the words of the format `arenas-trace 1`, with blocks as numbered here."""
        return line(
            self.threads[index], self.kinds[index], self.blocks[index], self.sizes[index], self.alignments[index]
        )


def line(thread: int, kind: int, block: int, size: int, alignment: int) -> str:
    """An operation as a line of the format `arenas-trace 1`."""
    if kind == FREE:
        return f"{thread} f {block}"
    return f"{thread} {LETTERS[kind]} {block} {size}" + (f" {alignment}" if alignment else "")
