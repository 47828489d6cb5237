"""Arguments that several commands share."""

from __future__ import annotations

import argparse
import random
from pathlib import Path
from typing import TYPE_CHECKING

from ..allocators import FACES
from ..batch import Batch

if TYPE_CHECKING:
    from ..recordings import Found
    from .context import Context


def add_replay_options(parser: argparse.ArgumentParser) -> None:
    """How to replay, whatever is replayed."""
    parser.add_argument(
        "--arenas", type=arenas_mode, default="thread", metavar="thread|cpu|N", help="how the heap routes threads"
    )
    parser.add_argument("--api", choices=sorted(FACES), default="malloc", help="addresses or handles (default: malloc)")
    parser.add_argument("--serial", action="store_true", help="one thread, the lines as they come")
    parser.add_argument("--seed", type=int, default=None, help="of the pattern; drawn and printed when not given")
    parser.add_argument("--json", type=Path, default=None, metavar="FILE", help="write the results here too")


def arenas_mode(text: str) -> str | int:
    """Parse what ``arenas.Heap(arenas=…)`` takes."""
    if text in {"thread", "cpu"}:
        return text
    return positive(text)


def positive(text: str) -> int:
    """Parse a number of at least 1."""
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        message = f"{text!r} is not a positive number"
        raise argparse.ArgumentTypeError(message)
    return number


def batch(arguments: argparse.Namespace, context: Context, found: Found, limit: int | None) -> Batch:
    """Make a batch of parsed arguments; draws the seed where none was given."""
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(1 << 32)
    return Batch(
        program=context.program,
        found=found,
        open_allocator=context.open_allocator,
        arenas=arguments.arenas,
        api=arguments.api,
        serial=arguments.serial,
        limit=limit,
        seed=seed,
        json=arguments.json,
    )
