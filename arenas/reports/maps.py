"""A heap map, laid out: every arena's regions one after the other, in rows of cells."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from . import units
from .cells import MIXED, UNKNOWN, cell_bytes, cells, runs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .page import HeapMap, Region

COLUMNS: Final = 64
"""Cells in a row."""
STATES: Final = ("live", "scope", "parked", "cached", "mailbox", "quarantined", "guard", "free")
"""The states that have a look of their own, in the order in which they are listed."""

_CELLS: Final = 1_600
_OTHER: Final = "other"


@dataclass(frozen=True, slots=True)
class Patch:
    """All cells of one look."""

    look: str
    path: str


@dataclass(frozen=True, slots=True)
class Arena:
    """The picture of one arena."""

    title: str
    description: str
    rows: int
    patches: Sequence[Patch]


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the list that is both legend and the map in words."""

    look: str
    state: str
    size: str
    share: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """All of a map."""

    title: str
    cell: str
    columns: int
    arenas: Sequence[Arena]
    entries: Sequence[Entry]


def draw(heap_map: HeapMap) -> Drawn:
    """Lay a map out."""
    regions = sorted(heap_map.regions, key=attrgetter("arena"))
    cell = cell_bytes(max(1, sum(region.size for region in regions)), _CELLS)
    arenas = [_arena(number, list(group), cell) for number, group in groupby(regions, attrgetter("arena"))]
    entries = _entries(regions)
    if any(patch.look == MIXED for arena in arenas for patch in arena.patches):
        entries.append(Entry(MIXED, "several, none of them more than half of a cell", "", ""))
    return Drawn(heap_map.title, units.size(cell), COLUMNS, arenas, entries)


def look_of(state: str) -> str:
    """How a state is drawn; those unknown look alike."""
    return state if state in {*STATES, MIXED} else _OTHER


def _arena(number: int, regions: Sequence[Region], cell: int) -> Arena:
    reach, paths = 0, defaultdict[str, list[str]](list)
    for region in regions:
        for state, length in runs(cells(region.size, region.spans, cell)):
            if state != UNKNOWN:
                paths[look_of(state)].extend(_rows(reach, length))
            reach += length
        reach += 1  # an empty cell between two regions
    return Arena(
        title=f"Arena {number}",
        description=f"{units.plural(len(regions), 'region')}, {units.size(sum(region.size for region in regions))}: "
        + ", ".join(f"{entry.state} {entry.share}" for entry in _entries(regions)),
        rows=-(-max(1, reach - 1) // COLUMNS),
        patches=[Patch(look, "".join(path)) for look, path in paths.items()],
    )


def _rows(start: int, length: int) -> Iterator[str]:
    """One rectangle a row."""
    end = start + length
    while start < end:
        row, column = divmod(start, COLUMNS)
        wide = min(end - start, COLUMNS - column)
        yield f"M{column} {row}h{wide}v1h-{wide}z"
        start += wide


def _entries(regions: Sequence[Region]) -> list[Entry]:
    """How much there is of each state."""
    sums: Counter[str] = Counter()
    for region in regions:
        for _offset, length, state in region.spans:
            sums[state] += length
    total = sum(region.size for region in regions)
    known = [state for state in STATES if sums[state]]
    return [
        Entry(look_of(state), state, units.size(sums[state]), units.percent(sums[state] / total))
        for state in [*known, *sorted(sums.keys() - set(known))]
        if sums[state]
    ]
