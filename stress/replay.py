"""One replay: threads started together, watched, joined; then everything freed, and the allocator's books proven."""

from __future__ import annotations

import contextlib
import faulthandler
import sys
import threading
import time
import traceback
from typing import TYPE_CHECKING, Final

from . import schedule
from .errors import StalledError
from .faults import overlaps
from .pattern import Noise
from .results import Result
from .worker import Shared, Worker, free_the_rest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .allocators import Allocator, Token
    from .trace import Recording

SAMPLE_SECONDS: Final = 0.05
SAMPLING_SHARE: Final = 20
"""Of this many seconds one at most is spent on sampling: an allocator may be slow to say what it holds."""
STALL_SECONDS: Final = 120.0
"""No single operation of any recording takes a hundredth of this; a deadlock takes for ever."""


def replay(
    recording: Recording,
    allocator: Allocator[Token],
    *,
    seed: int,
    serial: bool = False,
    watch: Callable[[int], None] = lambda _done: None,
) -> Result:
    """Replay a recording through an allocator that is fresh, and close it.

    ``watch`` is called now and then, in the calling thread, with the number of operations done.
    """
    plan = schedule.build(recording, serial=serial)
    shared = Shared(allocator, Noise(seed), plan, recording.block_count)
    result = Result(
        recording=recording.name,
        program=recording.program,
        path=str(recording.path),
        operations=len(recording.kinds),
        total_operations=recording.total_operations,
        threads=len(plan.lanes),
        crossings=plan.gates,
        remote_frees=plan.remote_frees,
    )
    workers = [Worker(shared, lane) for lane in plan.lanes]
    try:
        _run(workers, shared, result, watch)
        result.failure = _first_failure(workers, recording)
        if result.failure is None:
            _prove(shared, result)
        allocator.close()
    except Exception:  # noqa: BLE001 - whatever the allocator raises is a finding, not the end of the run
        result.failure = result.failure or traceback.format_exc().rstrip()
    result.corruptions = len(shared.faults)
    result.descriptions = shared.faults.descriptions()
    return result


def _run(workers: Sequence[Worker[Token]], shared: Shared[Token], result: Result, watch: Callable[[int], None]) -> None:
    monitor = _Monitor(workers, shared.allocator, result, watch)
    barrier = threading.Barrier(max(len(workers), 1), action=monitor.begin)

    def work(worker: Worker[Token]) -> None:
        with contextlib.suppress(threading.BrokenBarrierError):  # not all threads could be started
            barrier.wait()
            worker.run()

    threads = [
        threading.Thread(target=work, args=(worker,), name=f"replay-{worker.lane.number}", daemon=True)
        for worker in workers
    ]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(monitor.pause_seconds)
                monitor.tick()
    except BaseException:
        shared.gates.abort()  # a stalled thread will not come to a gate: it is a daemon, and left behind
        barrier.abort()
        raise
    monitor.end()


class _Monitor:
    """Watches a replay from the main thread."""

    def __init__(
        self,
        workers: Sequence[Worker[Token]],
        allocator: Allocator[Token],
        result: Result,
        watch: Callable[[int], None],
    ) -> None:
        self._workers = workers
        self._measure = allocator.measure
        self._result = result
        self._watch = watch
        self._started = self._moved = time.monotonic()
        self._done = 0
        self.pause_seconds = SAMPLE_SECONDS

    def begin(self) -> None:
        self._started = self._moved = time.monotonic()

    def tick(self) -> None:
        """Sample the memory, report how far it has come, and notice when it comes no further."""
        began = time.monotonic()
        memory, result = self._measure(), self._result
        result.peak_committed_bytes = max(result.peak_committed_bytes, memory.committed_bytes)
        result.peak_reserved_bytes = max(result.peak_reserved_bytes, memory.reserved_bytes)
        done = sum(worker.done for worker in self._workers)
        now = time.monotonic()
        self.pause_seconds = max(SAMPLE_SECONDS, (now - began) * SAMPLING_SHARE)
        if done != self._done:
            self._done, self._moved = done, now
        elif now - self._moved > STALL_SECONDS:
            if sys.__stderr__ is not None:
                faulthandler.dump_traceback(file=sys.__stderr__)  # every thread's stack: where they wait
            message = f"no thread has come further for {STALL_SECONDS:.0f} s, {done:,} operations done: a deadlock?"
            raise StalledError(message)
        self._watch(done)

    def end(self) -> None:
        result = self._result
        result.seconds = time.monotonic() - self._started
        self.tick()
        result.heap_remote_frees = self._measure().remote_frees
        for worker in self._workers:
            result.peak_live_bytes = max(result.peak_live_bytes, worker.peak_live_bytes)
            result.peak_committed_bytes = max(result.peak_committed_bytes, worker.peak_committed_bytes)
            result.peak_reserved_bytes = max(result.peak_reserved_bytes, worker.peak_reserved_bytes)


def _first_failure(workers: Sequence[Worker[Token]], recording: Recording) -> str | None:
    for worker in workers:
        if worker.failure is not None:
            place = worker.lane.places[min(worker.done, len(worker.lane.places) - 1)]
            trail = "".join(traceback.format_exception(worker.failure)).rstrip()
            where = f"operation {place + 1:,} of the recording (`{recording.describe(place)}`)"
            return f"thread {worker.lane.number} failed at {where}:\n{trail}"
    return None


def _prove(shared: Shared[Token], result: Result) -> None:
    """Free what is left, and prove the allocator whole."""
    allocator, held = shared.allocator, shared.held
    live = [(allocator.address(entry[0]), entry[1], block) for block, entry in enumerate(held) if entry is not None]
    for overlap in overlaps(live):
        shared.faults.add(overlap)
    failed = allocator.check()
    result.left_live = free_the_rest(shared)
    failed = failed or allocator.check()
    result.check = failed or "ok"
    result.leaked_blocks = allocator.measure().live_blocks
    result.accounting = allocator.audit()
    if result.check == "ok":
        result.check = allocator.check() or "ok"
