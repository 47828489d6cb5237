"""Threads that hand everything they make to each other, through two deques, and free what they are handed."""

from __future__ import annotations

import time
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final

from ..errors import StalledError
from .peers import SIZE

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable

RUN: Final = 128
"""Handed over before anything is taken: it bounds how much is on the way."""

_PATIENCE_SECONDS: Final = 60.0


def exchange(
    make: Callable[[int], Any], end: Callable[[Any], object], give: deque[Any], take: deque[Any], runs: int
) -> None:
    """Hand over ``RUN`` new things and end as many that were handed to us; ``runs`` times. The other does the same.

    ``give`` and ``take`` may be one deque: then a thread hands to itself.

    Raises:
        StalledError: the other no longer hands anything over.

    """
    put, get = give.append, take.popleft
    deadline = time.monotonic() + _PATIENCE_SECONDS
    for _ in repeat(None, runs):
        for _ in repeat(None, RUN):
            put(make(SIZE))
        left = RUN
        while left:
            try:
                end(get())
                left -= 1
            except IndexError:
                if time.monotonic() > deadline:
                    raise StalledError("the other thread hands nothing over") from None
                time.sleep(0)  # lets the other run where there is one core, or a GIL
