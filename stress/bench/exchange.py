"""Threads that hand everything they make to each other, and free what they are handed.

Handing over is to be cheap: it is not what is measured. So it goes by the batch, a list, through a deque.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from ..errors import StalledError
from .peers import SIZE

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable

BATCH: Final = 128
"""Things handed over at a time; nobody is ever more than two batches ahead."""

_PATIENCE_SECONDS: Final = 60.0


def exchange(
    make: Callable[[int], Any],
    end: Callable[[Any], object],
    give: deque[list[Any]],
    take: deque[list[Any]],
    batches: int,
) -> None:
    """Hand over ``BATCH`` new things and end as many that were handed to us, ``batches`` times; so does the other.

    ``give`` and ``take`` may be one deque: then a thread hands to itself.

    Raises:
        StalledError: the other no longer hands anything over.

    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    for _ in range(batches):
        give.append([make(SIZE) for _ in range(BATCH)])
        for thing in _next(take, deadline):
            end(thing)


def _next(take: deque[list[Any]], deadline: float) -> list[Any]:
    while True:
        try:
            return take.popleft()
        except IndexError:
            if time.monotonic() > deadline:
                raise StalledError("the other thread hands nothing over") from None
            time.sleep(0)  # lets the other run where there is one core, or a GIL
