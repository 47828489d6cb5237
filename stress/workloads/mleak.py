"""Threads that allocate one block, leave it in a slot, free what was there, and end: thousands of them.

Not more than a slot's worth of blocks is ever live. So memory must be flat: an allocator that keeps something for each
thread that ever was, or cannot reuse what a dead thread owned, grows.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

from .model import Workload
from .slots import Slots

if TYPE_CHECKING:
    from ..client import Client
    from ..stage import Stage

SLOTS: Final = 1000
SIZE: Final = 128
WARM_UP: Final = 20
"""Generations of threads, whose peak the later ones are measured by."""
GROWTH: Final = 2
"""Times that peak and what is live: more is a leak."""


class Watch:
    """Compares what later generations hold with what the first ones did."""

    def __init__(self, stage: Stage[Any]) -> None:
        self._stage = stage
        self._generation = 0
        self._peaks = {"committed": 0, "reserved": 0}

    def look(self) -> None:
        """At the end of each generation; the first growth is a fault, which is not repeated.

        Not where memory may be refused: regions are then as short as could be had, and the next may be longer.
        """
        if self._stage.referee.may_refuse:
            return
        self._generation += 1
        memory = self._stage.allocator.measure()
        live_bytes = sum(self._stage.referee.live_bytes)
        for what, held_bytes in (("committed", memory.committed_bytes), ("reserved", memory.reserved_bytes)):
            if held_bytes is None or what not in self._peaks:
                continue
            peak_bytes = self._peaks[what]
            if self._generation <= WARM_UP:
                self._peaks[what] = max(peak_bytes, held_bytes)
            elif held_bytes > GROWTH * (peak_bytes + live_bytes):
                del self._peaks[what]
                self._stage.referee.faults.add(
                    f"{what} memory grew from {peak_bytes:,} bytes, at most, in the first {WARM_UP} generations of "
                    f"{self._stage.threads} threads to {held_bytes:,} in generation {self._generation:,}, "
                    f"{live_bytes:,} bytes live"
                )


def play(stage: Stage[Any]) -> None:
    """Generation after generation, once the slots are full."""
    slots = Slots(stage.scaled(SLOTS))
    numbers = stage.random("mleak")
    watch = Watch(stage)
    stage.play(
        *(functools.partial(_leave, slots, range(first, len(slots), stage.threads)) for first in range(stage.threads))
    )
    while True:
        picked = [numbers.randrange(len(slots)) for _ in range(stage.threads)]
        stage.play(*(functools.partial(_leave, slots, (slot,)) for slot in picked))
        watch.look()
        if not stage.going:
            return


def _leave(slots: Slots, which: range | tuple[int], client: Client[Any]) -> None:
    """What one thread does with some slots."""
    for slot in which:
        client.free(slots.exchange(slot, client.zeroed(SIZE)))


WORKLOAD: Final = Workload(
    "mleak",
    "thousands of threads that leave one block each and end; memory must stay flat",
    "D. Leijen: mimalloc-bench, mleak",
    play,
    threads=10,
)
