"""Fewer points, the same picture: which points of a long series a chart needs.

U. Jugel et al., "M4: A Visualization-Oriented Time Series Data Aggregation", VLDB 2014: of each column of pixels the
first, the lowest, the highest and the last point. No peak is lost, unlike with averages or every n-th point.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def thin(xs: Sequence[float], ys: Sequence[float], columns: int) -> list[int]:
    """The indexes of the points to draw, ascending: at most four a column. ``xs`` must ascend. Takes linear time."""
    if len(xs) <= 4 * columns:
        return list(range(len(xs)))
    kept: set[int] = set()
    for group in _by_column(xs, columns):
        kept |= {group[0], min(group, key=ys.__getitem__), max(group, key=ys.__getitem__), group[-1]}
    return sorted(kept)


def _by_column(xs: Sequence[float], columns: int) -> list[list[int]]:
    width = xs[-1] - xs[0]
    groups: list[list[int]] = [[] for _ in range(columns)]
    for index, x in enumerate(xs):
        column = int((x - xs[0]) / width * columns) if width else 0
        groups[min(column, columns - 1)].append(index)
    return [group for group in groups if group]
