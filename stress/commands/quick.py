"""The run without arguments: every recording there is, each up to a budget, in about a minute on two cores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .. import recordings
from . import options

if TYPE_CHECKING:
    import argparse

    from .context import Context

HELP: Final = "replay every recording found, each up to a budget of operations (what no command at all means)"

BUDGET: Final = 500_000
"""Operations of each recording: eight of them take about a minute on two cores. A budget of operations, unlike one of
seconds, does the same work every time."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    options.add_replay_options(parser)
    parser.add_argument("--full", action="store_true", help="every operation of every recording")


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Replay what is found."""
    limit = None if arguments.full else BUDGET
    return options.batch(arguments, context, recordings.find(), limit).run()
