"""Round after round, each drawn from the seed, until the time is up or a round fails."""

from __future__ import annotations

import dataclasses
import itertools
import shlex
import time
from typing import TYPE_CHECKING, Final

from .. import progress, report, table
from ..allocators import registry
from ..allocators.protocol import Choice
from ..batch import CLEAN, FAILED, carry_out
from ..growth import Growth
from ..results import Timeline
from ..rounds import draw
from ..workloads import WORKLOADS
from . import options
from . import run as run_command

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from ..results import Result
    from ..rounds import Round
    from .context import Context

HELP: Final = "round after round of everything, with whatever can go wrong, drawn from the seed"
MINUTES: Final = 10.0
_HEADINGS: Final = ("workload", "rounds", "operations", "refused", "seconds", "failed")
_TEXT_COLUMNS: Final = frozenset({"workload"})


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--minutes", type=options.positive_real, default=MINUTES, metavar="M", help="(default: 10)")
    parser.add_argument(
        "--workload", action="append", type=run_command.workload, metavar="NAME", help="only this, may be repeated"
    )
    parser.add_argument(
        "--allocator", action="append", metavar="NAME", help="only this, may be repeated (default: the arenas heaps)"
    )
    parser.add_argument("--keep-going", action="store_true", help="do not stop at the first round that fails")
    options.add_seed(parser)
    options.add_json(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Soak."""
    seed = options.seed(arguments)
    names = arguments.allocator or registry.heaps()
    for name in names:
        registry.require(Choice(allocator=name))
    workloads = arguments.workload or list(WORKLOADS.values())
    command = f"{context.program} {shlex.join(_words(arguments, seed))}"
    table.say(command)
    started = time.time()
    results: list[Result] = []
    growth = Growth()
    rounds = (draw(number, seed, workloads, names) for number in itertools.count())
    try:
        for result in _soak(rounds, context, arguments.minutes * 60):
            results.append(result)
            growth.note()
            if not result.clean and not arguments.keep_going:
                break
    finally:  # interrupted, too: what was found so far
        document = report.Document(command, seed, started, results)
        if arguments.json is not None:
            document.write(arguments.json)
        table.show(_HEADINGS, _rows(results), _TEXT_COLUMNS)
        table.say(growth.told())
        table.say(document.verdict)
    return CLEAN if document.clean else FAILED


def _words(arguments: argparse.Namespace, seed: int) -> list[str]:
    words = ["soak", f"--minutes={options.plain(arguments.minutes)}", f"--seed={seed}"]
    words += [f"--workload={each.name}" for each in arguments.workload or ()]
    words += [f"--allocator={name}" for name in arguments.allocator or ()]
    return [*words, "--keep-going"] if arguments.keep_going else words


def _soak(rounds: Iterable[Round], context: Context, seconds: float) -> Iterator[Result]:
    """The results, one by one, until the time is up."""
    began = time.monotonic()
    with progress.bar() as begin:
        update = begin("soak", seconds)
        for each in rounds:
            job = run_command.job(each.workload, each.choice, each.terms, context.open_allocator)
            result = carry_out(job, lambda _name, _total: lambda _done: update(time.monotonic() - began))
            yield _remembered(result, each, context)
            if time.monotonic() - began >= seconds:
                return


def _remembered(result: Result, each: Round, context: Context) -> Result:
    """Of a round that failed everything, told at once; of the others no more than goes into the table."""
    if result.clean:
        return dataclasses.replace(result, timeline=Timeline(), heap_map=None)
    again = shlex.join(run_command.words([each.workload], [each.choice], each.terms))
    result.notes.append(f"again: {context.program} {again}")
    for line in result.complaints() + result.notes:
        table.say(f"{result.name} on {result.allocator}: {line}")
    return result


def _rows(results: list[Result]) -> list[tuple[str, ...]]:
    """A row a workload."""
    rows: list[tuple[str, ...]] = []
    for name in dict.fromkeys(result.name for result in results):
        mine = [result for result in results if result.name == name and not result.left_out]
        rows.append(
            (
                name,
                f"{len(mine):,}",
                f"{sum(result.operations for result in mine):,}",
                f"{sum(result.refused for result in mine):,}",
                f"{sum(result.seconds for result in mine):,.1f}",
                f"{sum(not result.clean for result in mine):,}",
            )
        )
    return rows
