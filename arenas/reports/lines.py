"""A line chart, laid out.

Across, a chart is as wide as there is room: its coordinates are shares of the width. Down, they are pixels. So text is
never scaled, and a telephone shows the same chart as a desk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from . import units
from .labels import spread
from .thinning import thin
from .ticks import ticks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .page import Lines, Series

HEIGHT: Final = 216
"""Of the plot itself, in pixels."""
TOP: Final = 22
"""Above it: room for the highest mark's text."""
GRID: Final = 10_000
"""Coordinates inside the plot go from 0 to this, both ways."""

_COLUMNS: Final = 240
_LABEL_GAP: Final = 36
_LABEL_MARGIN: Final = 10
_LOOKS: Final = 6
_EDGE: Final = 0.05


@dataclass(frozen=True, slots=True)
class Mark:
    """A line across the plot, or a moment below it."""

    at: float
    """Pixels from the top, or a percentage of the width."""
    text: str
    anchor: str = "start"


@dataclass(frozen=True, slots=True)
class Line:
    """A series, drawn and labelled."""

    name: str
    look: int
    path: str
    end: float
    """Where the line ends, and where its label stands: pixels from the top."""
    label: float
    reading: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """All of a chart."""

    title: str
    description: str
    seconds: float
    highest_bytes: float
    across: Sequence[Mark]
    below: Sequence[Mark]
    lines: Sequence[Line]
    area: str
    """What lies below the first line."""


def draw(chart: Lines) -> Drawn:
    """Lay a chart out."""
    last = chart.seconds[-1] if chart.seconds else 0.0
    heights = ticks(max((max(each.sizes, default=0) for each in chart.series), default=0), binary=True)
    highest = heights[-1]
    ends = [_down(each.sizes[-1] if each.sizes else 0, highest) for each in chart.series]
    places = spread(ends, _LABEL_GAP, TOP + _LABEL_MARGIN, TOP + HEIGHT - _LABEL_MARGIN)
    paths = [_path(chart.seconds, each.sizes, last, highest) for each in chart.series]
    return Drawn(
        title=chart.title,
        description="; ".join(_describe(each, chart.seconds) for each in chart.series),
        seconds=last,
        highest_bytes=highest,
        across=[Mark(_down(at, highest), units.size(at) if at else "") for at in heights],  # the time axis is at 0
        below=_moments(last),
        lines=[
            Line(
                name=each.name,
                look=(index if each.look is None else each.look) % _LOOKS,
                path=path,
                end=end,
                label=place,
                reading=f"peak {units.size(max(each.sizes, default=0))}",
            )
            for index, (each, path, end, place) in enumerate(zip(chart.series, paths, ends, places, strict=True))
        ],
        area=f"{paths[0]}V{GRID}H{paths[0][1:].partition(',')[0]}Z" if paths and paths[0] else "",
    )


def _down(size: float, highest: float) -> float:
    """Pixels from the top of the picture."""
    return round(TOP + HEIGHT * (1 - size / highest), 1)


def _moments(last: float) -> list[Mark]:
    """Round moments; those at the edges are written inwards."""
    if not last:
        return [Mark(0, "0")]
    marks = []
    for moment in (at for at in ticks(last, 4) if at <= last):
        share = moment / last
        anchor = "start" if share < _EDGE else "end" if share > 1 - _EDGE else "middle"
        marks.append(Mark(round(share * 100, 2), units.duration(moment), anchor))
    return marks


def _path(seconds: Sequence[float], sizes: Sequence[float], last: float, highest: float) -> str:
    points = [
        f"{round(GRID * seconds[index] / last) if last else 0},{round(GRID * (1 - sizes[index] / highest))}"
        for index in thin(seconds, sizes, _COLUMNS)
    ]
    return "M" + "L".join(points) if points else ""


def _describe(series: Series, seconds: Sequence[float]) -> str:
    """What who cannot see the line is told of it."""
    if not series.sizes:
        return f"{series.name}: nothing measured"
    peak = max(range(len(series.sizes)), key=series.sizes.__getitem__)
    return (
        f"{series.name}: peak {units.size(series.sizes[peak])} at {units.duration(seconds[peak])}, "
        f"at the end {units.size(series.sizes[-1])}"
    )
