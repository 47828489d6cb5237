"""Arguments that several commands share."""

from __future__ import annotations

import argparse
import random
from pathlib import Path
from typing import Final

from .. import placements
from ..allocators import registry
from ..allocators.protocol import Choice
from ..mishaps import NONE, Mishaps

MOST_THREADS: Final = 4096
LARGEST_SCALE: Final = 1000
"""Beyond these a run fails for want of threads and memory, which would be held against the allocator."""


def add_seed(parser: argparse.ArgumentParser) -> None:
    """What every run can be repeated with."""
    parser.add_argument("--seed", type=int, default=None, help="of all that is random; drawn and printed if not given")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Where results go besides the screen."""
    parser.add_argument("--json", type=Path, default=None, metavar="FILE", help="write the results here too")


def add_allocator(parser: argparse.ArgumentParser, default: str) -> None:
    """What is tested."""
    parser.add_argument(
        "--allocator",
        action="append",
        metavar="NAME",
        help=f"what to test, may be repeated: {', '.join(registry.ABOUT)} (default: {default})",
    )
    parser.add_argument(
        "--arenas", type=arenas_mode, metavar="thread|cpu|N", help="how a heap routes threads (default: thread)"
    )
    parser.add_argument(
        "--placement",
        action="append",
        metavar="NAME",
        help=f"how a heap picks spans, may be repeated: {', '.join(placements.PLACEMENTS)} or module:factory "
        f"(default: {placements.DEFAULT})",
    )


def add_mishaps(parser: argparse.ArgumentParser, *, deaths: bool = True) -> None:
    """What is to go wrong. ``deaths``: whether a thread's work can be begun again by another."""
    group = parser.add_argument_group("what is to go wrong, on purpose")
    group.add_argument("--fail-nth", type=positive, metavar="N", help="the N-th request to the system for memory")
    group.add_argument("--fail-rate", type=share, default=0.0, metavar="R", help="this share of them (0 to 1)")
    group.add_argument("--limit", type=positive, metavar="BYTES", help="of what a heap may commit at once")
    if deaths:
        group.add_argument("--die-rate", type=share, default=0.0, metavar="R", help="of calls at which a thread dies")
    group.add_argument("--gc", action="store_true", help="collect garbage whenever an object is made")


def mishaps(arguments: argparse.Namespace, seed: int) -> Mishaps:
    """All that was asked for by `add_mishaps`."""
    return Mishaps(
        fail_nth=arguments.fail_nth,
        fail_rate=arguments.fail_rate,
        limit_bytes=arguments.limit,
        die_rate=getattr(arguments, "die_rate", 0.0),
        collect=arguments.gc,
        seed=seed,
    )


def choices(arguments: argparse.Namespace, default: str, mishaps: Mishaps = NONE) -> list[Choice]:
    """Every allocator that was asked for, with every placement, and what is to befall it.

    Raises:
        UsageError: one of them is not to be had.

    """
    picked = [
        Choice(allocator=name, arenas=arguments.arenas, placement=placement, mishaps=mishaps)
        for name in dict.fromkeys(arguments.allocator or [default])
        for placement in dict.fromkeys(arguments.placement or [placements.DEFAULT])
    ]
    for choice in picked:
        registry.require(choice)
    return picked


def distinct(picked: list[Choice]) -> list[Choice]:
    """The same without those that differ in what is a heap's only, and are none."""
    return [each for each in picked if registry.is_heap(each.allocator) or each.placement == picked[0].placement]


def allocator_words(picked: list[Choice]) -> list[str]:
    """The same as words of a command, what is to go wrong included."""
    words = [f"--allocator={name}" for name in dict.fromkeys(choice.allocator for choice in picked)]
    words += [] if picked[0].arenas is None else [f"--arenas={picked[0].arenas}"]
    return [*words, *(f"--placement={name}" for name in placements_of(picked)), *picked[0].mishaps.words()]


def placements_of(picked: list[Choice]) -> list[str]:
    """Every placement among them."""
    return list(dict.fromkeys(choice.placement for choice in picked))


def seed(arguments: argparse.Namespace) -> int:
    """The seed that was given, or a new one."""
    given: int | None = arguments.seed
    return random.SystemRandom().randrange(1 << 32) if given is None else given


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


def threads(text: str) -> int:
    """Parse how many threads there are to be at once."""
    number = positive(text)
    if number > MOST_THREADS:
        message = f"{text!r} is not a number from 1 to {MOST_THREADS:,}"
        raise argparse.ArgumentTypeError(message)
    return number


def scale(text: str) -> float:
    """Parse what a workload's sizes and counts are multiplied by."""
    number = positive_real(text)
    if number > LARGEST_SCALE:
        message = f"{text!r} is not a number above 0 and up to {LARGEST_SCALE:,}"
        raise argparse.ArgumentTypeError(message)
    return number


def positive_real(text: str) -> float:
    """Parse a number above 0."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        message = f"{text!r} is not a number above 0"
        raise argparse.ArgumentTypeError(message)
    return number


def plain(number: float) -> str:
    """A number in as few digits as say exactly that: for a command that does the same again."""
    short = f"{number:g}"
    return short if float(short) == number else repr(number)


def share(text: str) -> float:
    """Parse a number from 0 to 1."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        message = f"{text!r} is not a number from 0 to 1"
        raise argparse.ArgumentTypeError(message)
    return number
