"""A batch of operations split into lanes, one for each thread, and the crossings between them."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .trace import Batch

KIND: Final = 0b0011
WAITS: Final = 0b0100
"""Flag of an operation that must pass a gate first."""
OPENS: Final = 0b1000
"""Flag of an operation that opens a gate afterwards."""


@dataclass(slots=True)
class Lane:
    """One thread's operations of a batch, in order.

    The gates are apart, in the order in which the lane's flagged operations come to them: an operation that crosses
    nothing, as nearly all do, costs no look-up.
    """

    thread: int
    """As the recording numbers it."""
    actions: array[int] = field(default_factory=lambda: array("B"))
    """Kinds and flags."""
    indices: array[int] = field(default_factory=lambda: array("L"))
    """Where in the batch each operation is."""
    waits: list[int] = field(default_factory=list)
    opens: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Schedule:
    """What to do of a batch, by whom, and in which order."""

    batch: Batch
    lanes: list[Lane]
    gates: int


def build(batch: Batch, *, serial: bool) -> Schedule:
    """Split a batch by thread, or put all of it into one lane.

    A block is followed within the batch only: all of one batch is done before any of the next.
    """
    lanes: dict[int, Lane] = {}
    last: dict[int, tuple[Lane, int]] = {}  # by block: the lane that touched it last, and where in that lane
    opens: list[tuple[Lane, int, int]] = []  # lane, position in it, gate
    for index, (thread, kind, block) in enumerate(zip(batch.threads, batch.kinds, batch.blocks, strict=True)):
        number = 0 if serial else thread
        lane = lanes.get(number)
        if lane is None:
            lane = lanes[number] = Lane(number)
        before, position = last.get(block, (lane, 0))
        flags = 0
        if before is not lane:
            before.actions[position] |= OPENS
            lane.waits.append(len(opens))
            opens.append((before, position, len(opens)))
            flags = WAITS
        last[block] = lane, len(lane.actions)
        lane.actions.append(kind | flags)
        lane.indices.append(index)
    for lane, _, gate in sorted(opens, key=lambda each: each[1]):  # they were numbered as they are waited for
        lane.opens.append(gate)
    return Schedule(batch, list(lanes.values()), len(opens))
