"""Threads walk through their slots, freeing and allocating in runs, and free bundles that others allocated.

Sizes drop off linearly: small ones are common, large ones rare. Every other run ends with a bundle of blocks for
another thread, which frees it before it allocates again.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from ..allocators.protocol import ANYTHING
from .model import Workload

if TYPE_CHECKING:
    import random

    from ..client import Client, Held
    from ..stage import Stage

SLOTS: Final = 1000
"""Of each thread."""
OPERATIONS: Final = 100
"""A run allocates 30 to 100 % of so many blocks, and frees 80 % of 30 to 100 % of them first."""
RUNS: Final = 500
"""Of one thread, before it frees all it has, and another takes over."""
CROSSING: Final = 2
"""Each so many runs a bundle goes to another thread, …"""
BUNDLE: Final = 4
"""… of a quarter as many blocks as the run allocated."""
SMALLEST: Final = 8
LARGEST: Final = 16_000
ALIGNMENTS: Final = (ANYTHING, 8, 16)
"""In turn, of blocks smaller than a page."""
PAGE: Final = 4096
ALLOCATING_STRIDE: Final = 7
FREEING_STRIDE: Final = 11
"""Two walks through the slots, each with a stride of its own."""

Bundle = list["Held[Any] | None"]


class Worker:
    """One thread after another, with the same slots."""

    def __init__(self, stage: Stage[Any], number: int, inboxes: list[deque[Bundle]]) -> None:
        self._stage = stage
        self._numbers: random.Random = stage.random("rptest", number)
        self._inboxes = inboxes  # by thread: anybody appends, its own thread takes, and each is one step
        self._number = self._next = number
        self._slots: Bundle = [None] * stage.scaled(SLOTS)
        self._foreign: Bundle = []
        self._runs = self._allocating = self._freeing = self._allocated = 0

    def work(self, client: Client[Any]) -> None:
        """Run after run, and then the next thread's turn."""
        while True:
            self._run(client)
            if not self._stage.going:
                return
            if self._runs % RUNS == 0:
                for slot in range(len(self._slots)):
                    self._empty(slot, client)
                self._stage.follow(client, self.work)
                return

    def _run(self, client: Client[Any]) -> None:
        numbers, slots = self._numbers, self._slots
        operations = self._stage.scaled(OPERATIONS)
        for _ in range(round(0.8 * operations * numbers.uniform(0.3, 1))):
            self._empty(self._freeing, client)
            self._freeing = (self._freeing + FREEING_STRIDE) % len(slots)
        self._free_foreign(client)
        count = max(round(operations * numbers.uniform(0.3, 1)), 1)
        for _ in range(count):
            self._empty(self._allocating, client)
            slots[self._allocating] = self._allocate(client)
            self._allocating = (self._allocating + ALLOCATING_STRIDE) % len(slots)
        self._runs += 1
        if self._runs % CROSSING == 1 and len(self._inboxes) > 1:
            bundle = [self._allocate(client) for _ in range(max(count // BUNDLE, 1))]
            self._others_inbox().append(bundle)

    def _empty(self, slot: int, client: Client[Any]) -> None:
        old, self._slots[slot] = self._slots[slot], None
        client.free(old)

    def _free_foreign(self, client: Client[Any]) -> None:
        inbox = self._inboxes[self._number]
        while self._foreign or inbox:
            while self._foreign:
                client.free(self._foreign.pop())
            if inbox:
                self._foreign = inbox.popleft()

    def _allocate(self, client: Client[Any]) -> Held[Any] | None:
        numbers = self._numbers
        size = SMALLEST + round((LARGEST - SMALLEST) * numbers.random() * abs(numbers.random() + numbers.random() - 1))
        self._allocated += 1
        return client.allocate(size, ALIGNMENTS[self._allocated % len(ALIGNMENTS)] if size < PAGE else ANYTHING)

    def _others_inbox(self) -> deque[Bundle]:
        """The next thread's, each in turn, but its own."""
        self._next = (self._next + 1) % len(self._inboxes)
        if self._next == self._number:
            self._next = (self._next + 1) % len(self._inboxes)
        return self._inboxes[self._next]


def play(stage: Stage[Any]) -> None:
    """As many as there are to be threads."""
    inboxes: list[deque[Bundle]] = [deque() for _ in range(stage.threads)]
    stage.play(*(Worker(stage, number, inboxes).work for number in range(stage.threads)))


WORKLOAD: Final = Workload(
    "rptest",
    "runs of frees and allocations, sizes dropping off linearly; bundles are freed by other threads",
    "M. Jansson: rpmalloc-benchmark, as mimalloc-bench runs it (0 1 2 500 1000 100 8 16000)",
    play,
)
