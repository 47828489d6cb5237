"""What one run came to; JSON is made of exactly these fields."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .allocators.protocol import MappedRegion, Memory

NOT_REACHED: Final = "not reached"
_TOLD: Final = ("committed_bytes", "parked_bytes", "cached_bytes")
_COLUMNS: Final = ("seconds", "live_bytes", "resident_bytes", *_TOLD)
_SAMPLES: Final = 400
_SPANS: Final = 4000


@dataclass(slots=True)
class Timeline:
    """Memory over time, as columns of one length. Of a long run every second sample is dropped, again and again."""

    seconds: list[float] = field(default_factory=list)
    live_bytes: list[int] = field(default_factory=list)
    resident_bytes: list[int | None] = field(default_factory=list)
    """Growth of the whole process: the only measure there is of every allocator."""
    committed_bytes: list[int | None] = field(default_factory=list)
    parked_bytes: list[int | None] = field(default_factory=list)
    cached_bytes: list[int | None] = field(default_factory=list)
    _taken: int = 0
    _each: int = 1

    def add(self, at_seconds: float, live_bytes: int, resident_bytes: int | None, memory: Memory) -> None:
        """Note one sample, if it is one of those kept."""
        self._taken += 1
        if self._taken % self._each:
            return
        self.seconds.append(round(at_seconds, 3))
        self.live_bytes.append(live_bytes)
        self.resident_bytes.append(resident_bytes)
        for name in _TOLD:
            getattr(self, name).append(getattr(memory, name))
        if len(self.seconds) >= _SAMPLES:
            self._each *= 2
            for name in _COLUMNS:
                del getattr(self, name)[::2]  # so that what is left has even distances, to the next one too

    def as_dict(self) -> dict[str, Any]:
        """Columns; one that the allocator could never fill is None."""
        columns = {name: getattr(self, name) for name in _COLUMNS}
        return {name: None if None in column else column for name, column in columns.items()}


@dataclass(frozen=True, slots=True)
class HeapMap:
    """Every region and what lies in it, at one moment."""

    at_seconds: float
    live_bytes: int
    regions: list[dict[str, Any]]

    @classmethod
    def of(cls, at_seconds: float, live_bytes: int, regions: Sequence[MappedRegion]) -> HeapMap | None:
        """A map small enough to keep: of regions with very many spans, neighbours are joined by force."""
        if not regions:
            return None
        total = sum(len(region.spans) for region in regions)
        step = -(-total // _SPANS)
        shown = [dataclasses.asdict(region) | {"spans": _coarser(region.spans, step)} for region in regions]
        return cls(round(at_seconds, 3), live_bytes, shown)


def _coarser(spans: Sequence[tuple[int, int, str]], step: int) -> list[tuple[int, int, str]]:
    """Each ``step`` neighbours as one, in the state of which there is most."""
    if step == 1:
        return list(spans)
    joined = []
    for first in range(0, len(spans), step):
        group = spans[first : first + step]
        sizes: dict[str, int] = {}
        for _, size, state in group:
            sizes[state] = sizes.get(state, 0) + size
        joined.append((group[0][0], sum(sizes.values()), max(sizes, key=lambda state: sizes[state])))
    return joined


@dataclass(slots=True, kw_only=True)
class Result:
    """One run, filled in as it goes."""

    name: str
    kind: str
    """``workload`` or ``recording``."""
    allocator: str = ""
    placement: str | None = None
    arenas: str | None = None
    threads: int = 0
    seed: int = 0
    scale: float = 1.0
    program: str = ""
    path: str = ""
    """A recording's."""
    operations: int = 0
    total_operations: int | None = None
    """Of the whole recording, where only part was replayed."""
    allocations: int = 0
    frees: int = 0
    resizes: int = 0
    refused: int = 0
    """Requests for which there was no memory, where that is part of the run."""
    crossings: int = 0
    """Operations that had to wait for another thread's turn with the block."""
    remote_frees: int = 0
    """Frees by a thread other than the one that allocated the block."""
    heap_remote_frees: int = 0
    """The same as the allocator counted it, before the last blocks are freed."""
    seconds: float = 0.0
    """From the moment all threads stand ready until the last one is done."""
    peak_live_bytes: int = 0
    peak_committed_bytes: int | None = None
    """Sampled, so a lower bound."""
    peak_reserved_bytes: int | None = None
    timeline: Timeline = field(default_factory=Timeline)
    heap_map: HeapMap | None = None
    left_live: int = 0
    """Blocks left live at the end; the main thread frees them."""
    faults: int = 0
    fault_kinds: dict[str, int] = field(default_factory=dict)
    """How many there are of each kind."""
    descriptions: list[str] = field(default_factory=list)
    """The first of the faults, in words."""
    check: str = NOT_REACHED
    leaked_blocks: int | None = None
    """Live when everything was freed; None where the allocator does not tell."""
    accounting: list[str] = field(default_factory=list)
    """What is wrong with the books after everything was freed."""
    failure: str | None = None
    """The exception that ended the run, with its traceback."""
    notes: list[str] = field(default_factory=list)
    left_out: bool = False
    """The run does not apply here; the notes say why."""

    @property
    def clean(self) -> bool:
        """Whether there is nothing to complain of."""
        whole = self.left_out or self.check == "ok"
        return whole and self.failure is None and not self.faults and not self.accounting and not self.leaked_blocks

    def complaints(self) -> list[str]:
        """Everything wrong, in words, worst first."""
        found = [self.failure] if self.failure else []
        found += self.descriptions
        if self.faults > len(self.descriptions):
            found.append(f"… and {self.faults - len(self.descriptions):,} faults more")
        if self.check not in {"ok", NOT_REACHED}:
            found.append(f"check(): {self.check}")
        if self.leaked_blocks:
            found.append(f"{self.leaked_blocks:,} blocks leaked: live after every block was freed")
        return found + self.accounting

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        plain = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        plain["timeline"] = self.timeline.as_dict()
        plain["heap_map"] = None if self.heap_map is None else dataclasses.asdict(self.heap_map)
        return plain | {"complaints": self.complaints(), "clean": self.clean}
