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


class Consumers:
    """Free whatever is on the queue until all producers have said their None."""

    def __init__(self, queue: Channel[Any], producers: int) -> None:
        self._queue = queue
        self._producers = producers
        self._ended: list[None] = []  # appended to by any thread: that is atomic, with and without the GIL

    def work(self, client: Client[Any], batch: deque[Held[Any] | None]) -> None:
        """Free batches; ``batch`` is what a thread that died had still in hand."""
        while True:
            while batch:
                client.free(batch.popleft())
            taken = self._queue.get()
            if taken is not None:
                batch.extend(taken)
                continue
            self._ended.append(None)
            if len(self._ended) >= self._producers:  # the last None goes round, for each of the others to see
                self._queue.put(None)
                return


def play(stage: Stage[Any]) -> None:
    """One half of the threads each, at least one."""
    producers = (stage.threads + 1) // 2
    queue = stage.channel(BATCHES)
    consumers = Consumers(queue, producers)
    stage.play(
        *(Producer(stage, queue, stage.random("xmalloc-test", number)).work for number in range(producers)),
        *(_consume(consumers) for _ in range(max(stage.threads - producers, 1))),
    )


def _consume(consumers: Consumers) -> Any:  # noqa: ANN401 - a Body, whose module knows ours not
    batch: deque[Any] = deque()
    return lambda client: consumers.work(client, batch)


WORKLOAD: Final = Workload(
    "xmalloc-test",
    "some threads allocate batches of 4096 blocks, others free them",
    "C. Lever, D. Boreham: malloc() performance in a multithreaded Linux environment, USENIX FREENIX 2000",
    play,
)
