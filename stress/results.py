"""What one replay came to."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, kw_only=True)
class Result:
    """One recording's replay, filled in as it goes; JSON is made of exactly these fields."""

    recording: str
    program: str
    path: str
    operations: int
    total_operations: int
    threads: int
    crossings: int
    """Operations that had to wait for another thread's turn with the block."""
    remote_frees: int
    """Frees, as replayed, by a thread other than the one that allocated the block."""
    heap_remote_frees: int = 0
    """The same as the allocator counted it, before the last blocks are freed."""
    seconds: float = 0.0
    """From the moment all threads stand ready until the last one is done."""
    peak_live_bytes: int = 0
    peak_committed_bytes: int = 0
    """Sampled, so a lower bound."""
    peak_reserved_bytes: int = 0
    left_live: int = 0
    """Blocks the recording leaves live; the main thread frees them."""
    corruptions: int = 0
    descriptions: list[str] = field(default_factory=list)
    """The first of the corruptions, in words."""
    check: str = "not reached"
    leaked_blocks: int | None = None
    accounting: list[str] = field(default_factory=list)
    """What is wrong with the books after everything was freed."""
    failure: str | None = None
    """The exception that ended the replay, with its traceback."""

    @property
    def clean(self) -> bool:
        """Whether there is nothing to complain of."""
        return (
            self.failure is None
            and not self.corruptions
            and not self.accounting
            and self.check == "ok"
            and self.leaked_blocks == 0
        )

    def complaints(self) -> list[str]:
        """Everything wrong, in words, worst first."""
        found = [self.failure] if self.failure else []
        found += self.descriptions
        if self.corruptions > len(self.descriptions):
            found.append(f"… and {self.corruptions - len(self.descriptions):,} corruptions more")
        if self.check not in {"ok", "not reached"}:
            found.append(f"check(): {self.check}")
        if self.leaked_blocks:
            found.append(f"{self.leaked_blocks:,} blocks leaked: live after every block was freed")
        return found + self.accounting

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**dataclasses.asdict(self), "clean": self.clean}
