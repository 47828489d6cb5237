"""How long a run may take: how often, for how long, and among how much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What bounds a run; the defaults take some minutes on two cores."""

    rounds: int = 7
    """How often each entrant takes its turn."""
    turn_seconds: float = 0.05
    """How long a turn is to last; longer where a single operation is."""
    few_live: int = 1_000
    many_live: int = 100_000
    growth: tuple[int, ...] = (100, 1_000, 10_000, 100_000)
    """Numbers of live blocks."""
    buffer_mib: tuple[int, ...] = (1, 2, 6, 16, 24, 64)
    memory_blocks: tuple[int, ...] = (10_000, 100_000)


FULL_GROWTH: Final = (*Budget().growth, 1_000_000)
QUICK: Final = Budget(
    rounds=3,
    turn_seconds=0.005,
    few_live=100,
    many_live=2_000,
    growth=(100, 1_000),
    buffer_mib=(1, 6),
    memory_blocks=(1_000,),
)
"""Shows that everything works; its figures say little."""
