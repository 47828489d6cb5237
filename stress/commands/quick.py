"""The run without arguments: every workload and every recording there is, each for a while, in about a minute."""

from __future__ import annotations

import itertools
import shlex
from typing import TYPE_CHECKING, Final

from .. import recordings
from ..allocators.protocol import Choice
from ..batch import Batch
from ..run import Terms
from ..workloads import WORKLOADS
from . import options, replay
from . import run as run_command

if TYPE_CHECKING:
    import argparse

    from .context import Context

HELP: Final = "every workload and every recording found, each for a while (what no command at all means)"

SECONDS: Final = 1.0
"""Of each workload."""
BUDGET: Final = 100_000
"""Operations of each recording: a budget of operations, unlike one of seconds, does the same work every time."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "--full", action="store_true", help="every operation of every recording; workloads ten times longer"
    )
    options.add_seed(parser)
    options.add_json(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Run what is found."""
    found = recordings.find()
    seed = options.seed(arguments)
    limit = None if arguments.full else BUDGET
    terms = Terms(seconds=SECONDS * (10 if arguments.full else 1), seed=seed)
    words = ["quick", f"--seed={seed}", *(["--full"] if arguments.full else [])]
    open_allocator = context.open_allocator
    batch = Batch(
        command=f"{context.program} {shlex.join(words)}",
        seed=seed,
        told=(f"recordings: {found.told}",),
        jobs=itertools.chain(
            (run_command.job(each, Choice(allocator="blocks"), terms, open_allocator) for each in WORKLOADS.values()),
            (
                replay.job(path, Choice(allocator="malloc"), open_allocator, seed=seed, limit=limit, serial=False)
                for path in found.paths
            ),
        ),
        json=arguments.json,
    )
    return batch.run()
