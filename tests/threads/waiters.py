"""Threads that wait for an array of a pool, and stand in line for certain when a test goes on."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Any

import arenas
import arenas.line
from tests.threads.helpers import PATIENCE_SECONDS

if TYPE_CHECKING:
    import pytest

BYTES = 128


def watch_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on it is told who begins to wait: waiters need it."""
    wait = arenas.line._Place.wait

    def told(place: arenas.line._Place, seconds: float) -> bool:
        Waiter.waiting.put(threading.current_thread())  # not its number: those are used again
        return wait(place, seconds)

    monkeypatch.setattr(arenas.line._Place, "wait", told)


def only_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on who waits does not look by himself."""
    monkeypatch.setattr(arenas.line, "_FIRST_LOOK_SECONDS", 1000.0)
    monkeypatch.setattr(arenas.line, "_LAST_LOOK_SECONDS", 1000.0)


class Waiter:
    """A thread that gets an array and keeps it; when this is made, it has found none and begins to wait."""

    waiting: queue.SimpleQueue[threading.Thread] = queue.SimpleQueue()

    def __init__(self, pool: arenas.Pool, timeout: float | None = None) -> None:
        self.array: Any = None
        self.error: Exception | None = None

        def wait() -> None:
            try:
                self.array = pool.get(timeout)
            except (arenas.ArenaError, OSError) as error:
                self.error = error.with_traceback(None)

        self.thread = threading.Thread(target=wait, daemon=True)
        self.thread.start()
        while Waiter.waiting.get(timeout=PATIENCE_SECONDS) is not self.thread:
            pass  # another one, again

    def end(self) -> Waiter:
        """It has been served, or refused."""
        self.thread.join(PATIENCE_SECONDS)
        assert not self.thread.is_alive(), "a waiter was not woken"
        return self
