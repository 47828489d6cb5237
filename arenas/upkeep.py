"""Giving memory back when nobody asks for any: on demand, or by a thread that looks now and then."""

from __future__ import annotations

import contextlib
import queue
import threading
import weakref
from typing import TYPE_CHECKING

from .errors import HeapClosedError, InvalidRequestError
from .service import Service

if TYPE_CHECKING:
    from .heap import Heap


_DAY = 86400.0


class Upkeep(Service):
    """The part of a heap that gives memory back."""

    def trim(self) -> int:
        """Give every free page and every unused region back to the system, what threads keep ready included; the bytes
        given back.
        """
        self._begin()
        return self._manager.relieve()

    def start_decay(self) -> None:
        """Have a daemon thread give back what was idle for ``decay_seconds``, for a process that may go quiet.

        Without it that is done by the heap's own calls, and a program that makes none keeps what it has. The thread
        ends with :meth:`stop_decay`, with the heap, or with the process; a forked child has one of its own. Harmless
        when it runs already. Raises ``InvalidRequestError`` where ``decay_seconds`` is None or 0.
        """
        self._begin()
        seconds = self._manager.decay_seconds
        if not seconds:
            raise InvalidRequestError(f"decay_seconds={seconds}: there is nothing to come back to later")
        # Of two started at once one is entered, and the other is never begun.
        mine = _Watch(self.whole, seconds)
        before = self._watches.get("decay")
        if before is not None and before.ended:
            self._watches.pop("decay", None)
        if self._watches.setdefault("decay", mine) is mine:
            mine.start()

    def stop_decay(self) -> None:
        """End what :meth:`start_decay` began; harmless when there is nothing."""
        watch = self._watches.pop("decay", None)
        if watch is not None:
            watch.stop()

    def _after_fork(self) -> None:
        """In the child: the other threads, and a memory that is not the child's own, are gone."""
        super()._after_fork()
        if self._watches.pop("decay", None) is not None and not self.closed:
            self.start_decay()


class _Watch:
    """A thread that makes a call to a heap eight times in ``decay_seconds``, for as long as the heap lives."""

    def __init__(self, heap: Heap, seconds: float) -> None:
        # No event: a finalizer may close a heap anywhere, also while this thread waits inside one.
        self._stopped: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._thread = threading.Thread(
            target=_call_at_times,
            args=(weakref.ref(heap), self._stopped, min(seconds / 8, _DAY)),
            name=f"arenas-decay-{heap.name or hex(id(heap))}",
            daemon=True,
        )

    def start(self) -> None:
        self._thread.start()

    @property
    def ended(self) -> bool:
        return self._thread.ident is not None and not self._thread.is_alive()

    def stop(self) -> None:
        # Not waited for: who stops it may hold what it is about to wait for.
        self._stopped.put(None)


def _call_at_times(weak: weakref.ref[Heap], stopped: queue.SimpleQueue[None], seconds: float) -> None:
    while True:
        with contextlib.suppress(queue.Empty):
            stopped.get(timeout=seconds)
            return
        heap = weak()
        if heap is None or heap.closed:
            return
        with contextlib.suppress(HeapClosedError):
            heap._begin()
        del heap  # while this waits, nothing here keeps the heap
