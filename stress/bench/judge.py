"""Ratios, and what they say: whether a target was met, and whether we lost."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from .model import Sense

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .model import Comparison


class Verdict(Enum):
    """What came of a target."""

    NONE = ""
    STRETCH = "met, stretch too"
    MET = "met"
    MISSED = "missed"
    NOT_JUDGED = "not judged (GIL)"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class Judgement:
    """One comparison, carried out."""

    comparison: Comparison
    value: float | None
    """The median of the rounds' ratios, or of the figures where nothing is compared; None: an entrant is missing."""
    lowest: float | None
    highest: float | None
    verdict: Verdict
    loss: bool


def judge(comparison: Comparison, rounds: Mapping[str, Sequence[float]], *, gil: bool) -> Judgement:
    """Carry out a comparison over every entrant's figures, round by round.

    Each round has a ratio of its own, taken of figures measured one after the other: a machine that slows down slows
    both. The median is of these.
    """
    ratios = _ratios(comparison, rounds)
    if not ratios:
        verdict = Verdict.NONE if comparison.target is None else Verdict.NOT_MEASURED
        return Judgement(comparison, None, None, None, verdict, loss=False)
    value = statistics.median(ratios)
    return Judgement(
        comparison, value, min(ratios), max(ratios), _verdict(comparison, value, gil=gil), _is_loss(comparison, value)
    )


def _ratios(comparison: Comparison, rounds: Mapping[str, Sequence[float]]) -> list[float]:
    ours = rounds.get(comparison.ours, ())
    if comparison.other is None:
        return list(ours)
    theirs = rounds.get(comparison.other, ())
    if not ours or not theirs:
        return []
    pairs = zip(ours, theirs, strict=True)
    if comparison.sense is Sense.COST:
        return [mine / other for mine, other in pairs]
    return [other / mine for mine, other in pairs]


def _verdict(comparison: Comparison, value: float, *, gil: bool) -> Verdict:
    if comparison.target is None:
        return Verdict.NONE
    if gil and comparison.without_gil_only:
        return Verdict.NOT_JUDGED
    if not _keeps(comparison, value, comparison.target):
        return Verdict.MISSED
    if comparison.stretch is not None and _keeps(comparison, value, comparison.stretch):
        return Verdict.STRETCH
    return Verdict.MET


def _keeps(comparison: Comparison, value: float, bound: float) -> bool:
    return value <= bound if comparison.sense is Sense.COST else value >= bound


def _is_loss(comparison: Comparison, value: float) -> bool:
    return comparison.rival and comparison.other is not None and not _keeps(comparison, value, 1.0)
