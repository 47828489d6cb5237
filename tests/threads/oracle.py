"""The oracle: no two blocks may ever have overlapped in time and in place."""

from __future__ import annotations

import threading
from bisect import bisect_left, insort
from dataclasses import dataclass, field


class Ticks:
    """Numbers that only rise, whichever thread asks. Locked: without the GIL ``itertools.count`` may go back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def next(self) -> int:
        """One more than before."""
        with self._lock:
            self._last += 1
            return self._last


@dataclass(slots=True)
class Life:
    """A block's stay at one place: from just after it was handed out until just before it was given back."""

    start: int
    address: int
    span: int
    end: int = 0


@dataclass
class Oracle:
    """Notes lives, and finds two that overlapped. Each thread keeps notes of its own."""

    ticks: Ticks
    lives: list[Life] = field(default_factory=list)

    def born(self, address: int, span: int) -> Life:
        """Call just after the block was handed out."""
        life = Life(self.ticks.next(), address, span)
        self.lives.append(life)
        return life

    def dies(self, life: Life) -> None:
        """Call just before the block is given back."""
        life.end = self.ticks.next()


def overlaps(lives: list[Life]) -> list[tuple[Life, Life]]:
    """Pairs of lives that were at one place at one time. O(n log n) for n lives."""
    events = sorted([(life.start, True, index) for index, life in enumerate(lives)]
                    + [(life.end, False, index) for index, life in enumerate(lives)])  # fmt: skip
    alive: list[tuple[int, int]] = []  # (address, index), sorted; disjoint so far
    found = []
    for _, begins, index in events:
        life = lives[index]
        place = bisect_left(alive, (life.address, index))
        if not begins:
            alive.remove((life.address, index))
            continue
        for neighbour in alive[max(place - 1, 0) : place + 1]:
            other = lives[neighbour[1]]
            if other.address < life.address + life.span and life.address < other.address + other.span:
                found.append((other, life))
        insort(alive, (life.address, index))
    return found
