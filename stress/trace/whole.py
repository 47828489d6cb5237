"""A recording read at one go."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .operations import Batch, line
from .reading import open_trace

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(slots=True)
class Recording:
    """All operations of one recording, as columns."""

    path: Path
    headers: dict[str, str] = field(default_factory=dict)
    threads: array[int] = field(default_factory=lambda: array("L"))
    kinds: array[int] = field(default_factory=lambda: array("B"))
    blocks: array[int] = field(default_factory=lambda: array("Q"))
    sizes: array[int] = field(default_factory=lambda: array("Q"))
    alignments: array[int] = field(default_factory=lambda: array("Q"))
    block_count: int = 0
    name: str = ""
    program: str = ""
    declared: int | None = None

    @property
    def total_operations(self) -> int:
        """Operations of the whole recording: more than were read if reading stopped at a limit."""
        return len(self.kinds) if self.declared is None else self.declared

    def describe(self, index: int) -> str:
        """One operation in the words of the format, with blocks as numbered here."""
        return line(
            self.threads[index], self.kinds[index], self.blocks[index], self.sizes[index], self.alignments[index]
        )


def read(path: Path, limit: int | None = None) -> Recording:
    """Read the first ``limit`` operations of a recording, or all of it."""
    trace = open_trace(path)
    whole = Batch()
    for batch in trace.batches(limit):
        whole.threads += batch.threads
        whole.kinds += batch.kinds
        whole.blocks += batch.blocks
        whole.sizes += batch.sizes
        whole.alignments += batch.alignments
    return Recording(
        path, trace.headers, whole.threads, whole.kinds, whole.blocks, whole.sizes, whole.alignments,
        max(whole.blocks, default=-1) + 1, trace.name, trace.program, trace.declared_operations,
    )  # fmt: skip
