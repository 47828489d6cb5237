"""Many threads do everything at once: no two blocks overlap, no byte changes hands, the books are exact at the end."""

from __future__ import annotations

import contextlib
import ctypes
import random
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

import pytest

import arenas
from tests.threads.helpers import pattern, prove_whole, together
from tests.threads.oracle import Life, Oracle, Ticks, overlaps

THREADS = 4
STEPS = 350
MOST_BYTES = 3000
HELD = 12  # blocks a thread keeps, at most

# A clock on which pages are idle after a few calls: upkeep then happens everywhere.
HURRIED = {"decay_seconds": 1.0, "clock": lambda: time.monotonic() * 10_000}
DECAYS: dict[str, dict[str, Any]] = {
    "decay=0": {"decay_seconds": 0},
    "decay=None": {"decay_seconds": None},
    "decay=default": {},
    "decay=hurried": HURRIED,
}


@dataclass(slots=True)
class Entry:
    """A block, or an address from malloc, its pattern, and its life so far."""

    block: arenas.Block | int
    key: int
    size: int
    life: Life


class Worker:
    """One thread's random actions. Blocks go to other threads through ``shared``, and are freed there."""

    def __init__(self, heap: arenas.Heap, seed: int, ticks: Ticks, shared: deque[Entry]) -> None:
        self.heap = heap
        self.random = random.Random(seed)
        self.oracle = Oracle(ticks)
        self.shared = shared
        self.mine: list[Entry] = []
        self.key = seed << 32
        self.made = 0
        self.actions = [
            (self.alloc, 30), (self.malloc, 10), (self.free, 15), (self.send, 15), (self.receive, 15), (self.drop, 5),
            (self.resize, 10), (self.look, 10), (self.stats, 2), (self.check, 2), (self.trim, 1),
        ]  # fmt: skip

    def run(self) -> None:
        """All steps."""
        actions, weights = zip(*self.actions, strict=True)
        for action in self.random.choices(actions, weights, k=STEPS):
            action()
            if len(self.mine) > HELD:
                self.free()

    def pick(self) -> Entry | None:
        """One of this thread's entries, taken out."""
        if not self.mine:
            return None
        place = self.random.randrange(len(self.mine))
        self.mine[place], self.mine[-1] = self.mine[-1], self.mine[place]
        return self.mine.pop()

    def fill(self, block: arenas.Block | int, size: int, span: int) -> None:
        self.made += 1
        self.key += 1
        if isinstance(block, int):
            life = self.oracle.born(block, span)
            ctypes.memmove(block, pattern(self.key, size), size)
        else:
            life = self.oracle.born(block.address, span)
            block.view[:] = pattern(self.key, size)
        self.mine.append(Entry(block, self.key, size, life))

    def alloc(self) -> None:
        size = self.random.randrange(MOST_BYTES)
        zero = self.random.random() < 0.2
        alignment = self.random.choice([None, 16, 256, 4096])
        block = self.heap.alloc(size, zero=zero, alignment=alignment)
        assert block.address % (alignment or 64) == 0
        assert not zero or not any(block.view)
        self.fill(block, size, block.capacity)

    def malloc(self) -> None:
        size = self.random.randrange(MOST_BYTES)
        self.fill(self.heap.malloc(size), size, max(size, 1))

    def verify(self, entry: Entry) -> None:
        block = entry.block
        found = ctypes.string_at(block, entry.size) if isinstance(block, int) else bytes(block.view)
        assert found == pattern(entry.key, entry.size)

    def end(self, entry: Entry) -> None:
        self.verify(entry)
        self.oracle.dies(entry.life)
        if isinstance(entry.block, int):
            self.heap.free(entry.block)
        else:
            entry.block.free()

    def free(self) -> None:
        if entry := self.pick():
            self.end(entry)

    def drop(self) -> None:
        entry = self.pick()
        if entry and not isinstance(entry.block, int):
            self.verify(entry)
            self.oracle.dies(entry.life)
        elif entry:
            self.mine.append(entry)

    def send(self) -> None:
        if entry := self.pick():
            self.shared.append(entry)

    def receive(self) -> None:
        with contextlib.suppress(IndexError):
            self.end(self.shared.popleft())

    def resize(self) -> None:
        entry = self.pick()
        if entry is None or isinstance(entry.block, int):
            return self.mine.append(entry) if entry else None
        self.verify(entry)
        size = self.random.randrange(MOST_BYTES)
        self.oracle.dies(entry.life)
        entry.block.resize(size)
        kept = min(size, entry.size)
        entry.life = self.oracle.born(entry.block.address, entry.block.capacity)
        assert bytes(entry.block.view[:kept]) == pattern(entry.key, kept)
        entry.block.view[:] = pattern(entry.key, size)
        entry.size = size
        return self.mine.append(entry)

    def look(self) -> None:
        if entry := self.pick():
            self.verify(entry)
            self.mine.append(entry)

    def stats(self) -> None:
        assert self.heap.stats().reserved_bytes > 0

    def check(self) -> None:
        self.heap.check()

    def trim(self) -> None:
        self.heap.trim()


@pytest.mark.usefixtures("fast_switching")
@pytest.mark.parametrize("decay", DECAYS)
@pytest.mark.parametrize("spec", ["thread", "cpu", 1, 3], ids=lambda spec: f"arenas={spec}")
@pytest.mark.parametrize("seed", [1])
def test_blocks_of_many_threads_never_overlap(spec: str | int, decay: str, seed: int) -> None:
    """Whatever threads do at once, each byte belongs to one block at a time, and the sums are exact afterwards."""
    heap = arenas.Heap(arenas=spec, region_bytes=1 << 16, **DECAYS[decay])
    ticks = Ticks()
    shared: deque[Entry] = deque()
    workers = [Worker(heap, seed * THREADS + number, ticks, shared) for number in range(THREADS)]
    together(*(worker.run for worker in workers))
    for worker in workers:
        while worker.mine:
            worker.free()
    while shared:
        workers[0].receive()
    stats = heap.stats()
    assert stats.allocations == sum(worker.made for worker in workers) + stats.resizes_moved
    lives = [life for worker in workers for life in worker.oracle.lives]
    assert all(life.end for life in lives)
    assert not overlaps(lives)
    prove_whole(heap)
    assert heap.stats().frees == stats.allocations


@pytest.mark.parametrize("shift", [-1, 0, 1])
def test_the_oracle_sees_one_byte_of_overlap(shift: int) -> None:
    """The oracle itself: neighbours in place or in time are no overlap, one shared byte is."""
    neighbours = [Life(1, 100, 10, 4), Life(2, 110, 10, 5), Life(6, 95, 30, 7)]
    assert not overlaps(neighbours)
    moved = [*neighbours, Life(3, 120 + shift, 5, 8)]
    # Address 95 to 125 lives from 6 to 7, over what lives from 3 to 8.
    assert len(overlaps(moved)) == (2 if shift < 0 else 1)
