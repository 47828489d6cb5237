"""The operations of a recording up to its peak, in files that a child maps without allocating anything."""

from __future__ import annotations

import contextlib
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..trace import ALLOCATE, FREE, ZEROED, Facts
from .replay import COLUMNS

if TYPE_CHECKING:
    from pathlib import Path

    from ..trace import Batch, Trace


@dataclass(frozen=True, slots=True)
class Plan:
    """What a child is to do."""

    folder: Path
    payload_bytes: int
    """Live at the peak, where the plan ends."""
    operations: int
    """Of the whole recording (or as many as were looked at), not only of the plan."""
    slots: int
    """Most blocks live at any time in the plan."""


@dataclass(slots=True)
class _Slots:
    """Gives each live block a small number of its own, to be used again."""

    count: int = 0
    _of: dict[int, int] = field(default_factory=dict)
    _free: list[int] = field(default_factory=list)

    def follow(self, kind: int, block: int) -> int:
        if kind in {ALLOCATE, ZEROED}:
            if not self._free:
                self._free.append(self.count)
                self.count += 1
            slot = self._of[block] = self._free.pop()
        elif kind == FREE:
            slot = self._of.pop(block)
            self._free.append(slot)
        else:
            slot = self._of[block]
        return slot


def make(trace: Trace, folder: Path, limit: int | None = None) -> Plan:
    """Find the peak in one pass, write what leads to it in another. Memory: an entry a live block.

    Raises:
        TraceError: the recording is malformed.
        OSError: there is no room for the plan, 14 bytes an operation.

    """
    facts = Facts()
    for batch in trace.batches(limit):
        facts.follow(batch)
    slots = _Slots()
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context((folder / name).open("wb")) for name in COLUMNS]
        for batch in trace.batches(facts.peak_place + 1):
            columns = (batch.kinds, _slots_of(batch, slots), batch.sizes, map(int.bit_length, batch.alignments))
            for file, code, column in zip(files, COLUMNS.values(), columns, strict=True):
                array(code, column).tofile(file)
    return Plan(folder, facts.peak_live_bytes, facts.operations, slots.count)


def _slots_of(batch: Batch, slots: _Slots) -> list[int]:
    return [slots.follow(kind, block) for kind, block in zip(batch.kinds, batch.blocks, strict=True)]
