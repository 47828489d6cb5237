"""Results in words: one row a comparison, then what is compared with nothing, then what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .model import Sense

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .harness import CaseResult
    from .judge import Judgement
    from .results import WorkResult

HEADINGS: Final = ("case", "measured", "median", "beside", "its median", "ratio (range)", "target (stretch)", "verdict")
TEXT_COLUMNS: Final = frozenset({"case", "measured", "beside", "verdict"})

_UNITS_OF_TIME: Final = ((1e9, "s"), (1e6, "ms"), (1e3, "µs"))

Row = tuple[str, ...]


def of_work(result: WorkResult) -> list[Row]:
    """Every case's rows."""
    return [row for case in result.cases for row in _of_case(case)]


def figure(value: float | None, unit: str) -> str:
    """A figure with its unit, to three digits."""
    if value is None:
        return ""
    if unit == "ns":
        for size, name in _UNITS_OF_TIME:
            if value >= size:
                return f"{number(value / size)} {name}"
    return f"{number(value)} {unit}"


def number(value: float) -> str:
    """Three digits, or all before the point."""
    decimals = 0
    while decimals < 3 and value < 10 ** (2 - decimals):  # noqa: PLR2004 - three digits
        decimals += 1
    return f"{value:,.{decimals}f}"


def _of_case(result: CaseResult) -> Iterator[Row]:
    title, unit = result.case.title, result.case.unit
    medians = {outcome.entrant.name: figure(outcome.median, unit) for outcome in result.outcomes}
    shown: set[str | None] = set()
    for judgement in result.judgements:
        ours, other = judgement.comparison.ours, judgement.comparison.other
        if judgement.value is None and judgement.comparison.target is None:
            continue
        shown |= {ours, other}
        beside = medians[other] if other is not None else ""
        yield (
            title,
            ours,
            medians[ours],
            other or "",
            beside,
            _ratio(judgement),
            _target(judgement, unit),
            _verdict(judgement),
        )
    for outcome in result.outcomes:
        if outcome.missing is not None:
            yield (title, outcome.entrant.name, outcome.missing, "", "", "", "", "")
        elif outcome.entrant.name not in shown:
            yield (title, outcome.entrant.name, medians[outcome.entrant.name], "", "", "", "", "")


def _ratio(judgement: Judgement) -> str:
    if judgement.comparison.other is None or judgement.value is None:
        return ""
    assert judgement.lowest is not None
    assert judgement.highest is not None
    spread = f"({number(judgement.lowest)}–{number(judgement.highest)})"
    return f"{number(judgement.value)}× {judgement.comparison.sense.value} {spread}"


def _target(judgement: Judgement, unit: str) -> str:
    comparison = judgement.comparison
    if comparison.target is None:
        return ""
    sign = "≤" if comparison.sense is Sense.COST else "≥"
    if comparison.other is None:
        return f"{sign} {figure(comparison.target, unit)}"
    stretch = f" ({comparison.stretch:g}×)" if comparison.stretch is not None else ""
    return f"{sign} {comparison.target:g}×{stretch}"


def _verdict(judgement: Judgement) -> str:
    return ", ".join(part for part in (judgement.verdict.value, "loss" if judgement.loss else "") if part)
