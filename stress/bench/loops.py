"""Timing a statement: `timeit`, which compiles it into a loop of its own, so that no call is added to what is timed."""

from __future__ import annotations

import gc
import timeit
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Final

from .model import Entrant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .model import Measure

Loop = Callable[[int], float]
"""Does something so many times; how many nanoseconds that took."""

Names = Mapping[str, Any]

_PART_OF_A_TURN: Final = 8


def statement(code: str, names: Names) -> Loop:
    """A loop around ``code``, in which ``names`` are local variables.

    Build and call it in one thread: without the GIL, objects are cheapest where they were made.
    """
    # timeit switches the collector off unless told otherwise.
    setup = "; ".join(["enable()", *(f"{name} = names[{name!r}]" for name in names)])
    timer = timeit.Timer(code, setup, globals={"enable": gc.enable, "names": names})
    return lambda count: timer.timeit(count) * 1e9


def per_operation(loop: Loop, turn_seconds: float) -> Measure:
    """Time a loop for about ``turn_seconds`` at a time; the first turn finds out how many operations that is."""
    count = 0

    def measure() -> float:
        nonlocal count
        count = count or _count_for(loop, turn_seconds * 1e9)
        return loop(count) / count

    return measure


def timed(name: str, code: str, provide: Callable[[], AbstractContextManager[Names]], turn_seconds: float) -> Entrant:
    """Make an entrant of a statement; ``provide`` has its names ready while the case lasts."""

    @contextmanager
    def opened() -> Iterator[Measure]:
        with provide() as names:
            yield per_operation(statement(code, names), turn_seconds)

    return Entrant(name, code, opened)


def _count_for(loop: Loop, turn_ns: float) -> int:
    count = 1
    # The quicker of two: were it interrupted by other processes, every later turn would be too short.
    while (elapsed_ns := min(loop(count), loop(count))) < turn_ns / _PART_OF_A_TURN:
        count *= 2
    return max(1, round(count * turn_ns / elapsed_ns))
