"""Threads that wait in line: first come, first served."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

# Not everything that ends sends word, or at once: without the GIL, what another thread dropped ends only when the one
# that made it runs. So who waits looks by himself: soon after he was woken, then ever more rarely.
_FIRST_LOOK_SECONDS = 0.0001
_LAST_LOOK_SECONDS = 0.05
# How long to wait, out of time, for one at the head who is just looking: his look decides, and takes microseconds.
_GLANCE_SECONDS = 0.001

# Waiting is a pool's ordinary business; so long, and what is waited for may be garbage that was not collected yet.
_RELIEF_SECONDS = 1.0


class _Place:
    """One call's place in the line."""

    __slots__ = ("in_vain", "thread", "words")

    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self.words: queue.SimpleQueue[None] = queue.SimpleQueue()
        self.in_vain = False  # whether it looked at the head of the line, and there was nothing

    def wait(self, seconds: float) -> bool:
        """Whether word came in time."""
        try:
            self.words.get(timeout=seconds)
        except queue.Empty:
            return False
        return True


class Line:
    """Only the thread at the head looks for what all wait for; whoever leaves wakes the one behind.

    Word that something ended goes to the head alone. None is lost: to the head it comes before it looks, and then it
    finds what ended, or after, and then it looks again; and who comes to the head later is woken to look. Without a
    lock: each step is one of a deque's own, and ``wake`` may be called by a finalizer at any point.
    """

    __slots__ = ("__weakref__", "_places")

    def __init__(self) -> None:
        self._places: deque[_Place] = deque()

    def __len__(self) -> int:
        return len(self._places)

    def wake(self) -> None:
        """Make the head look again."""
        try:
            self._places[0].words.put(None)  # re-entrant, unlike a Condition's notify
        except IndexError:
            return

    def serve(self, look: Callable[[], T | None], timeout: float | None, relieve: Callable[[], object]) -> T | None:
        """What ``look`` finds once it is this thread's turn; None if it found nothing within ``timeout`` seconds.

        ``timeout`` None waits for ever. 0 fails as soon as whoever is at the head, this thread or one before it, has
        looked in vain. ``relieve`` is called before each look after a second. O(1) where nobody waits.
        """
        begun = time.monotonic()
        place = _Place()
        places = self._places
        pause = _FIRST_LOOK_SECONDS
        try:
            places.append(place)  # no call before this one: an interrupt finds the place taken, or never asked for
            while True:
                # A handler's or finalizer's call has the turn of the one that it interrupted, which cannot go on.
                if places[0].thread == place.thread:
                    found = look()
                    if found is not None:
                        return found
                    place.in_vain = True
                waited = time.monotonic() - begun
                left = pause if timeout is None else timeout - waited
                if left <= 0 and (place.in_vain or places[0].in_vain):
                    return None
                woken = place.wait(min(pause, left) if left > 0 else _GLANCE_SECONDS)
                pause = _FIRST_LOOK_SECONDS if woken else min(2 * pause, _LAST_LOOK_SECONDS)
                if waited > _RELIEF_SECONDS:
                    relieve()
        finally:
            try:
                places.remove(place)  # a call into C comes first: an interrupt cannot keep it from happening
            finally:
                if places:
                    self.wake()

    def forget(self) -> None:
        """In a forked child: the other threads are gone."""
        me = threading.get_ident()
        for place in tuple(self._places):
            if place.thread != me:
                self._places.remove(place)
