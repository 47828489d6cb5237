"""Search the turns that a few threads can take for one under which a promise is broken."""

from __future__ import annotations

import json
import shlex
import sys
from typing import TYPE_CHECKING, Final

from arenas.system import FREE_THREADED

from .. import machine, progress, table
from ..batch import CLEAN, FAILED
from ..errors import UsageError
from ..interleave import NAMES, PROTOCOLS, Schedule, Search, finding, outcome, place
from . import options

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from ..interleave import Protocol
    from ..interleave.outcome import Outcome
    from .context import Context

HELP: Final = "search the turns that threads can take: every order, every preemption, some with more"

SCHEDULES: Final = 12 if FREE_THREADED else 150
"""With one preemption, of each protocol: all of them together take about a minute. Without the GIL each takes ten times
as long."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("protocols", nargs="*", metavar="PROTOCOL", help="of --list, or module:Class (default: all)")
    parser.add_argument("--list", action="store_true", help="say what there is, and what each promises")
    parser.add_argument(
        "--schedules",
        type=options.positive,
        default=SCHEDULES,
        metavar="N",
        help=f"of each, with one preemption; a quarter as many with more (default: {SCHEDULES})",
    )
    options.add_seed(parser)
    parser.add_argument("--schedule", metavar="'A37 B'", help="play one protocol's, as a failure says it, and no other")
    options.add_json(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Search what is named, show what came of it, and write what is asked for."""
    if arguments.list:
        promises = [(name, finding.find(name).promise()) for name in arguments.protocols or PROTOCOLS]
        table.show(("protocol", "promise"), promises, ("protocol", "promise"))
        return CLEAN
    chosen, left_out = _chosen(arguments.protocols)
    schedule = None if arguments.schedule is None else _schedule(arguments.schedule, chosen)
    _refuse_early(arguments.json)
    seed = options.seed(arguments)
    command = _command(arguments, context.program, seed)
    table.say(command)
    if left_out:
        table.say(f"left out, because what they need is not installed: {left_out}")
    if schedule is not None:
        outcomes = [_replayed(name, kind, schedule) for name, kind in chosen.items()]
    else:
        outcomes = _searched(chosen, arguments.schedules, seed)
    table.show(outcome.HEADINGS, [each.row() for each in outcomes], outcome.TEXT_COLUMNS)
    for each in outcomes:
        if each.broken is not None:
            table.say(f"{each.name}: {each.broken.error}")
            table.say(f"replay: {outcome.replay(context.program, each.name, each.broken.schedule)}\n")
    if arguments.json is not None:
        _write(arguments.json, command, seed, context.program, outcomes)
    table.say(outcome.verdict(outcomes))
    return CLEAN if all(each.broken is None for each in outcomes) else FAILED


def _chosen(names: Sequence[str]) -> tuple[dict[str, type[Protocol]], str]:
    """What is to be searched, and in words what of all there is cannot be; what is named must be there."""
    chosen = {name: finding.find(name) for name in names or PROTOCOLS}
    lacking = {name: finding.missing(kind) for name, kind in chosen.items()}
    wanting = [f"{name} ({', '.join(packages)})" for name, packages in lacking.items() if packages]
    if names and wanting:
        raise UsageError(f"what these need is not installed: {', '.join(wanting)}")
    return {name: kind for name, kind in chosen.items() if not lacking[name]}, ", ".join(wanting)


def _schedule(text: str, chosen: dict[str, type[Protocol]]) -> Schedule:
    schedule = Schedule.read(text)
    if len(chosen) != 1:
        raise UsageError(f"--schedule is of one protocol, not of {len(chosen)}")
    for name, kind in chosen.items():
        finding.refuse_unfit(schedule, name, kind)
    return schedule


def _refuse_early(path: Path | None) -> None:
    """Find out what cannot be done before minutes are spent."""
    if path is not None and not path.parent.is_dir():
        raise UsageError(f"{path}: there is no folder {path.parent}")
    if sys.flags.optimize:
        raise UsageError("python -O leaves out the assertions by which a broken promise shows")


def _command(arguments: argparse.Namespace, program: str, seed: int) -> str:
    """The command that does exactly this again; where it writes is not part of that."""
    if arguments.schedule is not None:
        return outcome.replay(program, arguments.protocols[0], arguments.schedule)
    words = ["interleave", *arguments.protocols, f"--schedules={arguments.schedules}", f"--seed={seed}"]
    return f"{program} {shlex.join(words)}"


def _searched(chosen: dict[str, type[Protocol]], schedules: int, seed: int) -> list[Outcome]:
    outcomes = []
    for number, (name, kind) in enumerate(chosen.items(), 1):
        with progress.bar() as begin:
            watch = begin(f"{name} ({number} of {len(chosen)})", schedules + schedules // 4)
            search = Search(kind, schedules=schedules, seed=seed, watch=watch)
            outcomes.append(outcome.played(name, kind, search, search.run))
    return outcomes


def _replayed(name: str, kind: type[Protocol], schedule: Schedule) -> Outcome:
    search = Search(kind, schedules=1, seed=0)

    def play() -> None:
        run = search.replay(schedule)
        for turn in run.played:
            stop = f", stopped at {place(turn.path[-1])}" if turn.stopped else ""
            table.say(f"{NAMES[turn.thread]}: {len(turn.path)} steps{stop}")
        if not run.followed:
            raise UsageError(f"{name} was not stopped as '{schedule}' says: other code, or another Python, found it")

    return outcome.played(name, kind, search, play)


def _write(path: Path, command: str, seed: int, program: str, outcomes: Sequence[Outcome]) -> None:
    document = {
        "format": "arenas-stress-interleave",
        "version": 1,
        "command": command,
        "seed": seed,
        "machine": machine.describe(),
        "clean": all(each.broken is None for each in outcomes),
        "verdict": outcome.verdict(outcomes),
        "protocols": [each.as_dict(program) for each in outcomes],
    }
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
