"""Who may have written into a block that is not theirs. Only circumstances are known, so these are suspicions.

A block whose *first* bytes changed has probably been reached by its neighbour before, who wrote beyond its own end; one
whose *last* bytes changed, by the neighbour behind. Otherwise somebody may have gone on to write where a block of his
lay before.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .faults import Kind
from .sweep import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .client import Held
    from .sweep import Entry

REMEMBERED: Final = 256
"""Blocks that died last, by client."""
NEAR: Final = 64
"""Bytes between neighbours, less than which may be rounding."""
_MILLISECOND: Final = 1e6


class _Place(NamedTuple):
    """Where a block lies, or lay."""

    name: str
    size: int
    address: int
    died: float
    """When, in nanoseconds; `NEVER` if it lives."""

    @property
    def end(self) -> int:
        return self.address + self.size

    def __str__(self) -> str:
        text = f"block {self.name} of {self.size} bytes at {self.address:#x}"
        if self.died == NEVER:
            return text
        return f"{text}, freed {(time.monotonic_ns() - self.died) / _MILLISECOND:.1f} ms ago"


def of(held: Held[Any], extent: tuple[int, int], live: Iterable[Held[Any]], dead: Iterable[Entry]) -> tuple[Kind, str]:
    """What to call it that the bytes from ``extent[0]`` to ``extent[1]`` of a block changed, and whom to suspect.

    The first suspicion gives the name; whatever else it may be is said too.
    """
    living = [_Place(other.name, other.size, other.address, NEVER) for other in live if other is not held]
    graves = [_Place(name, size, address, died) for died, _, address, size, name in dead if name != held.name]
    suspicions = _neighbours(held, extent, living) + _neighbours(held, extent, graves)
    buried = [grave for grave in graves if grave.address <= held.address + extent[0] < grave.end]
    if buried:
        place = max(buried, key=lambda one: one.died)
        suspicions.append((Kind.LATE_WRITE, f"written after free: {place}, which lay here"))
    if not suspicions:
        return Kind.CORRUPTION, ""
    return suspicions[0][0], "; " + ", or ".join(text for _, text in suspicions)


def _neighbours(held: Held[Any], extent: tuple[int, int], places: list[_Place]) -> list[tuple[Kind, str]]:
    """Those from which the bytes that changed can be reached."""
    suspicions = []
    before = [place for place in places if 0 <= held.address - place.end < NEAR]
    if extent[0] == 0 and before:
        place = max(before, key=lambda one: (one.end, one.died))
        suspicions.append((Kind.OVERRUN, f"overrun of {place}, which ends at {place.end:#x}"))
    behind = [place for place in places if 0 <= place.address - held.end < NEAR]
    if extent[1] == held.size - 1 and behind:
        place = min(behind, key=lambda one: (one.address, -one.died))
        suspicions.append((Kind.UNDERRUN, f"underrun of {place}"))
    return suspicions
