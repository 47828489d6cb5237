"""Seven live NumPy buffers of varying size, filled in turn: what warm memory is worth."""

from __future__ import annotations

import itertools
import random
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

from .. import slots
from ..crew import Crew
from ..model import Case, Comparison, Entrant, Sense, Work

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..budget import Budget
    from ..model import Measure

_MIB: Final = 1 << 20
_SEED: Final = 3
_LEAST, _MOST = 0.75, 1.25
_BYTES_A_SECOND: Final = 8 << 30
"""About what a core fills: it decides how many buffers a turn has."""


def _cases(budget: Budget) -> list[Case]:
    return [_case(mib, threads, budget) for threads in (1, 2) for mib in budget.buffer_mib]


def _case(mib: int, threads: int, budget: Budget) -> Case:
    peers = (slots.HEAP, slots.NUMPY, slots.BYTEARRAY, slots.RING, *slots.OTHERS)
    heap = slots.HEAP.name
    comparisons = [
        Comparison(heap, slots.NUMPY.name, Sense.SPEED, target=3 if mib <= 6 and threads == 1 else 1),  # noqa: PLR2004
        Comparison(heap, slots.BYTEARRAY.name, Sense.SPEED, target=10 if mib == 64 else 1),  # noqa: PLR2004
        Comparison(heap, slots.RING.name, target=1.15 if mib >= 6 else None),  # noqa: PLR2004
        *(Comparison(heap, peer.name, Sense.SPEED) for peer in slots.OTHERS),
    ]
    title = f"{mib} MiB, {threads} thread{'s' if threads > 1 else ''}"
    return Case(title, [_entrant(peer, mib * _MIB, threads, budget) for peer in peers], comparisons)


def _entrant(peer: slots.BufferPeer, about: int, threads: int, budget: Budget) -> Entrant:
    turns = max(2, round(budget.turn_seconds * _BYTES_A_SECOND / about / slots.SLOTS))
    count = turns * slots.SLOTS

    @contextmanager
    def opened() -> Iterator[Measure]:
        with peer.open(int(about * _MOST) + 1, threads) as maker, Crew(threads) as crew:

            def measure() -> float:
                filled = crew.each(lambda number: _first_fill(maker(), number, about))
                try:
                    return crew.together([partial(buffers.fill, sizes, count) for buffers, sizes in filled]) / count
                finally:
                    crew.each(lambda number: filled[number][0].clear())

            yield measure

    return Entrant(peer.name, peer.code, opened)


def _first_fill(make: slots.Make, number: int, about: int) -> tuple[slots.Slots, Iterator[int]]:
    """Buffers that have been filled once, and the sizes that come next: the same for every peer in every round."""
    draw = random.Random(_SEED + number)  # noqa: S311 - no secret
    sizes = (round(about * draw.uniform(_LEAST, _MOST)) for _ in itertools.count())
    buffers = slots.Slots(make)
    buffers.fill(sizes, slots.SLOTS)
    return buffers, sizes


WORK: Final = Work(
    "buffers",
    "Seven live NumPy buffers of varying size, filled in turn",
    "Each thread has seven buffers. In turn one is dropped, and one of another size, within a quarter of that named, "
    "is made and filled by `array.fill`. Figures are for one buffer and thread. The ring is what cannot be beaten: "
    "buffers of the largest size that were filled before and never go away.",
    _cases,
)
