"""What keeping the books of one live block costs in Python objects."""

from __future__ import annotations

import gc
import itertools
import tracemalloc
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

import arenas

from .. import live_sets
from ..model import Case, Comparison, Entrant, Work
from ..peers import SIZE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..budget import Budget
    from ..model import Measure

_MOST_BYTES: Final = 300


def _cases(budget: Budget) -> list[Case]:
    return [_case(count) for count in budget.memory_blocks]


def _case(count: int) -> Case:
    entrants = []
    for sizes, kind in ((_one_size, "4 KiB"), (live_sets.random_sizes, "random sizes")):
        for viewed in (False, True):
            with_view = ", with a view" if viewed else ""
            entrants += [
                Entrant(
                    f"{kind}{with_view}",
                    f"tracemalloc, {count:,} blocks{with_view}",
                    partial(_opened, count, sizes, viewed=viewed, reading=_traced_bytes),
                ),
                Entrant(
                    f"{kind}{with_view}: counted",
                    f"stats().metadata_bytes, {count:,} blocks{with_view}",
                    partial(_opened, count, sizes, viewed=viewed, reading=_counted_bytes),
                ),
            ]
    comparisons = [Comparison(kind, target=_MOST_BYTES) for kind in ("4 KiB", "random sizes")]
    return Case(f"{count:,} live blocks", entrants, comparisons, unit="bytes", exact=True)


@contextmanager
def _opened(
    count: int, sizes: Callable[[], Iterator[int]], *, viewed: bool, reading: Callable[[arenas.Heap], int]
) -> Iterator[Measure]:
    yield lambda: _bytes_a_block(count, sizes(), viewed=viewed, reading=reading)


def _bytes_a_block(count: int, sizes: Iterator[int], *, viewed: bool, reading: Callable[[arenas.Heap], int]) -> float:
    kept: list[object] = [None] * (2 * count)  # made before: a program's own list is its own matter
    was_tracing = tracemalloc.is_tracing()
    if not was_tracing:
        tracemalloc.start()
    try:
        with arenas.Heap() as heap:
            heap.alloc(next(sizes)).free()
            before = reading(heap)
            for number, size in enumerate(itertools.islice(sizes, count)):
                kept[number] = block = heap.alloc(size)
                kept[count + number] = block.view if viewed else None
            after = reading(heap)
            kept.clear()
            return (after - before) / count
    finally:
        if not was_tracing:
            tracemalloc.stop()


def _traced_bytes(_heap: arenas.Heap) -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def _counted_bytes(heap: arenas.Heap) -> int:
    return heap.stats().metadata_bytes


def _one_size() -> Iterator[int]:
    return itertools.repeat(SIZE)


WORK: Final = Work(
    "memory",
    "Python memory for one live block",
    "What `tracemalloc` sees appear, divided by the number of blocks: handle, record, entries, and the integers in "
    "them; and the view itself where one is held. Beside it, what `stats().metadata_bytes` counts.",
    _cases,
)
