"""Measure the heap beside what a user would pick instead."""

from __future__ import annotations

import argparse
import dataclasses
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .. import machine, progress, table
from ..batch import CLEAN
from ..bench import budget, harness, markdown, plot, rows
from ..bench.budget import Budget
from ..bench.results import Run, WorkResult
from ..bench.works import WORKS, growth
from ..errors import UsageError
from . import options

if TYPE_CHECKING:
    from ..bench.model import Work
    from .context import Context

HELP: Final = "measure the heap beside its peers, in one run: a benchmark, which passes whatever the figures are"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    names = ", ".join(WORKS)
    parser.add_argument("works", nargs="*", type=work, metavar="WORK", help=f"what to measure: {names} (default: all)")
    parser.add_argument("--rounds", type=options.positive, metavar="N", help="turns of each entrant (default: 7)")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="shows that it works; the figures say little")
    size.add_argument("--full", action="store_true", help="also among a million live blocks")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure here")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write a page here")
    parser.add_argument("--append", action="store_true", help="add the run to the page instead")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw the growth of cost here (needs matplotlib)")


def work(text: str) -> Work:
    """Find what is to be measured by its name."""
    if text not in WORKS:
        raise argparse.ArgumentTypeError(f"there is no work {text!r}: choose from {', '.join(WORKS)}")
    return WORKS[text]


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Measure what is named, show it, and write what is asked for."""
    works = arguments.works or list(WORKS.values())
    _refuse_early(arguments, works)
    limits = _budget(arguments)
    done = Run(_command(arguments, context.program), machine.describe(), limits)
    table.say(done.command)
    table.say(", ".join(f"{name} {value}" for name, value in done.machine.items()))
    for each in works:
        result = _measure(each, limits)
        done.works.append(result)
        table.say(f"\n{each.name}: {each.title}")
        table.show(rows.HEADINGS, rows.of_work(result), rows.TEXT_COLUMNS)
    _write(arguments, done)
    table.say(done.summary())
    return CLEAN


def _refuse_early(arguments: argparse.Namespace, works: list[Work]) -> None:
    """Find out what cannot be written before minutes are spent."""
    for path in (arguments.json, arguments.markdown, arguments.svg):
        if path is not None and not path.parent.is_dir():
            raise UsageError(f"{path}: there is no folder {path.parent}")
    if arguments.svg is not None:
        if growth.WORK not in works:
            raise UsageError(f"--svg draws the work {growth.WORK.name}, which is not among those named")
        plot.require()


def _budget(arguments: argparse.Namespace) -> Budget:
    limits = budget.QUICK if arguments.quick else Budget()
    if arguments.full:
        limits = dataclasses.replace(limits, growth=budget.FULL_GROWTH)
    return limits if arguments.rounds is None else dataclasses.replace(limits, rounds=arguments.rounds)


def _command(arguments: argparse.Namespace, program: str) -> str:
    """The command that measures the same again; where it writes is not part of that."""
    words = ["bench", *(each.name for each in arguments.works)]
    words += ["--quick"] if arguments.quick else []
    words += ["--full"] if arguments.full else []
    words += [f"--rounds={arguments.rounds}"] if arguments.rounds is not None else []
    return f"{program} {shlex.join(words)}"


def _measure(each: Work, limits: Budget) -> WorkResult:
    result = WorkResult(each, [])
    with progress.bar() as begin:
        for case in each.cases(limits):
            watch = begin(f"{each.name}: {case.title}", 1 + harness.rounds(case, limits))
            result.cases.append(harness.run(case, limits, watch))
    return result


def _write(arguments: argparse.Namespace, done: Run) -> None:
    if arguments.json is not None:
        done.write_json(arguments.json)
    if arguments.svg is not None:
        (drawn,) = (result for result in done.works if result.work is growth.WORK)
        plot.draw(arguments.svg, drawn.cases, drawn.work.title)
    if arguments.markdown is not None:
        markdown.write(arguments.markdown, done, svg=arguments.svg, append=arguments.append)
