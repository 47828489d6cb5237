"""A free by another thread, beside a free by the owner."""

from __future__ import annotations

import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import arenas

from ..crew import Crew
from ..model import Case, Comparison, Entrant, Work
from ..peers import SIZE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..budget import Budget
    from ..model import Measure

_BATCH: Final = 256
_BATCHES_A_SECOND: Final = 1_000
_OWNER, _OTHER = 0, 1


def _cases(budget: Budget) -> list[Case]:
    return [_case("heap", budget, local=False), _case("heap.local()", budget, local=True)]


def _case(face: str, budget: Budget, *, local: bool) -> Case:
    own, remote = "free by the owner", "free by another thread"
    own_alloc, remote_alloc = "alloc after own frees", "alloc after another's frees"
    code = f"for block in blocks: block.free()  # {_BATCH} blocks"
    alloc_code = f"[alloc({SIZE}) for _ in range({_BATCH})]"
    return Case(
        face,
        [
            Entrant(own, code, partial(_opened, budget, local=local, freer=_OWNER, which=1)),
            Entrant(remote, code, partial(_opened, budget, local=local, freer=_OTHER, which=1)),
            Entrant(own_alloc, alloc_code, partial(_opened, budget, local=local, freer=_OWNER, which=0)),
            Entrant(remote_alloc, alloc_code, partial(_opened, budget, local=local, freer=_OTHER, which=0)),
        ],
        [
            Comparison(remote, own, target=1.3, rival=False),
            Comparison(remote_alloc, own_alloc, rival=False),
        ],
    )


@contextmanager
def _opened(budget: Budget, *, local: bool, freer: int, which: int) -> Iterator[Measure]:
    """Have the owner allocate batches and the ``freer`` free them; ``which`` of the two is timed: 0 or 1."""
    batches = max(2, round(budget.turn_seconds * _BATCHES_A_SECOND))
    with arenas.Heap() as heap, Crew(2) as crew:
        alloc = crew.call(_OWNER, lambda: heap.local().alloc if local else heap.alloc)

        def measure() -> float:
            spent_ns = 0
            for _ in range(batches):
                blocks, allocating_ns = crew.call(_OWNER, partial(_allocate, alloc))
                freeing_ns = crew.call(freer, partial(_free, blocks))
                spent_ns += (allocating_ns, freeing_ns)[which]
            return spent_ns / (batches * _BATCH)

        yield measure


def _allocate(alloc: Callable[[int], Any]) -> tuple[list[Any], int]:
    started = time.perf_counter_ns()
    blocks = [alloc(SIZE) for _ in range(_BATCH)]
    return blocks, time.perf_counter_ns() - started


def _free(blocks: list[Any]) -> int:
    started = time.perf_counter_ns()
    for block in blocks:
        block.free()
    return time.perf_counter_ns() - started


WORK: Final = Work(
    "remote",
    "A free by another thread",
    f"One thread allocates {_BATCH} blocks of 4 KiB, then all are freed: by itself, or by another thread; only the "
    "frees are timed, in the thread that does them. What the owner pays for taking the memory back is shown too: the "
    "same batch allocated again.",
    _cases,
)
