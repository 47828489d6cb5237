"""Who may have written into a block that is not theirs. Only circumstances are known, so these are suspicions.

A block whose *first* bytes changed has probably been reached by its neighbour before, who wrote beyond its own end; one
whose *last* bytes changed, by the neighbour behind. Otherwise somebody may have gone on to write where a block of his
lay before.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from .faults import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .client import Held
    from .sweep import Entry

REMEMBERED: Final = 256
"""Blocks that died last, by client."""
NEAR: Final = 64
"""Bytes between neighbours, less than which may be rounding."""
_MILLISECOND: Final = 1e6


def of(held: Held[Any], extent: tuple[int, int], live: Iterable[Held[Any]], dead: Iterable[Entry]) -> tuple[Kind, str]:
    """What to call it that the bytes from ``extent[0]`` to ``extent[1]`` of a block changed, and whom to suspect.

    The first suspicion gives the name; whatever else it may be is said too.
    """
    first, last = extent
    others = [other for other in live if other is not held]
    suspicions: list[tuple[Kind, str]] = []
    before = max((other for other in others if other.end <= held.address), key=lambda one: one.end, default=None)
    if first == 0 and before is not None and held.address - before.end < NEAR:
        text = f"overrun of block {before.name} of {before.size} bytes, which ends at {before.end:#x}"
        suspicions.append((Kind.OVERRUN, text))
    behind = min((other for other in others if other.address >= held.end), key=lambda one: one.address, default=None)
    if last == held.size - 1 and behind is not None and behind.address - held.end < NEAR:
        text = f"underrun of block {behind.name} of {behind.size} bytes, which begins at {behind.address:#x}"
        suspicions.append((Kind.UNDERRUN, text))
    grave = _last_at(held, held.address + first, dead)
    if grave is not None:
        died, _, address, size, name = grave
        ago = (time.monotonic_ns() - died) / _MILLISECOND
        where = f"lay here, of {size} bytes at {address:#x}"
        suspicions.append((Kind.LATE_WRITE, f"written after free: block {name}, freed {ago:.1f} ms ago, {where}"))
    if not suspicions:
        return Kind.CORRUPTION, ""
    return suspicions[0][0], "; " + ", or ".join(text for _, text in suspicions)


def _last_at(held: Held[Any], address: int, dead: Iterable[Entry]) -> Entry | None:
    """The block that lay at an address last, before the one that lies there now."""
    covering = [entry for entry in dead if entry[2] <= address < entry[2] + entry[3] and entry[4] != held.name]
    return max(covering, default=None)
