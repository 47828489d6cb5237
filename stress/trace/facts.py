"""What can be told of a recording once it was gone through: gathered in passing, an entry a live block."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .operations import ALLOCATE, FREE, RESIZE, ZEROED

if TYPE_CHECKING:
    from .operations import Batch


@dataclass(slots=True)
class Facts:
    """Counts and peaks of the operations shown to it so far."""

    operations: int = 0
    allocations: int = 0
    resizes: int = 0
    frees: int = 0
    cross_thread_frees: int = 0
    """Frees by a thread other than the one that allocated the block."""
    live_bytes: int = 0
    peak_live_bytes: int = 0
    peak_live_blocks: int = 0
    peak_place: int = -1
    """The place of the operation after which most bytes were live, the first of several; -1 where none ever were."""
    threads: set[int] = field(default_factory=set)
    _live: dict[int, tuple[int, int]] = field(default_factory=dict)  # a live block: its thread, its size

    @property
    def live_blocks(self) -> int:
        """Blocks live now."""
        return len(self._live)

    def take(self, thread: int, kind: int, block: int, size: int) -> None:
        """Follow one operation."""
        self.threads.add(thread)
        if kind in {ALLOCATE, ZEROED}:
            self.allocations += 1
            self.live_bytes += size
            self._live[block] = (thread, size)
            self.peak_live_blocks = max(self.peak_live_blocks, len(self._live))
        elif kind == RESIZE:
            self.resizes += 1
            birthplace, before = self._live[block]
            self.live_bytes += size - before
            self._live[block] = (birthplace, size)
        else:
            assert kind == FREE
            self.frees += 1
            birthplace, before = self._live.pop(block)
            self.live_bytes -= before
            self.cross_thread_frees += birthplace != thread
        if self.live_bytes > self.peak_live_bytes:
            self.peak_live_bytes, self.peak_place = self.live_bytes, self.operations
        self.operations += 1

    def follow(self, batch: Batch) -> None:
        """Follow a batch."""
        for thread, kind, block, size in zip(batch.threads, batch.kinds, batch.blocks, batch.sizes, strict=True):
            self.take(thread, kind, block, size)

    def headers(self) -> dict[str, str]:
        """As the header of a recording has them."""
        return {
            "threads": str(len(self.threads)),
            "ops": str(self.operations),
            "peak-live-bytes": str(self.peak_live_bytes),
            "peak-live-blocks": str(self.peak_live_blocks),
            "cross-thread-frees": str(self.cross_thread_frees),
        }
