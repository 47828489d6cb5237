"""What a footprint came to, and many of them as a table."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADINGS: Final = ("recording", "allocator", "payload\nat peak", "of span", "of resident\npages", "Python\nmetadata")
TEXT_COLUMNS: Final = frozenset({"recording", "allocator"})
_MEGABYTE: Final = 1e6
_FEW: Final = 100_000  # bytes, of which megabytes would say nothing


@dataclass(slots=True, kw_only=True)
class Footprint:
    """One recording in one allocator, at the moment when most payload is live."""

    name: str
    path: str
    operations: int
    allocator: str
    placement: str | None = None
    payload_bytes: int
    span_bytes: int | None = None
    """Of each region from its start to the end of its last carved span; None where that is not known."""
    resident_bytes: int | None = None
    """Pages in memory: a heap's regions', or by what a C allocator's process grew."""
    metadata_bytes: int | None = None
    failure: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return dataclasses.asdict(self)

    def row(self) -> tuple[str, ...]:
        """A row under `HEADINGS`."""
        allocator = self.allocator if self.placement is None else f"{self.allocator} ({self.placement})"
        if self.failure is not None:
            return (self.name, f"{allocator}: {self.failure}", _megabytes(self.payload_bytes), "", "", "")
        return (
            self.name,
            allocator,
            _megabytes(self.payload_bytes),
            self._share(self.span_bytes),
            self._share(self.resident_bytes),
            "" if self.metadata_bytes is None else _megabytes(self.metadata_bytes),
        )

    def _share(self, memory_bytes: int | None) -> str:
        return f"{self.payload_bytes / memory_bytes:.1%}" if memory_bytes else ""


def rows(footprints: Sequence[Footprint]) -> list[tuple[str, ...]]:
    """All of them."""
    return [footprint.row() for footprint in footprints]


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / _MEGABYTE:,.1f} MB" if size_bytes >= _FEW else f"{size_bytes:,} B"
