"""A recording as a workload: recorded threads as real threads, who wait for each other where a block changes hands."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from . import schedule
from .errors import AbandonedError
from .gates import Gates
from .run import Terms, run
from .workloads.model import Workload

if TYPE_CHECKING:
    from collections.abc import Callable

    from .allocators.protocol import Allocator
    from .client import Client, Held
    from .results import Result
    from .schedule import Lane, Schedule
    from .stage import Stage
    from .trace import Recording


def replay(
    recording: Recording,
    allocator: Allocator[Any],
    *,
    seed: int,
    serial: bool = False,
    watch: Callable[[float, int], None] = lambda _seconds, _operations: None,
) -> Result:
    """Replay a recording through an allocator that is fresh, and close it. ``watch`` as of `run`."""
    plan = schedule.build(recording, serial=serial)
    player = _Player(recording, plan)
    workload = Workload(recording.name, recording.program, str(recording.path), player.play, len(plan.lanes))
    result = run(workload, allocator, Terms(seconds=math.inf, seed=seed), watch=watch)
    result.kind = "recording"
    result.program, result.path = recording.program, str(recording.path)
    result.total_operations, result.crossings = recording.total_operations, plan.gates
    return result


class _Player:
    """Plays a schedule on a stage.

    No lock: an entry of ``held`` belongs to whichever thread's turn it is with that block, which the gates decide.
    """

    def __init__(self, recording: Recording, plan: Schedule) -> None:
        self._recording = recording
        self._plan = plan
        self._gates = Gates(plan.gates)
        self._held: list[Held[Any] | None] = [None] * recording.block_count

    def play(self, stage: Stage[Any]) -> None:
        stage.on_abort(self._gates.abort)
        stage.play(*(self._body(lane) for lane in self._plan.lanes))

    def _body(self, lane: Lane) -> Callable[[Client[Any]], None]:
        return lambda client: self._follow(lane, client)

    def _follow(self, lane: Lane, client: Client[Any]) -> None:
        gates = self._gates
        waits, opens = iter(lane.waits), iter(lane.opens)
        actions = (self._allocate, self._zeroed, self._resize, self._free)  # in the order of the kinds in `trace`
        columns = zip(lane.actions, lane.blocks, lane.sizes, lane.alignments, lane.places, strict=True)
        for action, block, size, alignment, place in columns:
            try:
                if action & schedule.WAITS:
                    gates.pass_through(next(waits))
                actions[action & schedule.KIND](client, block, size, alignment)
                if action & schedule.OPENS:
                    gates.open(next(opens))
            except AbandonedError:
                raise
            except BaseException as error:
                error.add_note(f"in operation {place + 1:,} of the recording (`{self._recording.describe(place)}`)")
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
        client.free(self._held[block])
        self._held[block] = None
