"""The bound on committed bytes, shared by a heap's arenas."""

from __future__ import annotations

import threading


class Budget:
    """Adds up what each arena has committed, and refuses what would exceed the limit.

    An arena states its *total*, never a difference: stating it again after an interruption repairs the sum.
    """

    def __init__(self, limit_bytes: int | None) -> None:
        """``None`` bounds nothing."""
        self.limit_bytes = limit_bytes
        # Protects the check against a second arena's; the last lock in the order, taken inside an arena's. Re-entrant,
        # because a signal handler may commit for its own arena while the thread it interrupted is in here.
        self.lock = threading.RLock()
        self._committed: dict[int, int] = {}  # arena number -> bytes it has committed

    @property
    def committed_bytes(self) -> int:
        """What all arenas have committed together."""
        return sum(self._committed.copy().values())

    @property
    def left_bytes(self) -> int | None:
        """What may still be committed; None without a limit."""
        return None if self.limit_bytes is None else self.limit_bytes - self.committed_bytes

    def state(self, arena_number: int, committed_bytes: int) -> None:
        """An arena's total as it is: after giving pages back, or to repair the sum."""
        self._committed[arena_number] = committed_bytes

    def grant(self, arena_number: int, committed_bytes: int) -> bool:
        """Raise an arena's total; False, and nothing changed, where that would exceed the limit."""
        if self.limit_bytes is None:
            self._committed[arena_number] = committed_bytes
            return True
        with self.lock:
            before = self._committed.get(arena_number, 0)
            # State first, add up after: a handler that interrupts between the two sees this claim, and cannot exceed
            # the limit.
            self._committed[arena_number] = committed_bytes
            if self.committed_bytes <= self.limit_bytes:
                return True
            self._committed[arena_number] = before
            return False
