"""Run workloads, each on a fresh allocator, every byte checked."""

from __future__ import annotations

import argparse
import dataclasses
import shlex
from typing import TYPE_CHECKING, Any, Final

from ..batch import Batch, Job
from ..run import Terms
from ..run import run as play
from ..workloads import WORKLOADS
from . import options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..allocators.protocol import Allocator, Choice, OpenAllocator
    from ..batch import Watch
    from ..results import Result
    from ..workloads.model import Workload
    from .context import Context

HELP: Final = "run workloads on an allocator, every byte checked"
SECONDS: Final = 5.0
_DEFAULT: Final = "blocks"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("workloads", nargs="+", metavar="WORKLOAD", type=workload, help="see the command list")
    options.add_allocator(parser, _DEFAULT)
    parser.add_argument("--threads", type=options.threads, metavar="N", help="at once (default: the workload's own)")
    parser.add_argument("--seconds", type=options.positive_real, default=SECONDS, metavar="S", help="for each workload")
    parser.add_argument("--scale", type=options.scale, default=1.0, metavar="X", help="of sizes and counts")
    options.add_mishaps(parser)
    options.add_seed(parser)
    options.add_json(parser)


def workload(text: str) -> Workload:
    """Find a workload by its name."""
    if text not in WORKLOADS:
        raise argparse.ArgumentTypeError(f"there is no workload {text!r}: choose from {', '.join(WORKLOADS)}")
    return WORKLOADS[text]


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Run what is named."""
    seed = options.seed(arguments)
    mishaps = options.mishaps(arguments, seed)
    terms = Terms(
        seconds=arguments.seconds, seed=seed, threads=arguments.threads, scale=arguments.scale, mishaps=mishaps
    )
    picked = options.choices(arguments, _DEFAULT, mishaps)
    batch = Batch(
        command=f"{context.program} {shlex.join(words(arguments.workloads, picked, terms))}",
        seed=terms.seed,
        jobs=[
            job(each, choice, terms, context.open_allocator)
            for choice in options.distinct(picked)
            for each in arguments.workloads
        ],
        json=arguments.json,
    )
    return batch.run()


def job(each: Workload, choice: Choice, terms: Terms, open_allocator: OpenAllocator) -> Job:
    """One workload on one allocator."""

    def another() -> Allocator[Any]:
        return open_allocator(dataclasses.replace(choice, name=each.name))

    def begin(watch: Watch) -> Result:
        return play(each, another(), terms, watch=watch, another=another)

    return Job(each.name, choice, begin, seconds=terms.seconds)


def words(workloads: Sequence[Workload], picked: list[Choice], terms: Terms) -> list[str]:
    """The command that does exactly this."""
    threads = [] if terms.threads is None else [f"--threads={terms.threads}"]
    return [
        "run",
        *(each.name for each in workloads),
        *options.allocator_words(picked),
        *threads,
        f"--seconds={options.plain(terms.seconds)}",
        f"--scale={options.plain(terms.scale)}",
        f"--seed={terms.seed}",
    ]
