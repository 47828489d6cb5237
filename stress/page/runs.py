"""Every run: all of them in a table, and each with its memory over time and its heap map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from arenas.reports import Cell, Details, Facts, Heading, HeapMap, Lines, Section, Series, Table, Text, units

from .document import SERIES
from .names import grouped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from arenas.reports import Part

    from .document import Run, Timeline
    from .names import Shown

_OPEN_ALL: Final = 2
_ABOUT: Final = (
    "What a run had in use while it ran, and what every part of the heap held at its peak; here the run that shows "
    "most. Live: asked for and not freed. Parked: freed, but still visible through a view. Cached: ready for reuse."
)
_HEADINGS: Final = (
    Heading("Run", is_number=False),
    Heading("Allocator", is_number=False),
    Heading("Threads"),
    Heading("Operations"),
    Heading("Seconds"),
    Heading("Operations a second"),
    Heading("Peak live"),
    Heading("Peak committed"),
    Heading("Verdict", is_number=False),
)


def table_section(all_shown: Sequence[Shown]) -> Section:
    """All of them, one a line."""
    table = Table("Each leads to its memory", _HEADINGS, [_row(each) for each in all_shown], sortable=True)
    return Section("All runs", [table], "runs")


def memory_sections(all_shown: Sequence[Shown]) -> tuple[Section | None, Section | None]:
    """The picture that says most, and those of the other runs, to be opened."""
    pictured = [each for each in all_shown if each.run.timeline or each.run.heap_map]
    most = max(pictured, key=_interest, default=None)
    others = [each for _name, _note, members in grouped(all_shown) for each in members if each is not most]
    first = (
        None if most is None else Section("Memory", [Text(_ABOUT, quiet=True), _details(most, is_open=True)], "memory")
    )
    details = [_details(each, is_open=len(others) <= _OPEN_ALL) for each in others]
    return first, Section("Run by run", details, "run-by-run") if details else None


def _interest(each: Shown) -> tuple[bool, bool, int]:
    """Which picture says most: one of a heap of ours, with its map, and full."""
    return each.run.heap_map is not None, each.run.timeline is not None, each.run.peak_live_bytes


def _row(each: Shown) -> list[Cell]:
    run, rate = each.run, each.run.rate
    committed = run.peak_committed_bytes
    return [
        Cell(each.group, anchor=each.anchor),
        Cell(each.label),
        Cell(units.count(run.threads), key=run.threads),
        Cell(units.count(run.operations), key=run.operations),
        Cell(f"{run.seconds:.2f}", key=run.seconds),
        Cell(units.number(rate), key=rate) if rate is not None else Cell("–", key=0, tone="quiet"),
        Cell(units.size(run.peak_live_bytes), key=run.peak_live_bytes),
        Cell(units.size(committed), key=committed) if committed is not None else Cell("–", key=0, tone="quiet"),
        Cell("clean", tone="good") if run.clean else Cell("failed", tone="bad"),
    ]


def _details(each: Shown, *, is_open: bool) -> Details:
    run = each.run
    parts: list[Part] = [Text(note, quiet=True) for note in run.notes]
    if run.timeline is not None:
        parts += _timeline(f"Memory over time: {each.title}", run.timeline)
    if run.heap_map is not None:
        moment, live = units.duration(run.heap_map.at_seconds), units.size(run.heap_map.live_bytes)
        parts.append(
            HeapMap(f"The heap after {moment}, at the fullest that was seen: {live} live", run.heap_map.regions)
        )
    parts.append(Facts("Counted", _facts(run)))
    operations = units.plural(run.operations, "operation")
    note = f"{each.note}, {operations}, peak {units.size(run.peak_live_bytes)}"
    return Details(
        each.title,
        parts,
        note if run.clean else f"failed: {note}",
        each.anchor,
        is_open,
        "" if run.clean else "bad",
    )


def _timeline(title: str, timeline: Timeline) -> list[Part]:
    """The chart; what stayed at nothing all the time is said, not drawn."""
    drawn = [
        Series(name, sizes, SERIES.index(name))
        for name, sizes in timeline.sizes.items()
        if name == SERIES[0] or any(sizes)
    ]
    flat = [name for name in timeline.sizes if name not in {each.name for each in drawn}]
    parts: list[Part] = [Lines(title, timeline.seconds, drawn)] if drawn else []
    return [*parts, Text(f"Nothing was ever {' or '.join(flat)}.", quiet=True)] if flat else parts


def _facts(run: Run) -> list[tuple[str, str]]:
    facts = [
        ("kind", run.kind),
        ("allocator", run.allocator),
        ("placement", run.placement),
        ("arenas", run.arenas),
        ("seed", None if run.seed is None else str(run.seed)),
        ("scale", f"{run.scale:g}"),
        *((name.replace("_", " "), units.count(value)) for name, value in run.counts.items()),
        ("peak live", units.size(run.peak_live_bytes)),
        ("peak committed", None if run.peak_committed_bytes is None else units.size(run.peak_committed_bytes)),
        ("peak reserved", None if run.peak_reserved_bytes is None else units.size(run.peak_reserved_bytes)),
        ("faults", units.count(run.faults)),
        ("check()", run.check),
        ("leaked blocks", None if run.leaked_blocks is None else units.count(run.leaked_blocks)),
    ]
    return [(name, value) for name, value in facts if value]
