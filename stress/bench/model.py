"""What is measured: a work asks one question, in cases; in each case entrants take turns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from .budget import Budget

Measure = Callable[[], float]
"""One turn of one entrant; what it cost, in the case's unit."""


class Sense(Enum):
    """Which way round a ratio is taken."""

    COST = "cost"
    """Ours ÷ the other's: 2 means twice as dear. Targets are upper bounds."""
    SPEED = "speed"
    """The other's ÷ ours: 2 means twice as fast. Targets are lower bounds."""


@dataclass(frozen=True, slots=True)
class Entrant:
    """One of those compared in a case."""

    name: str
    code: str
    """What is timed, in Python or in words."""
    open: Callable[[], AbstractContextManager[Measure]]
    """Prepares it, for as long as the case lasts. Raises ``UnavailableError`` where it cannot be had."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two entrants to be compared, or one to be held against a number of its own unit."""

    ours: str
    other: str | None = None
    """None: no ratio is taken, the figure itself is bounded by ``target``."""
    sense: Sense = Sense.COST
    target: float | None = None
    stretch: float | None = None
    rival: bool = True
    """Whether being dearer than the other is a loss; not where the other is but another way to use the heap."""
    without_gil_only: bool = False
    """Whether the target says nothing where there is a GIL."""


@dataclass(frozen=True, slots=True)
class Case:
    """Entrants that do the same, and how they compare."""

    title: str
    entrants: Sequence[Entrant]
    comparisons: Sequence[Comparison] = ()
    unit: str = "ns"
    scale: int | None = None
    """How much there is of what the work varies: where a plot has its abscissa."""
    exact: bool = False
    """Whether every round comes to the same, so that one will do."""


@dataclass(frozen=True, slots=True)
class Work:
    """One question, and the cases that answer it."""

    name: str
    title: str
    about: str
    """How to read it: what is done, and what it leaves out."""
    cases: Callable[[Budget], Sequence[Case]]
