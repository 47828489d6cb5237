"""Waiting, where a block's operations cross threads.

A crossing is two consecutive operations on one block in different threads. Each has a gate: a lock that is taken from
the start; the thread of the first operation releases it, the thread of the second acquires it. So nobody polls,
operations that cross nothing pay nothing, and since every gate leads from an earlier line of the recording to a later
one, the threads cannot wait for each other in a circle.

When a thread fails, the gates it would have opened are opened by `abort`, and whoever comes through stops.
"""

from __future__ import annotations

import threading

from .errors import AbandonedError


class Gates:
    """All gates of one replay. Any thread may call anything here."""

    def __init__(self, count: int) -> None:
        """Make ``count`` closed gates."""
        self.aborted = False
        self._locks = [threading.Lock() for _ in range(count)]
        for lock in self._locks:
            lock.acquire()

    def pass_through(self, gate: int) -> None:
        """Wait until a gate is open; exactly one thread does so, once.

        Raises:
            AbandonedError: the replay was aborted before or meanwhile.

        """
        self._locks[gate].acquire()
        if self.aborted:
            raise AbandonedError

    def open(self, gate: int) -> None:
        """Open a gate; exactly one thread does so, once."""
        self._release(self._locks[gate])

    def abort(self) -> None:
        """Open every gate for good. Harmless when repeated."""
        self.aborted = True  # before the first release: whoever wakes must see it
        for lock in self._locks:
            self._release(lock)

    def _release(self, lock: threading.Lock) -> None:
        try:
            lock.release()
        except RuntimeError:
            # Open already. Only an abort may have been there first.
            if not self.aborted:
                raise
