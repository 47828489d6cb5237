"""Two threads on one heap: whether they get in each other's way."""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from functools import partial
from operator import methodcaller
from typing import TYPE_CHECKING, Any, Final

import arenas

from .. import exchange, peers
from ..crew import Crew
from ..loops import per_operation, statement
from ..model import Case, Comparison, Entrant, Sense, Work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..budget import Budget
    from ..model import Measure

Face = str
_LOCAL: Final = "heap.local()"
_PLAIN: Final = "heap"
_BARE: Final = "float"


def _cases(budget: Budget) -> list[Case]:
    return [_apart(budget), _exchanging(budget)]


def _apart(budget: Budget) -> Case:
    code = peers.HEAP.code
    return Case(
        "apart",
        [
            Entrant(_title(face, threads), code, partial(_opened_apart, face, threads, code, budget.turn_seconds))
            for face in (_LOCAL, _PLAIN)
            for threads in (1, 2)
        ],
        [
            Comparison(
                _title(_LOCAL, 2), _title(_LOCAL, 1), Sense.SPEED, target=1.7, rival=False, without_gil_only=True
            ),
            Comparison(_title(_PLAIN, 2), _title(_PLAIN, 1), Sense.SPEED),
        ],
    )


def _exchanging(budget: Budget) -> Case:
    code = f"give.append([{{}} for _ in range({exchange.BATCH})])  # then: for block in take.popleft(): {{}}"
    codes = {face: code.format(f"alloc({peers.SIZE})", "block.free()") for face in (_LOCAL, _PLAIN)}
    codes[_BARE] = code.format(f"float({peers.SIZE})", "block.is_integer()")
    return Case(
        "exchanging",
        [
            Entrant(_title(face, threads), codes[face], partial(_opened_exchange, face, threads, budget.turn_seconds))
            for face in (_LOCAL, _PLAIN, _BARE)
            for threads in (1, 2)
        ],
        [
            Comparison(
                _title(_LOCAL, 2), _title(_LOCAL, 1), Sense.SPEED, target=1.2, rival=False, without_gil_only=True
            ),
            Comparison(_title(_PLAIN, 2), _title(_PLAIN, 1), Sense.SPEED),
            Comparison(_title(_BARE, 2), _title(_BARE, 1), Sense.SPEED, rival=False),
        ],
    )


def _title(face: Face, threads: int) -> str:
    return f"{face}, {threads} thread{'s' if threads > 1 else ''}"


@contextmanager
def _opened_apart(face: Face, threads: int, code: str, turn_seconds: float) -> Iterator[Measure]:
    with arenas.Heap() as heap, Crew(threads) as crew:
        loops = crew.each(lambda _number: statement(code, {"alloc": _alloc(heap, face)}))
        yield per_operation(
            lambda count: crew.together([partial(loop, count) for loop in loops]) / threads, turn_seconds
        )


@contextmanager
def _opened_exchange(face: Face, threads: int, turn_seconds: float) -> Iterator[Measure]:
    with arenas.Heap() as heap, Crew(threads) as crew:
        inboxes: list[deque[list[Any]]] = crew.each(lambda _number: deque())

        def part(number: int) -> Callable[[int], None]:
            give, take = inboxes[(number + 1) % threads], inboxes[number]
            make = float if face == _BARE else _alloc(heap, face)
            end = methodcaller("is_integer" if face == _BARE else "free")  # of this thread: nothing is shared but boxes
            return partial(exchange.exchange, make, end, give, take)

        parts = crew.each(part)
        turn = per_operation(lambda batches: crew.together([partial(part, batches) for part in parts]), turn_seconds)
        yield lambda: turn() / (threads * exchange.BATCH)


def _alloc(heap: arenas.Heap, face: Face) -> Callable[[int], Any]:
    """To be called in the thread that will allocate."""
    return heap.local().alloc if face == _LOCAL else heap.alloc


WORK: Final = Work(
    "threads",
    "Two threads on one heap",
    "Figures are the time from the first start to the last end, for each block of either thread: with twice the "
    "throughput, half as much. With the GIL two threads cannot be faster than one. Apart, each frees what it "
    f"allocated. Exchanging, each hands every block to the other through a deque, {exchange.BATCH} at a time, and "
    "frees what it is handed; one thread hands to itself. The same with a bare `float` shows what handing over costs.",
    _cases,
)
