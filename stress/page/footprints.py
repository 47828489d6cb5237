"""Fragmentation: how much of the memory an allocator takes is payload, by recording, allocator and placement."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from arenas.reports import Cell, Heading, Section, Table, Text, units

if TYPE_CHECKING:
    from arenas.reports import Tone

    from .document import Footprint, Results

_ABOUT: Final = (
    "Payload ÷ memory at the moment at which most is live: 100 % is perfect, and the rest is lost to rounding, holes "
    "between blocks and to the allocator's own needs. Resident pages are what the machine pays for. The span is the "
    "range of addresses from the start of each region to the end of the last block in it. The best of a row is bold."
)

_Share = Callable[["Footprint"], float | None]


def section(files: Sequence[Results]) -> Section | None:
    """A table by resident pages and one by span; None where neither was measured."""
    footprints = [each for results in files for each in results.footprints]
    tables = [
        table
        for caption, share in (("Payload ÷ resident pages", _of_resident), ("Payload ÷ span", _of_span))
        if (table := _table(caption, footprints, share)) is not None
    ]
    return Section("Fragmentation", [Text(_ABOUT, quiet=True), *tables], "fragmentation") if tables else None


def _of_resident(footprint: Footprint) -> float | None:
    return footprint.payload_bytes / footprint.resident_bytes if footprint.resident_bytes else None


def _of_span(footprint: Footprint) -> float | None:
    return footprint.payload_bytes / footprint.span_bytes if footprint.span_bytes else None


def _column(footprint: Footprint) -> str:
    return " ".join(filter(None, (footprint.allocator, footprint.placement)))


def _table(caption: str, footprints: Sequence[Footprint], share: _Share) -> Table | None:
    """A row a recording, a column an allocator; the last of a pair that was measured twice counts."""
    shares: dict[str, dict[str, float]] = {}
    payloads: dict[str, int] = {}
    failed = {(each.name, _column(each)) for each in footprints if each.failure}
    for each in footprints:
        payloads[each.name] = max(each.payload_bytes, payloads.get(each.name, 0))
        if (found := share(each)) is not None and not each.failure:
            shares.setdefault(each.name, {})[_column(each)] = found
    columns = list(dict.fromkeys(name for row in shares.values() for name in row))
    if not columns:
        return None
    headings = [Heading("Recording", is_number=False), Heading("Payload"), *(Heading(name) for name in columns)]
    rows = [
        [Cell(name), Cell(units.size(payloads[name]), key=payloads[name]), *_cells(name, row, columns, failed)]
        for name, row in shares.items()
    ]
    summary = [_summary("Mean", shares, columns, statistics.mean), _summary("Worst", shares, columns, min)]
    return Table(caption, headings, rows, summary if len(rows) > 1 else (), sortable=True)


def _cells(name: str, row: dict[str, float], columns: Sequence[str], failed: set[tuple[str, str]]) -> list[Cell]:
    best = max(row.values())
    return [
        _cell(row[column], best)
        if column in row
        else Cell("failed", tone="bad")
        if (name, column) in failed
        else Cell("–", tone="quiet")
        for column in columns
    ]


def _cell(share: float, best: float) -> Cell:
    tone: Tone = "best" if units.percent(share) == units.percent(best) else ""
    return Cell(units.percent(share), key=share, share=min(share, 1.0), tone=tone)


def _summary(
    title: str, shares: dict[str, dict[str, float]], columns: Sequence[str], take: Callable[[list[float]], float]
) -> list[Cell]:
    """Over the recordings that every column has, so that the columns compare."""
    common = [row for row in shares.values() if row.keys() >= set(columns)]
    if not common:
        return [Cell(title), Cell("")] + [Cell("–", tone="quiet") for _ in columns]
    taken = [take([row[column] for row in common]) for column in columns]
    note = f"{len(common)} of {len(shares)}" if len(common) < len(shares) else ""
    return [Cell(title), Cell(note), *(_cell(value, max(taken)) for value in taken)]
