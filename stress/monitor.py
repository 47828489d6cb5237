"""Watches a run from the main thread: memory over time, a map at the peak, and whether anybody still moves."""

from __future__ import annotations

import faulthandler
import sys
import time
from typing import TYPE_CHECKING, Any, Final, Generic

from . import machine
from .allocators.protocol import Token
from .errors import StalledError
from .results import HeapMap

if TYPE_CHECKING:
    from collections.abc import Callable

    from .referee import Referee
    from .results import Result

SAMPLE_SECONDS: Final = 0.05
SAMPLING_SHARE: Final = 20
"""Of this many seconds one at most is spent on sampling: an allocator may be slow to say what it holds."""
STALL_SECONDS: Final = 120.0
"""No single operation of any run takes a hundredth of this; a deadlock takes for ever."""
_MAP_GROWTH: Final = 1.05


class Monitor(Generic[Token]):
    """Of one run. For the thread that started it."""

    def __init__(self, referee: Referee[Token], result: Result, watch: Callable[[float, int], None]) -> None:
        """``watch`` is told the seconds since the start and the operations done, now and then."""
        self._referee = referee
        self._result = result
        self._watch = watch
        self._done = 0
        self._mapped_bytes = 0
        self._map_not_before = 0.0
        self._resident_before = machine.resident_bytes()
        self._started = self._moved = self._due = time.monotonic()
        self.pause_seconds = SAMPLE_SECONDS

    @property
    def elapsed_seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._started

    def begin(self) -> None:
        """The clock starts now."""
        self._started = self._moved = time.monotonic()

    def tick(self) -> None:
        """Sample, let the sweep go on, and notice when nobody comes further, unless that was done a moment ago.

        Raises:
            StalledError: no operation was done for `STALL_SECONDS`.

        """
        if time.monotonic() >= self._due:
            self._look()

    def _look(self) -> None:
        began = time.thread_time()  # not the wall's: most of that goes by in waiting for Python's own lock
        live_bytes = self._sample()
        self.pause_seconds = max(SAMPLE_SECONDS, (time.thread_time() - began) * SAMPLING_SHARE)
        self._map(live_bytes)
        self._referee.sweep.advance()
        now = time.monotonic()
        self._due = now + self.pause_seconds
        done = sum(client.operations for client in list(self._referee.clients))
        if done != self._done:
            self._done, self._moved = done, now
        elif now - self._moved > STALL_SECONDS:
            if sys.__stderr__ is not None:
                faulthandler.dump_traceback(file=sys.__stderr__)  # every thread's stack: where they wait
            raise StalledError(
                f"nobody has come further for {STALL_SECONDS:.0f} s, {done:,} operations done: a deadlock?"
            )
        self._watch(now - self._started, done)

    def end(self) -> None:
        """The clock stops, once all threads have ended; a last look."""
        self._result.seconds = self.elapsed_seconds
        self._look()
        self._result.heap_remote_frees = self._referee.allocator.measure().remote_frees

    def sum_up(self) -> None:
        """Add up what the clients did, however the run ended."""
        result = self._result
        clients = self._referee.clients
        for name in ("operations", "allocations", "frees", "resizes", "remote_frees", "refused"):
            setattr(result, name, sum(getattr(client, name) for client in clients))
        result.peak_live_bytes = max((client.peak_live_bytes for client in clients), default=0)
        for name in ("peak_committed_bytes", "peak_reserved_bytes"):
            if getattr(result, name) is not None:  # the allocator tells
                setattr(result, name, max([getattr(result, name), *(getattr(client, name) for client in clients)]))

    def _sample(self) -> int:
        result = self._result
        memory = self._referee.allocator.measure()
        live_bytes = sum(self._referee.live_bytes)
        result.peak_committed_bytes = _larger(result.peak_committed_bytes, memory.committed_bytes)
        result.peak_reserved_bytes = _larger(result.peak_reserved_bytes, memory.reserved_bytes)
        result.timeline.add(self.elapsed_seconds, live_bytes, self._resident_growth(), memory)
        return live_bytes

    def _map(self, live_bytes: int) -> None:
        """Draw the heap while it is fuller than ever, if not too much time has gone into that."""
        at_seconds, began = self.elapsed_seconds, time.thread_time()
        if live_bytes > self._mapped_bytes * _MAP_GROWTH and at_seconds >= self._map_not_before:
            self._result.heap_map = HeapMap.of(at_seconds, live_bytes, self._referee.allocator.map())
            self._mapped_bytes = live_bytes
            self._map_not_before = at_seconds + SAMPLING_SHARE * (time.thread_time() - began)

    def _resident_growth(self) -> int | None:
        resident, before = machine.resident_bytes(), self._resident_before
        return None if resident is None or before is None else max(resident - before, 0)


def _larger(one: int | None, other: int | None) -> Any:  # noqa: ANN401 - an int unless both are None
    return max(one or 0, other) if other is not None else one
