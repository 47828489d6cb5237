"""A recording as a workload: recorded threads as real threads, who wait for each other where a block changes hands.

It is read as it is played, a batch ahead. A batch is done by all before the next is begun, so that only what crosses
threads within a batch needs a gate, and what is known of a batch can be forgotten after it.
"""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING, Any, Final

from . import schedule
from .errors import AbandonedError, UsageError
from .gates import Gates
from .mishaps import NONE
from .run import Terms, run
from .workloads.model import Workload

if TYPE_CHECKING:
    from collections.abc import Callable

    from .allocators.protocol import Allocator
    from .channel import Channel
    from .client import Client, Held
    from .mishaps import Mishaps
    from .results import Result
    from .schedule import Lane, Schedule
    from .stage import Stage
    from .trace import Trace

MOST_THREADS: Final = 64
"""From so many on, a recorded thread that comes new takes the place of one with nothing to do in the batch. A recording
does not tell when a thread has ended, and some have thousands, one after the other."""


def replay(
    trace: Trace,
    allocator: Allocator[Any],
    *,
    seed: int,
    serial: bool = False,
    limit: int | None = None,
    mishaps: Mishaps = NONE,
    watch: Callable[[float, int], None] = lambda _seconds, _operations: None,
) -> Result:
    """Replay the first ``limit`` operations, or all, through an allocator that is fresh, and close it.

    ``mishaps`` may be all but deaths: nobody can go on in the middle of a recorded thread. ``watch`` as of `run`.

    Raises:
        TraceError: the recording turns out to be malformed.

    """
    try:
        player = _Player(trace, limit, serial=serial)
    except UsageError:
        allocator.close()
        raise
    workload = Workload(trace.name, trace.program, str(trace.path), player.play)
    result = run(workload, allocator, Terms(seconds=math.inf, seed=seed, mishaps=mishaps), watch=watch)
    result.kind = "recording"
    result.program, result.path = trace.program, str(trace.path)
    result.threads, result.crossings = len(player.threads), player.crossings
    result.total_operations = trace.declared_operations if player.done == limit else player.done
    result.notes += trace.notes
    return result


_SUCCESSOR: Final = object()
"""Tells a thread to end and have a new one go on in its place."""


class _Player:
    """Plays a recording on a stage.

    No lock: an entry of ``_held`` belongs to whichever thread's turn it is with that block, which the gates decide;
    all else but ``_aborted`` belongs to the thread that conducts.
    """

    def __init__(self, trace: Trace, limit: int | None, *, serial: bool) -> None:
        """Read the first batch."""
        self.threads: set[int] = set()
        self.crossings = 0
        self.done = 0
        self._serial = serial
        self._batches = trace.batches(limit)
        self._plan = self._read()
        self._gates = Gates(0)
        self._aborted = False
        self._held: dict[int, Held[Any] | None] = {}  # by block, while it is live; None for one that was refused
        # By recorded thread, what the real one is to do: a lane and its plan, or `_SUCCESSOR`, or None: end.
        self._queues: dict[int, Channel[Any]] = {}

    def play(self, stage: Stage[Any]) -> None:
        """Play all of it."""
        stage.on_abort(self._abort)
        stage.play(lambda client: self._conduct(stage, client))

    def _abort(self) -> None:
        self._aborted = True
        self._gates.abort()

    def _conduct(self, stage: Stage[Any], client: Client[Any]) -> None:
        client.end()  # it does nothing, and no sweep shall wait for it
        finished = stage.channel()
        with contextlib.closing(self._batches):
            self._hand_out_all(stage, finished)
        for queue in self._queues.values():
            queue.put(None)

    def _hand_out_all(self, stage: Stage[Any], finished: Channel[Any]) -> None:
        while self._plan is not None:
            plan = self._plan
            self._gates = Gates(plan.gates)
            if self._aborted:  # perhaps before these gates were there to be opened
                raise AbandonedError
            self._hand_out(plan, stage, finished)
            self._plan = self._read()  # while they are busy
            for _ in plan.lanes:
                finished.get()
            stage.referee.sweep.advance()
            self.crossings += plan.gates
            self.done += len(plan.batch)

    def _read(self) -> Schedule | None:
        batch = next(self._batches, None)
        return None if batch is None else schedule.build(batch, serial=self._serial)

    def _hand_out(self, plan: Schedule, stage: Stage[Any], finished: Channel[Any]) -> None:
        idle = self._queues.keys() - {lane.thread for lane in plan.lanes}
        for lane in plan.lanes:
            if lane.thread not in self._queues:
                self._queues[lane.thread] = self._enlist(idle, stage, finished)
        self.threads.update(lane.thread for lane in plan.lanes)
        for lane in plan.lanes:
            self._queues[lane.thread].put((lane, plan))

    def _enlist(self, idle: set[int], stage: Stage[Any], finished: Channel[Any]) -> Channel[Any]:
        if len(self._queues) >= MOST_THREADS and idle:
            queue = self._queues.pop(idle.pop())
            queue.put(_SUCCESSOR)
            return queue
        queue = stage.channel()
        stage.begin(lambda client: self._serve(client, queue, stage, finished))
        return queue

    def _serve(self, client: Client[Any], queue: Channel[Any], stage: Stage[Any], finished: Channel[Any]) -> None:
        """What one thread does: lane after lane."""
        client.end()  # while it waits no sweep shall wait for it
        while (task := queue.get()) is not None:
            if task is _SUCCESSOR:
                stage.follow(client, lambda heir: self._serve(heir, queue, stage, finished))
                return
            client.begin()
            self._follow(client, *task)
            client.end()
            del task  # a batch, which must not outlive it in a thread that waits
            finished.put(None)

    def _follow(self, client: Client[Any], lane: Lane, plan: Schedule) -> None:
        gates, batch = self._gates, plan.batch
        blocks, sizes, alignments = batch.blocks, batch.sizes, batch.alignments
        waits, opens = iter(lane.waits), iter(lane.opens)
        actions = (self._allocate, self._zeroed, self._resize, self._free)  # in the order of the kinds in `trace`
        for action, index in zip(lane.actions, lane.indices, strict=True):
            try:
                if action & schedule.WAITS:
                    gates.pass_through(next(waits))
                actions[action & schedule.KIND](client, blocks[index], sizes[index], alignments[index])
                if action & schedule.OPENS:
                    gates.open(next(opens))
            except AbandonedError:
                raise
            except BaseException as error:
                place = batch.first + index + 1
                error.add_note(f"in operation {place:,} of the recording (`{batch.describe(index)}`)")
                raise
            if gates.aborted:
                raise AbandonedError

    def _allocate(self, client: Client[Any], block: int, size: int, alignment: int) -> None:
        self._held[block] = client.allocate(size, alignment, name=str(block))

    def _zeroed(self, client: Client[Any], block: int, size: int, _alignment: int) -> None:
        self._held[block] = client.zeroed(size, name=str(block))

    def _resize(self, client: Client[Any], block: int, size: int, _alignment: int) -> None:
        held = self._held[block]
        if held is None:  # refused: the block was never born
            self._held[block] = client.allocate(size, name=str(block))
        else:
            client.resize(held, size)

    def _free(self, client: Client[Any], block: int, _size: int, _alignment: int) -> None:
        client.free(self._held.pop(block))
