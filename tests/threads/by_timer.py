"""A program: a timer strikes at random moments, thousands of times, in random operations.

Usage: ``by_timer.py interrupt|handler thread|1 SEED STRIKES``. ``interrupt``: the handler raises
KeyboardInterrupt, and the heap is checked after each. ``handler``: it uses the heap itself. Stuck, it shows all stacks
and ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import random
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import arenas
from tests.threads.helpers import PATIENCE_SECONDS, pattern, prove_whole

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_BYTES = 6000


@dataclass
class Entry:
    """A block, its pattern, and how much of it was certainly written."""

    block: arenas.Block
    key: int
    written: int = 0

    def verify(self) -> None:
        """What was written is there."""
        if not self.block.released:
            assert self.block.view[: self.written] == pattern(self.key, self.written), self.block


class Program:
    """Random operations on one heap; ``held`` is all that its caller has."""

    def __init__(self, spec: str | int, seed: int) -> None:
        self.heap = arenas.Heap(arenas=spec, region_bytes=1 << 16)
        self.random = random.Random(seed)
        self.held: list[Entry] = []
        self.last_key = self.strikes = self.struck_raw = 0
        self.armed = False
        heap = self.heap
        self.operations: list[Callable[[], object]] = [
            self.alloc, self.alloc, self.alloc, self.free, self.drop, self.resize, self.resize, self.raw, self.scope,
            self.look, heap.stats, heap.check, heap.trim, heap.snapshot,
        ]  # fmt: skip

    def alloc(self) -> None:
        self.last_key += 1
        size = self.random.randrange(MOST_BYTES)
        entry = Entry(self.heap.alloc(size, zero=self.random.random() < 0.3), self.last_key)
        self.held.append(entry)
        self.write(entry)

    def write(self, entry: Entry) -> None:
        view = entry.block.view
        view[entry.written :] = pattern(entry.key, len(view))[entry.written :]
        entry.written = len(view)

    def free(self) -> None:
        if self.held:
            self.held[-1].block.free()

    def drop(self) -> None:
        if self.held:
            del self.held[self.random.randrange(len(self.held))]

    def resize(self) -> None:
        if self.held:
            entry = self.random.choice(self.held)
            size = self.random.randrange(MOST_BYTES)
            entry.written = min(entry.written, size)
            entry.block.resize(size)
            self.write(entry)

    def raw(self) -> None:
        address = self.heap.malloc(200)
        address = self.heap.realloc(address, 900) or 0
        ctypes.memset(address, 0xFF, 900)
        self.heap.free(address)

    def scope(self) -> None:
        with self.heap.scope() as scope:
            scope.alloc(100).view[:] = b"\xff" * 100
            scope.alloc(2000)

    def look(self) -> None:
        for entry in self.held:
            entry.verify()

    def interrupt(self, *_: object) -> None:
        """The handler of ``interrupt``: raises once for each operation, and never outside."""
        if self.armed:
            self.armed = False
            self.strikes += 1
            raise KeyboardInterrupt

    def handle(self, *_: object) -> None:
        """The handler of ``handler``: uses the heap."""
        if self.armed:
            self.strikes += 1
            block = self.heap.alloc(500)
            block.view[:] = pattern(3, 500)
            self.heap.alloc(100).view[:] = b"\xff" * 100  # dropped at once
            with contextlib.suppress(arenas.ArenaBusyError):
                self.heap.stats()
            assert block.view == pattern(3, 500)
            block.free()

    def step(self) -> None:
        """One operation, struck or not; then everything is checked."""
        operation = self.random.choice(self.operations)
        try:
            self.armed = True
            signal.setitimer(signal.ITIMER_REAL, self.random.randrange(1, 200) * 1e-6)
            operation()
            self.armed = False
        except KeyboardInterrupt:
            self.struck_raw += operation == self.raw
        self.armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        self.held = [entry for entry in self.held if not entry.block.released]
        if len(self.held) > 20:
            del self.held[:10]
        self.heap.check()
        for entry in self.held[-3:]:
            entry.verify()
        live = self.heap.stats().live_blocks
        assert len(self.held) <= live <= len(self.held) + self.struck_raw, (operation, live, len(self.held))

    def finish(self) -> None:
        """Give everything up: all memory goes back."""
        self.look()
        self.held.clear()
        if self.struck_raw:
            self.heap.reset()  # addresses lost on their way to the caller
        prove_whole(self.heap, interrupted=True)


def main(mode: str, spec: str, seed: str, strikes: str) -> None:
    """Until it has struck so often; prints that and the number of operations it took."""
    faulthandler.enable()
    sys.unraisablehook = lambda _: None  # an interrupted finalizer
    program = Program(spec if spec == "thread" else int(spec), int(seed))
    signal.signal(signal.SIGALRM, program.interrupt if mode == "interrupt" else program.handle)
    operations = 0
    while program.strikes < int(strikes):
        if operations % 1000 == 0:
            faulthandler.dump_traceback_later(PATIENCE_SECONDS, exit=True)
        operations += 1
        program.step()
    program.finish()
    print(program.strikes, operations)


if __name__ == "__main__":
    main(*sys.argv[1:])
