"""Labels beside the ends of lines: as near as they can be, but never over each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Positions in the order of ``wanted``, at least ``gap`` apart, from ``low`` to ``high``.

    Where there is not room for all, the gap shrinks to what there is.
    """
    if not wanted:
        return []
    gap = min(gap, (high - low) / max(1, len(wanted) - 1))
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    placed = [0.0] * len(wanted)
    least = low
    for index in order:
        placed[index] = least = max(least, wanted[index])
        least += gap
    most = high
    for index in reversed(order):
        placed[index] = most = min(most, placed[index])
        most -= gap
    return placed
