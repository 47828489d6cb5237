"""Replay the recordings named, in full unless a limit is given."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from .. import recordings
from . import options

if TYPE_CHECKING:
    import argparse

    from .context import Context

HELP: Final = "replay recordings through a heap, every byte checked"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("traces", nargs="*", type=Path, metavar="TRACE", help="files or folders (default: as found)")
    options.add_replay_options(parser)
    parser.add_argument("--limit-ops", type=options.positive, default=None, metavar="N", help="of each recording")


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Replay what is named."""
    return options.batch(arguments, context, recordings.find(arguments.traces), arguments.limit_ops).run()
