"""Twenty large buffers; again and again a random one is replaced by another of random size.

Each is a mapping of its own, with page faults all over, unless the allocator keeps some warm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .model import Workload

if TYPE_CHECKING:
    import random

    from ..client import Client, Held
    from ..stage import Stage

SLOTS: Final = 20
"""Of all threads together, so that they need no more memory than one."""
SMALLEST: Final = 5 << 20
LARGEST: Final = 25 << 20


class Worker:
    """One thread and its slots."""

    def __init__(self, stage: Stage[Any], numbers: random.Random) -> None:
        self._stage = stage
        self._numbers = numbers
        self._slots: list[Held[Any] | None] = [None] * max(SLOTS // stage.threads, 1)

    def work(self, client: Client[Any]) -> None:
        """Replace buffers until the time is up; the new one is there before the old one goes, as in the original."""
        slots, numbers, stage = self._slots, self._numbers, self._stage
        smallest, largest = stage.scaled(SMALLEST), stage.scaled(LARGEST)
        while True:
            index = numbers.randrange(len(slots))
            new = client.allocate(numbers.randint(smallest, largest))
            old, slots[index] = slots[index], new
            client.free(old)
            if not stage.going:
                return


def play(stage: Stage[Any]) -> None:
    """As many as there are to be threads."""
    stage.play(*(Worker(stage, stage.random("malloc-large", number)).work for number in range(stage.threads)))


WORKLOAD: Final = Workload(
    "malloc-large",
    "20 buffers of 5 to 25 MiB, a random one replaced",
    "L. Stolyarov, D. Leijen: mimalloc-bench, malloc-large",
    play,
    threads=1,
)
