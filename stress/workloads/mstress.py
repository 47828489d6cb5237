"""Blocks of all orders of magnitude, handed from thread to thread; threads end, and new ones inherit.

Each thread allocates, keeps some blocks to the end, frees others, and now and then exchanges one of its own for
whatever is in a slot that all threads share. Then it frees all it has, and ends. Half of what lies in the slots is
still there in the next round, which has new threads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .model import Workload
from .slots import Slots

if TYPE_CHECKING:
    import random

    from ..client import Client, Held
    from ..stage import Stage

SLOTS: Final = 1000
ALLOCATIONS: Final = 1000
"""Of the least busy thread in a round; half as many again are retained to its end."""
BUSIEST: Final = 8
"""Threads do this times as much as the least busy one, at most."""
WORD: Final = 8
SHORT_LIVED: Final = 5
RETAINED: Final = 7
"""Sizes are a word times one of so many powers of two, …"""
LARGE, HUGE, GIANT = 100, 1000, 10_000
"""… and of one block in a hundred so many times that: huge one in ten of these, giant one in a hundred."""
FREED: Final = 0.66
HANDED_OVER: Final = 0.25
SURVIVING: Final = 0.5


class Worker:
    """One thread's round."""

    def __init__(self, stage: Stage[Any], slots: Slots, numbers: random.Random, allocations: int) -> None:
        self._stage = stage
        self._slots = slots
        self._numbers = numbers
        self._to_allocate = allocations
        self._to_retain = allocations // 2
        self._held: list[Held[Any] | None] = []
        self._retained: list[Held[Any] | None] = []

    def work(self, client: Client[Any]) -> None:
        """Do it all, or as much of it as there is time for, and free what is left."""
        while self._to_allocate or self._to_retain:
            self._step(client)
            if not self._stage.going:
                break
        for blocks in (self._retained, self._held):
            while blocks:
                client.free(blocks.pop())

    def _step(self, client: Client[Any]) -> None:
        numbers, held = self._numbers, self._held
        if self._to_allocate and (not self._to_retain or numbers.random() < 1 / 2):
            self._to_allocate -= 1
            held.append(client.zeroed(self._size(SHORT_LIVED)))
        else:
            self._to_retain -= 1
            self._retained.append(client.zeroed(self._size(RETAINED)))
        if held and numbers.random() < FREED:
            index = numbers.randrange(len(held))
            old, held[index] = held[index], None
            client.free(old)
        if held and numbers.random() < HANDED_OVER:
            index = numbers.randrange(len(held))
            held[index] = self._slots.exchange(numbers.randrange(len(self._slots)), held[index])

    def _size(self, powers: int) -> int:
        chance = self._numbers.random()
        factor = GIANT if chance < 1e-4 else HUGE if chance < 1e-3 else LARGE if chance < 1e-2 else 1  # noqa: PLR2004
        return factor * WORD << self._numbers.randrange(powers)


def play(stage: Stage[Any]) -> None:
    """Round after round; in between, half of the slots are emptied."""
    slots = Slots(stage.scaled(SLOTS))
    numbers = [stage.random("mstress", number) for number in range(stage.threads)]
    survival = stage.random("mstress")
    least = stage.scaled(ALLOCATIONS, 2)
    while True:
        stage.play(
            *(Worker(stage, slots, each, least * (index % BUSIEST + 1)).work for index, each in enumerate(numbers))
        )
        with stage.client() as client:
            for slot in range(len(slots)):
                if survival.random() >= SURVIVING:
                    client.free(slots.exchange(slot, None))
        if not stage.going:
            return


WORKLOAD: Final = Workload(
    "mstress",
    "blocks of all sizes handed over through shared slots; new threads each round",
    "D. Leijen: mimalloc, test/test-stress.c",
    play,
)
