"""A recording split into lanes, one for each thread, and the crossings between them."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from . import trace

if TYPE_CHECKING:
    from .trace import Recording

KIND: Final = 0b0011
WAITS: Final = 0b0100
"""Flag of an operation that must pass a gate first."""
OPENS: Final = 0b1000
"""Flag of an operation that opens a gate afterwards."""

_NOBODY: Final = -1


@dataclass(slots=True)
class Lane:
    """One thread's operations, in order, as columns.

    The gates are apart, in the order in which the lane's flagged operations come to them: an operation that crosses
    nothing, as nearly all do, costs no look-up.
    """

    number: int
    actions: array[int] = field(default_factory=lambda: array("B"))
    blocks: array[int] = field(default_factory=lambda: array("L"))
    sizes: array[int] = field(default_factory=lambda: array("Q"))
    alignments: array[int] = field(default_factory=lambda: array("Q"))
    places: array[int] = field(default_factory=lambda: array("L"))
    waits: list[int] = field(default_factory=list)
    opens: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Schedule:
    """What to do, by whom, and in which order."""

    lanes: list[Lane]
    gates: int
    remote_frees: int


def build(recording: Recording, *, serial: bool) -> Schedule:
    """Split a recording by thread, or put all of it into one lane."""
    builder = _Builder(recording.block_count)
    numbers: dict[int, Lane] = {}
    for place, thread in enumerate(recording.threads):
        key = 0 if serial else thread
        lane = numbers.get(key)
        if lane is None:
            lane = numbers[key] = Lane(len(numbers))
        kind, block = recording.kinds[place], recording.blocks[place]
        lane.actions.append(kind | builder.follow(lane, kind, block))
        lane.blocks.append(block)
        lane.sizes.append(recording.sizes[place])
        lane.alignments.append(recording.alignments[place])
        lane.places.append(place)
    return builder.finish(list(numbers.values()))


class _Builder:
    """Follows every block from operation to operation, and puts a gate where it changes threads."""

    def __init__(self, blocks: int) -> None:
        self._lane_of: list[Lane | None] = [None] * blocks  # by block: the lane that touched it last
        self._position_of = array("q", [_NOBODY]) * blocks  # … and the position of that operation in the lane
        self._birthplace = array("q", [_NOBODY]) * blocks  # by block: number of the lane that allocated it
        self._opens: list[tuple[int, int, int]] = []  # lane, position in it, gate
        self._gates = 0
        self._remote_frees = 0

    def follow(self, lane: Lane, kind: int, block: int) -> int:
        """Note the next operation on a block, not yet in its lane; its flags."""
        before = self._lane_of[block]
        flags = 0
        if before is None:
            self._birthplace[block] = lane.number
        elif before is not lane:
            position = self._position_of[block]
            before.actions[position] |= OPENS
            self._opens.append((before.number, position, self._gates))
            lane.waits.append(self._gates)
            self._gates += 1
            flags = WAITS
        if kind == trace.FREE and self._birthplace[block] != lane.number:
            self._remote_frees += 1
        self._lane_of[block] = lane
        self._position_of[block] = len(lane.actions)
        return flags

    def finish(self, lanes: list[Lane]) -> Schedule:
        for number, _, gate in sorted(self._opens):  # gates were numbered as they are waited for, not as they open
            lanes[number].opens.append(gate)
        return Schedule(lanes, self._gates, self._remote_frees)
