"""A range that only one heap may use at a time, for as long as any part of it is visible."""

from __future__ import annotations

import weakref
from typing import Any

from ..errors import InvalidRequestError


class Exclusive:
    """Remembers, weakly, what was handed out, and refuses another while that is alive.

    Without a lock, which a finalizer could wait for in vain and a forked child inherit: each turn is a key of a dict,
    and of several claims to it ``setdefault`` grants one.
    """

    def __init__(self) -> None:
        self._holders: dict[int, weakref.ref[Any]] = {}  # turn -> the witness of who has it, or had
        self._turn = 0

    def claim(self, witness: object, name: str) -> None:
        """Make ``witness`` the holder. Raises ``InvalidRequestError`` while an earlier one is alive. O(turns since)."""
        mine = weakref.ref(witness)
        turn = self._turn
        while (holder := self._holders.setdefault(turn, mine)) is not mine:
            if holder() is not None:
                raise InvalidRequestError(f"{name} is in use: by another heap, or by a view that outlived one")
            turn += 1
        self._turn = turn
