"""Rounds: in each, every entrant of a case takes one turn, in an order drawn anew; so whatever else the machine does
meets all of them.
"""

from __future__ import annotations

import random
import statistics
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ..errors import UnavailableError
from .judge import judge

if TYPE_CHECKING:
    from collections.abc import Callable

    from .budget import Budget
    from .judge import Judgement
    from .model import Case, Entrant, Measure

_SEED: Final = 1


@dataclass(slots=True)
class Outcome:
    """What one entrant's turns came to."""

    entrant: Entrant
    rounds: list[float] = field(default_factory=list)
    missing: str | None = None
    """Why there are none."""

    @property
    def median(self) -> float | None:
        """The figure that is shown."""
        return statistics.median(self.rounds) if self.rounds else None


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What one case came to."""

    case: Case
    outcomes: list[Outcome]
    judgements: list[Judgement]


def run(case: Case, budget: Budget, watch: Callable[[int], None]) -> CaseResult:
    """Measure a case; ``watch`` is told what is done: one for getting ready, and one for each of the `rounds`."""
    outcomes = [Outcome(entrant) for entrant in case.entrants]
    with ExitStack() as stack:
        present = [(outcome, measure) for outcome in outcomes if (measure := _open(outcome, stack)) is not None]
        if not case.exact:
            for _, measure in present:
                measure()  # whatever is only done once is done now
        watch(1)
        order = random.Random(_SEED)  # noqa: S311 - no secret
        for number in range(rounds(case, budget)):
            order.shuffle(present)
            for outcome, measure in present:
                outcome.rounds.append(measure())
            watch(2 + number)
        gil = getattr(sys, "_is_gil_enabled", lambda: True)()  # now: an import may have brought it back
    figures = {outcome.entrant.name: outcome.rounds for outcome in outcomes}
    return CaseResult(case, outcomes, [judge(comparison, figures, gil=gil) for comparison in case.comparisons])


def rounds(case: Case, budget: Budget) -> int:
    """How often each entrant of a case takes its turn."""
    return 1 if case.exact else budget.rounds


def _open(outcome: Outcome, stack: ExitStack) -> Measure | None:
    try:
        return stack.enter_context(outcome.entrant.open())
    except UnavailableError as error:
        outcome.missing = str(error)
        return None
