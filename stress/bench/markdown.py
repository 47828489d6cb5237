"""The page: one section a run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from . import rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from .results import Run, WorkResult

_INTRODUCTION: Final = """\
# Benchmarks

What the heap costs, beside what a user would pick instead. Written by `python -m stress bench`, with the command at the
head of each run; edits are lost with the next.

- All entrants of a case run in one process and take turns: a round is one turn of each, in an order drawn anew.
  Medians are of the rounds. A ratio is taken in every round, and its median is shown with the least and the greatest:
  so a machine that is busy for a while is busy for both.
- *cost* is ours ÷ theirs, so less is better; *speed* is theirs ÷ ours, so more is better. A **loss** is a comparison in
  which the other is better, whatever the target says.
- Python's garbage collector is on, as users have it. Each entrant has one turn before the rounds begin: everything is
  warm.
"""


def write(path: Path, run: Run, *, svg: Path | None, append: bool) -> None:
    """Write a page of one run, or add a run to a page."""
    text = "" if append else _INTRODUCTION
    text += "\n" + "\n".join(_section(run, None if svg is None else os.path.relpath(svg, path.parent)))
    with path.open("a" if append else "w", encoding="utf-8") as file:
        file.write(text)


def _section(run: Run, plot: str | None) -> Iterator[str]:
    machine = run.machine
    yield f"## {machine['Python']}{'' if machine['GIL'] == 'yes' else ', without the GIL'}\n"
    yield f"```console\n$ {run.command}\n```\n"
    yield from _table(("", ""), machine.items())
    yield f"**{run.summary()}.**\n"
    for result in run.works:
        yield from _work(result, plot)


def _work(result: WorkResult, plot: str | None) -> Iterator[str]:
    yield f"### {result.work.title}\n"
    yield f"{result.work.about}\n"
    if plot is not None and any(case.case.scale is not None for case in result.cases):
        yield f"![{result.work.title}]({plot})\n"
    yield from _table(rows.HEADINGS, (map(_strong_loss, row) for row in rows.of_work(result)))
    codes = {outcome.entrant.name: outcome.entrant.code for case in result.cases for outcome in case.outcomes}
    yield "What is timed:\n"
    yield from (f"- {name}: `{code}`" for name, code in codes.items())
    yield ""


def _table(headings: Sequence[str], lines: Iterable[Iterable[str]]) -> Iterator[str]:
    yield f"| {' | '.join(headings)} |"
    yield f"|{'|'.join('---' if heading in rows.TEXT_COLUMNS or not heading else '--:' for heading in headings)}|"
    for line in lines:
        yield f"| {' | '.join(line)} |"
    yield ""


def _strong_loss(cell: str) -> str:
    return cell.replace("loss", "**loss**").replace("missed", "**missed**")
