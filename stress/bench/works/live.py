"""Alloc and free among very many live blocks of random sizes: what best fit costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .. import live_sets
from ..loops import timed
from ..model import Case, Comparison, Work

if TYPE_CHECKING:
    from ..budget import Budget

CODE: Final = "alloc(size()).free()"
SHARED_CODE: Final = "free(malloc(size()))"


def _cases(budget: Budget) -> list[Case]:
    return [
        _case(f"{budget.many_live:,} live, long in use", budget, live_sets.REPLACED),
        _case(f"{budget.many_live:,} live, fresh", budget, 0),
    ]


def _case(title: str, budget: Budget, replaced: int) -> Case:
    few, many = budget.few_live, budget.many_live
    placed = live_sets.heap(many, replaced=replaced, cache_bytes=0)
    placed_few = live_sets.heap(few, replaced=replaced, cache_bytes=0)
    own = f"heap, {few:,} live"
    return Case(
        title,
        [
            timed("heap, no caches", CODE, placed, budget.turn_seconds),
            timed(own, CODE, placed_few, budget.turn_seconds),
            timed("heap", CODE, live_sets.heap(many, replaced=replaced), budget.turn_seconds),
            timed(
                "multiprocessing.heap", SHARED_CODE, live_sets.shared_heap(many, replaced=replaced), budget.turn_seconds
            ),
        ],
        [
            Comparison("heap, no caches", "multiprocessing.heap", target=0.10),
            Comparison("heap, no caches", own, target=2, rival=False),
            Comparison("heap", "multiprocessing.heap"),
        ],
    )


WORK: Final = Work(
    "live",
    "Alloc and free among many live blocks of random sizes",
    "Sizes are uniform from 64 to 4,096 bytes, with a heap that has no thread caches (`cache_bytes=0`), so that every "
    "request is placed; the same heap with its caches is shown too. `multiprocessing.heap` searches lists of free "
    "blocks one by one: what it costs depends on how many holes there are. So the live set is measured both fresh, "
    f"just allocated without a hole, and long in use, when {live_sets.REPLACED} times as many "
    "blocks have been replaced at random.",
    _cases,
)
