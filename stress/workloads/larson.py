"""A server whose threads inherit each other's memory.

Each thread replaces random blocks among its slots by new ones of random size; after a while it ends, and a new thread
goes on with the same slots: it frees what others have allocated. Like the requests of a server, which outlive the
thread that received them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .model import Workload

if TYPE_CHECKING:
    import random

    from ..client import Client
    from ..stage import Stage

SLOTS: Final = 1000
"""Of each thread."""
SMALLEST: Final = 10
LARGEST: Final = 500
REPLACED_BY_ONE_THREAD: Final = 1000
"""Blocks, before its successor takes over."""


class Chain:
    """One thread after another, with the same slots."""

    def __init__(self, stage: Stage[Any], numbers: random.Random) -> None:
        """Slots are empty at first."""
        self._stage = stage
        self._numbers = numbers
        self._slots: list[Any] = [None] * stage.scaled(SLOTS)
        self._turn = stage.scaled(REPLACED_BY_ONE_THREAD)

    def link(self, client: Client[Any]) -> None:
        """What one thread does, before it hands on to the next."""
        slots, numbers, stage = self._slots, self._numbers, self._stage
        for _ in range(self._turn):
            victim = numbers.randrange(len(slots))
            old, slots[victim] = slots[victim], None
            client.free(old)
            slots[victim] = client.allocate(numbers.randint(SMALLEST, LARGEST))
            if not stage.going:
                return
        stage.follow(client, self.link)


def play(stage: Stage[Any]) -> None:
    """As many chains as there are to be threads."""
    stage.play(*(Chain(stage, stage.random("larson", number)).link for number in range(stage.threads)))


WORKLOAD: Final = Workload(
    "larson",
    "threads replace random small blocks; each hands its slots on to a successor",
    "P. Larson, M. Krishnan: Memory allocation for long-running server applications, ISMM 1998",
    play,
)
