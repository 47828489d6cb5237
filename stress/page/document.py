"""A results file, as values. The names are those of the file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from arenas.reports import Region

SERIES: Final = ("live", "resident", "committed", "parked", "cached")
"""What a timeline may hold, in the order in which it is shown."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """Sizes over time; only the series that were to be had."""

    seconds: Sequence[float]
    sizes: Mapping[str, Sequence[float]]


@dataclass(frozen=True, slots=True)
class HeapMap:
    """The heap at its peak."""

    at_seconds: float
    live_bytes: int
    regions: Sequence[Region]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One workload or recording, by one allocator."""

    source: Path
    """The file it is from."""
    name: str
    kind: str
    allocator: str
    placement: str | None
    arenas: str | None
    """How an arenas heap routes threads; None: it is no arenas heap."""
    threads: int
    seed: int | None
    scale: float
    operations: int
    counts: Mapping[str, int]
    """Allocations, frees and the like, as far as they were counted."""
    seconds: float
    peak_live_bytes: int
    peak_committed_bytes: int | None
    peak_reserved_bytes: int | None
    timeline: Timeline | None
    heap_map: HeapMap | None
    faults: int
    check: str
    leaked_blocks: int | None
    complaints: Sequence[str]
    notes: Sequence[str]
    clean: bool

    @property
    def rate(self) -> float | None:
        """Operations a second; None where none were timed."""
        return self.operations / self.seconds if self.operations and self.seconds else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """How much memory one allocator needs for one recording, at the moment at which the most is live."""

    name: str
    allocator: str
    placement: str | None
    payload_bytes: int
    span_bytes: int | None
    resident_bytes: int | None
    failure: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """All of a file."""

    path: Path
    command: str
    started: str
    seconds: float
    clean: bool
    verdict: str
    machine: Mapping[str, str]
    runs: Sequence[Run]
    footprints: Sequence[Footprint]
