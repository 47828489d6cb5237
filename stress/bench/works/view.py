"""The same with a view taken: what it costs to look at a block's memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .. import peers
from ..loops import timed
from ..model import Case, Comparison, Entrant, Work

if TYPE_CHECKING:
    from ..budget import Budget

_CODE: Final = f"block = alloc({peers.SIZE}); block.view; block.free()"
_CODE_WITHOUT: Final = f"block = alloc({peers.SIZE}); block.free()"


def _cases(budget: Budget) -> list[Case]:
    entrants: list[Entrant] = []
    comparisons = []
    for face in (peers.HEAP, peers.LOCAL):
        viewed = f"{face.name}, with a view"
        entrants += [
            timed(viewed, _CODE, face.provide, budget.turn_seconds),
            timed(face.name, _CODE_WITHOUT, face.provide, budget.turn_seconds),
        ]
        comparisons.append(Comparison(viewed, face.name, target=2.2, stretch=1.6, rival=False))
    return [Case("4 KiB", entrants, comparisons)]


WORK: Final = Work(
    "view",
    "The same with `block.view` taken",
    "The view is dropped before the block is freed, as in a program that is done with it.",
    _cases,
)
