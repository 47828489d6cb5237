"""A range of spans as a row of cells of equal size, each coloured by what it mostly holds."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MIXED: Final = "mixed"
"""A cell of which no state fills more than half."""
UNKNOWN: Final = ""
"""A cell, or the greater part of it, that no span covers."""


def cell_bytes(total_bytes: int, most: int) -> int:
    """The smallest power of two of which ``most`` cover ``total_bytes``."""
    needed = -(-total_bytes // most)
    return 1 << max(0, needed - 1).bit_length()


def cells(size: int, spans: Iterable[tuple[int, int, str]], cell: int) -> list[str]:
    """The state of each cell of a region of ``size`` bytes, from its spans as ``(offset, size, state)``.

    Spans must lie in the region. A span fills whole cells at once, but each of them is a step.
    """
    held: list[Counter[str]] = [Counter() for _ in range(-(-size // cell))]
    for offset, length, state in spans:
        for index, part in _parts(offset, length, cell):
            held[index][state] += part
    return [_state(counter, min(cell, size - index * cell)) for index, counter in enumerate(held)]


def runs(states: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Neighbours of one state, put together, with their number."""
    for state, group in groupby(states):
        yield state, sum(1 for _ in group)


def _parts(offset: int, length: int, cell: int) -> Iterator[tuple[int, int]]:
    """Which cells a span lies in, and with how many bytes."""
    end = offset + length
    while offset < end:
        index = offset // cell
        part = min(end, (index + 1) * cell) - offset
        yield index, part
        offset += part


def _state(held: Counter[str], size: int) -> str:
    uncovered = size - held.total()
    if uncovered * 2 > size or not held:
        return UNKNOWN
    state, most = held.most_common(1)[0]
    return state if most * 2 > size else MIXED
