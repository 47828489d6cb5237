"""A benchmark's works: what each entrant costs, and the ratios held against their targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from arenas.reports import Bar, Bars, Cell, Group, Heading, Section, Table, Text, units

if TYPE_CHECKING:
    from arenas.reports import Part, Tone

    from .costs import Case, Costs, Ratio, Work

_ABOUT: Final = (
    "Every figure is a cost: the shorter bar is the better one. Medians of rounds taken in turns, in one run."
)
_UNITS_OF_TIME: Final = ((1e9, "s"), (1e6, "ms"), (1e3, "µs"))
_HEADINGS: Final = (
    Heading("Case", is_number=False),
    Heading("Measured", is_number=False),
    Heading("Beside", is_number=False),
    Heading("Ratio"),
    Heading("Range"),
    Heading("Target"),
    Heading("Verdict", is_number=False),
)


def sections(costs: Costs, number: int) -> list[Section]:
    """One section a work."""
    return [_section(work, f"bench-{number}-{index}") for index, work in enumerate(costs.works)]


def _section(work: Work, anchor: str) -> Section:
    groups = [Group(case.title, [_bar(case, index) for index in range(len(case.entrants))]) for case in work.cases]
    rows = [_row(case, ratio) for case in work.cases for ratio in case.ratios if ratio.value is not None]
    parts: list[Part] = [
        Text(f"{work.title[:1].upper()}{work.title[1:]}. {_ABOUT}", quiet=True),
        Bars(f"Costs: {work.name}", groups),
    ]
    if rows:
        parts.append(Table("Ratios", _HEADINGS, rows))
    return Section(f"Cost: {work.name}", parts, anchor)


def _bar(case: Case, index: int) -> Bar:
    entrant = case.entrants[index]
    ours = entrant.name in {ratio.ours for ratio in case.ratios}
    if entrant.median is None:
        return Bar(entrant.name, None, entrant.missing or "not measured", ours, "quiet")
    return Bar(entrant.name, entrant.median, _figure(entrant.median, case.unit), ours)


def _row(case: Case, ratio: Ratio) -> list[Cell]:
    value, low, high = (
        None if each is None else units.number(each) for each in (ratio.value, ratio.lowest, ratio.highest)
    )
    times = "×" if ratio.other else f"{units.SPACE}{case.unit}"
    bound = "at most" if ratio.is_cost else "at least"
    target = "" if ratio.target is None else f"{bound} {units.number(ratio.target)}"
    tone: Tone = "bad" if ratio.verdict == "missed" else "good" if ratio.verdict.startswith("met") else ""
    return [
        Cell(case.title),
        Cell(ratio.ours),
        Cell(ratio.other or "–"),
        Cell(f"{value}{times}", key=ratio.value),
        Cell(f"{low}–{high}"),
        Cell(target),
        Cell(", ".join(filter(None, (ratio.verdict, "loss" if ratio.loss else ""))), tone=tone),
    ]


def _figure(value: float, unit: str) -> str:
    if unit == "ns":
        for size, name in _UNITS_OF_TIME:
            if value >= size:
                return f"{units.number(value / size)}{units.SPACE}{name}"
    return f"{units.number(value)}{units.SPACE}{unit}"
