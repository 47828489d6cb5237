"""How the cost of alloc and free grows with the number of live blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .. import live_sets, peers
from ..loops import timed
from ..model import Case, Comparison, Work
from .live import CODE, SHARED_CODE

if TYPE_CHECKING:
    from ..budget import Budget

_REPLACED: Final = 1
_MOST_SHARED: Final = 100_000
"""Beyond, ``multiprocessing.heap`` takes minutes to get there."""

CACHED: Final = "heap, from the cache"
PLACED: Final = "heap, placed"
SHARED: Final = "multiprocessing.heap"


def _cases(budget: Budget) -> list[Case]:
    return [_case(count, budget.turn_seconds) for count in budget.growth]


def _case(count: int, turn_seconds: float) -> Case:
    cached = live_sets.heap(count, replaced=_REPLACED)
    placed = live_sets.heap(count, replaced=_REPLACED, cache_bytes=0)
    entrants = [
        timed(CACHED, peers.HEAP.code, cached, turn_seconds),
        timed(PLACED, CODE, placed, turn_seconds),
    ]
    comparisons = []
    if count <= _MOST_SHARED:
        entrants.append(timed(SHARED, SHARED_CODE, live_sets.shared_heap(count, replaced=_REPLACED), turn_seconds))
        comparisons = [Comparison(CACHED, SHARED), Comparison(PLACED, SHARED)]
    return Case(f"{count:,} live", entrants, comparisons, scale=count)


WORK: Final = Work(
    "growth",
    "Growth of cost with the number of live blocks",
    "Alloc and free of 4 KiB from the thread's cache, and of random sizes with `cache_bytes=0` where each request is "
    "placed, among live blocks of random sizes, each place of which has been used twice.",
    _cases,
)
