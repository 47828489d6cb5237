"""Threads that each replace random blocks of a working set, small ones far more often than large ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .model import Workload

if TYPE_CHECKING:
    import random

    from ..client import Client, Held
    from ..stage import Stage

WORKING_SET: Final = 1024
"""Blocks of each thread."""
SMALLEST: Final = 4
LARGEST: Final = 32_768


def draw_size(numbers: random.Random) -> int:
    """A size ``s`` with a likelihood proportional to ``1 / s**2``: the inverse of a uniform number."""
    return int(1 / numbers.uniform(1 / LARGEST, 1 / SMALLEST))


class Worker:
    """One thread and its working set."""

    def __init__(self, stage: Stage[Any], numbers: random.Random) -> None:
        self._stage = stage
        self._numbers = numbers
        self._working_set: list[Held[Any] | None] = [None] * stage.scaled(WORKING_SET)

    def work(self, client: Client[Any]) -> None:
        """Replace blocks until the time is up."""
        blocks, numbers = self._working_set, self._numbers
        while True:
            index = numbers.randrange(len(blocks))
            old, blocks[index] = blocks[index], None
            client.free(old)
            blocks[index] = client.allocate(draw_size(numbers))
            if not self._stage.going:
                return


def play(stage: Stage[Any]) -> None:
    """As many as there are to be threads."""
    stage.play(*(Worker(stage, stage.random("glibc-thread", number)).work for number in range(stage.threads)))


WORKLOAD: Final = Workload(
    "glibc-thread",
    "threads replace random blocks of a working set; sizes from 4 to 32768, likely as 1/s²",
    "GNU C Library: benchtests/bench-malloc-thread.c",
    play,
)
