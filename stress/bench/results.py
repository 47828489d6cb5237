"""Everything a run came to, and as JSON."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .judge import Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from .budget import Budget
    from .harness import CaseResult
    from .judge import Judgement
    from .model import Work


@dataclass(frozen=True, slots=True)
class WorkResult:
    """What one work came to."""

    work: Work
    cases: list[CaseResult]


@dataclass(frozen=True, slots=True)
class Run:
    """What one command came to, filled in as it goes."""

    command: str
    machine: dict[str, str]
    budget: Budget
    works: list[WorkResult] = field(default_factory=list)

    @property
    def judgements(self) -> list[Judgement]:
        """All of them, in order."""
        return [judgement for work in self.works for case in work.cases for judgement in case.judgements]

    def summary(self) -> str:
        """One line: how many targets were met and missed, how many comparisons were lost."""
        verdicts = Counter(judgement.verdict for judgement in self.judgements)
        losses = sum(judgement.loss for judgement in self.judgements)
        met, stretched = verdicts[Verdict.MET] + verdicts[Verdict.STRETCH], verdicts[Verdict.STRETCH]
        parts = [
            f"{met} targets met ({stretched} with their stretch)",
            f"{verdicts[Verdict.MISSED]} missed",
            f"{verdicts[Verdict.NOT_JUDGED] + verdicts[Verdict.NOT_MEASURED]} not judged",
            f"{losses} losses",
        ]
        return ", ".join(parts)

    def write_json(self, path: Path) -> None:
        """Write every figure of every round."""
        document = {
            "command": self.command,
            "machine": self.machine,
            "budget": dataclasses.asdict(self.budget),
            "summary": self.summary(),
            "works": [_work(result) for result in self.works],
        }
        path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _work(result: WorkResult) -> dict[str, Any]:
    return {"name": result.work.name, "title": result.work.title, "cases": [_case(case) for case in result.cases]}


def _case(result: CaseResult) -> dict[str, Any]:
    return {
        "title": result.case.title,
        "unit": result.case.unit,
        "entrants": [
            {
                "name": outcome.entrant.name,
                "code": outcome.entrant.code,
                "median": outcome.median,
                "rounds": outcome.rounds,
                "missing": outcome.missing,
            }
            for outcome in result.outcomes
        ],
        "comparisons": [_judgement(judgement) for judgement in result.judgements],
    }


def _judgement(judgement: Judgement) -> dict[str, Any]:
    comparison = judgement.comparison
    return {
        "ours": comparison.ours,
        "other": comparison.other,
        "sense": comparison.sense.value,
        "value": judgement.value,
        "lowest": judgement.lowest,
        "highest": judgement.highest,
        "target": comparison.target,
        "stretch": comparison.stretch,
        "verdict": judgement.verdict.value,
        "loss": judgement.loss,
    }
