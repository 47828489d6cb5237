"""What a soak does next: each round a run of its own, drawn from the seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .allocators import registry
from .allocators.protocol import Choice
from .mishaps import NONE, Mishaps
from .placements import PLACEMENTS
from .run import Terms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .workloads.model import Workload

SECONDS: Final = (0.5, 1.0, 2.0)
SCALES: Final = (0.05, 0.1, 0.3, 1.0)
MOST_THREADS: Final = 8
ROUTINGS: Final = (None, "thread", "cpu", 1, 2, 3, 8)
NUMBERS: Final = (None, 1, 2, 4)
"""Of arenas, where the memory is one range."""
SMALLEST_LIMIT, LARGEST_LIMIT = 16, 26
"""As powers of two, in bytes."""


@dataclass(frozen=True, slots=True)
class Round:
    """One run of a soak."""

    workload: Workload
    choice: Choice
    terms: Terms


def draw(number: int, seed: int, workloads: Sequence[Workload], allocators: Sequence[str]) -> Round:
    """Round ``number`` of a soak. All workloads come once before one comes again, each time in another order."""
    turn, place = divmod(number, len(workloads))
    workload = _random(seed, "order", turn).sample(list(workloads), len(workloads))[place]
    numbers = _random(seed, "round", number)
    allocator = numbers.choice(allocators)
    run_seed = numbers.randrange(1 << 32)
    mishaps = _mishaps(numbers, allocator, run_seed) if numbers.random() < 1 / 2 else NONE
    choice = Choice(
        allocator=allocator,
        arenas=numbers.choice(NUMBERS if registry.is_bounded(allocator) else ROUTINGS),
        placement=numbers.choice(list(PLACEMENTS)),
        mishaps=mishaps,
    )
    terms = Terms(
        seconds=numbers.choice(SECONDS),
        seed=run_seed,
        threads=numbers.randint(1, MOST_THREADS),
        scale=numbers.choice(SCALES),
        mishaps=mishaps,
    )
    return Round(workload, choice, terms)


def _mishaps(numbers: random.Random, allocator: str, seed: int) -> Mishaps:
    """Some of what can befall this allocator, seldom all of it."""
    can_fail = not registry.is_bounded(allocator)
    return Mishaps(
        fail_nth=numbers.randint(1, 20) if can_fail and _now_and_then(numbers) else None,
        fail_rate=numbers.choice((0.01, 0.1, 0.5)) if can_fail and _now_and_then(numbers) else 0.0,
        limit_bytes=1 << numbers.randint(SMALLEST_LIMIT, LARGEST_LIMIT)
        if registry.is_heap(allocator) and _now_and_then(numbers)
        else None,
        die_rate=numbers.choice((0.0001, 0.001)) if _now_and_then(numbers) else 0.0,
        collect=_now_and_then(numbers),
        seed=seed,
    )


def _now_and_then(numbers: random.Random) -> bool:
    return numbers.random() < 1 / 3


def _random(seed: int, *names: object) -> random.Random:
    return random.Random(f"{seed}/soak/{'/'.join(map(str, names))}")  # noqa: S311 - to be repeated, not secret
