"""Slots of which few are used all the time and most hardly ever: a full one is freed, an empty one filled.

Which slot is drawn follows Pareto's rule six times over: 80 % of the draws go to 20 % of the slots, of these 80 % to
20 % of those, and so on. So short lives and very long ones are mixed, as in a server that has run for weeks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .model import Workload

if TYPE_CHECKING:
    import random

    from ..client import Client, Held
    from ..stage import Stage

SLOTS: Final = 1 << 18
"""Of all threads together."""
HOT_DRAWS: Final = 0.8
HOT_SLOTS: Final = 0.2
DEPTH: Final = 6
SMALLEST_POWER: Final = 2
LARGEST_POWER: Final = 9
"""A block has more than ``2**p`` and at most ``2**(p+1)`` bytes; each ``p`` is half as likely as the one below."""


def draw(numbers: random.Random, slots: int) -> int:
    """One of the slots, by Pareto's rule."""
    low, length = 0.0, float(slots)
    for _ in range(DEPTH):
        if numbers.random() < HOT_DRAWS:
            length *= HOT_SLOTS
        else:
            low += length * HOT_SLOTS
            length *= 1 - HOT_SLOTS
    return min(int(low + length * numbers.random()), slots - 1)  # rounding may reach the end


def draw_size(numbers: random.Random) -> int:
    """A block's size: 5 to 1024 bytes."""
    power = SMALLEST_POWER
    while power < LARGEST_POWER and numbers.random() < 1 / 2:
        power += 1
    return (1 << power) + 1 + numbers.randrange(1 << power)


class Worker:
    """One thread and its slots."""

    def __init__(self, stage: Stage[Any], numbers: random.Random) -> None:
        self._stage = stage
        self._numbers = numbers
        self._slots: list[Held[Any] | None] = [None] * max(stage.scaled(SLOTS) // stage.threads, 1)
        self._saturated = 0

    def work(self, client: Client[Any]) -> None:
        """Fill every other slot on the way: before all else, as in the original, it would take seconds."""
        slots, numbers = self._slots, self._numbers
        while True:
            self._turn(draw(numbers, len(slots)), client)
            if self._saturated < len(slots):
                self._saturated += 1
                if numbers.random() < 1 / 2 and slots[self._saturated - 1] is None:
                    self._turn(self._saturated - 1, client)
            if not self._stage.going:
                return

    def _turn(self, slot: int, client: Client[Any]) -> None:
        old, self._slots[slot] = self._slots[slot], None
        if old is None:
            self._slots[slot] = client.allocate(draw_size(self._numbers))
        else:
            client.free(old)


def play(stage: Stage[Any]) -> None:
    """As many as there are to be threads."""
    stage.play(*(Worker(stage, stage.random("alloc-test", number)).work for number in range(stage.threads)))


WORKLOAD: Final = Workload(
    "alloc-test",
    "few slots change all the time, most hardly ever (Pareto's 80/20, six times over)",
    "OLogN Technologies: alloc-test (node-dcs), 2018, as mimalloc-bench runs it",
    play,
)
