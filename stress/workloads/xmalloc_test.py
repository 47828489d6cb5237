"""Some threads only allocate, others only free: every free is a remote one.

Producers collect blocks of random sizes in batches and put them on one queue; consumers take a batch and free it. What
an allocator keeps for the thread that frees never serves the thread that allocates, unless it finds its way back.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from .model import Workload

if TYPE_CHECKING:
    import random

    from ..channel import Channel
    from ..client import Client, Held
    from ..stage import Stage

BATCH: Final = 4096
"""Blocks."""
BATCHES: Final = 100
"""On the queue at most: then producers wait."""
SIZES: Final = (*(size for power in range(3, 11) for size in (1 << power, 3 << power - 1)), 1 << 11)
"""8, 12, 16, 24, … 1536, 2048 bytes: powers of two, and half as much again."""


class Producer:
    """Fills batches until the time is up."""

    def __init__(self, stage: Stage[Any], queue: Channel[Any], numbers: random.Random) -> None:
        self._stage = stage
        self._queue = queue
        self._numbers = numbers
        self._batch: list[Held[Any] | None] = []  # outlives the thread that began it

    def work(self, client: Client[Any]) -> None:
        """Put batches on the queue, the last one as far as it got, and then None."""
        full = self._stage.scaled(BATCH)
        going = True
        while going:
            while going and len(self._batch) < full:
                self._batch.append(client.allocate(self._numbers.choice(SIZES)))
                going = self._stage.going
            self._queue.put(self._batch)
            self._batch = []
        self._queue.put(None)


class Consumer:
    """Frees whatever is on the queue until all producers have said their None."""

    def __init__(self, queue: Channel[Any], producers: int, ended: list[None]) -> None:
        self._queue = queue
        self._producers = producers
        self._ended = ended  # of all consumers; appended to by any thread: that is atomic, with and without the GIL
        self._batch: deque[Held[Any] | None] = deque()  # outlives the thread that took it

    def work(self, client: Client[Any]) -> None:
        """Free batches to the end."""
        while True:
            while self._batch:
                client.free(self._batch.popleft())
            taken = self._queue.get()
            if taken is not None:
                self._batch.extend(taken)
                continue
            self._ended.append(None)
            if len(self._ended) >= self._producers:  # the last None goes round, for each of the others to see
                self._queue.put(None)
                return


def play(stage: Stage[Any]) -> None:
    """One half of the threads each, at least one."""
    producers = (stage.threads + 1) // 2
    queue = stage.channel(BATCHES)
    ended: list[None] = []
    stage.play(
        *(Producer(stage, queue, stage.random("xmalloc-test", number)).work for number in range(producers)),
        *(Consumer(queue, producers, ended).work for _ in range(max(stage.threads - producers, 1))),
    )


WORKLOAD: Final = Workload(
    "xmalloc-test",
    "some threads allocate batches of 4096 blocks, others free them",
    "C. Lever, D. Boreham: malloc() performance in a multithreaded Linux environment, USENIX FREENIX 2000",
    play,
)
