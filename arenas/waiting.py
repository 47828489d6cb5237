"""Threads that wait for memory, and how a free or a finalizer wakes them."""

from __future__ import annotations

import itertools
import queue
import time
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

    from .line import Line

# A last view that dies unnoticed sends no word; so a waiter looks by itself this often.
_LOOK_SECONDS = 0.05


class Waiters:
    """The waiting threads' queues. Without a lock: ``wake`` may be called by a finalizer at any point."""

    def __init__(self) -> None:
        # Weak: a waiter that was interrupted before it could sign off must not collect wake-ups for ever.
        self._queues: dict[int, weakref.ref[queue.SimpleQueue[None]]] = {}
        self._keys = itertools.count()
        self._lines: dict[int, weakref.ref[Line]] = {}  # pools', by id

    def __bool__(self) -> bool:
        return bool(self._queues)

    def wake(self) -> None:
        """Make every waiter look again."""
        for key, reference in self._queues.copy().items():
            waiting = reference()
            if waiting is None:
                self._queues.pop(key, None)
            else:
                waiting.put(None)  # re-entrant, unlike a Condition's notify

    def add(self, line: Line) -> None:
        """Have a pool's line told of the heap's end, for as long as it lives."""
        lines, key = self._lines, id(line)
        lines[key] = weakref.ref(line, lambda _: lines.pop(key, None))

    def end(self) -> None:
        """Everything was freed: make all look, those who wait for a pool too."""
        self.wake()
        for line in self._living_lines():
            line.wake()

    def turns(self, timeout: float | None) -> Generator[None]:
        """Yields each time it is worth trying again, first at once, until ``timeout`` seconds have passed (``None``:
        never).

        The waiter is registered before the first turn, so what is freed during a try leads to another.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        mine: queue.SimpleQueue[None] = queue.SimpleQueue()
        key = next(self._keys)
        self._queues[key] = weakref.ref(mine)
        try:
            while True:
                yield
                left = _LOOK_SECONDS if deadline is None else min(_LOOK_SECONDS, deadline - time.monotonic())
                if left <= 0:
                    return
                try:
                    mine.get(timeout=left)
                except queue.Empty:
                    continue
        finally:
            self._queues.pop(key, None)

    def forget(self) -> None:
        """In a forked child: the other threads are gone."""
        self._queues = {}
        for line in self._living_lines():
            line.forget()

    def _living_lines(self) -> list[Line]:
        return [line for reference in self._lines.copy().values() if (line := reference()) is not None]
