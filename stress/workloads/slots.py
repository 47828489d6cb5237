"""Slots that threads share: one block goes in, and the one that was there comes out."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..client import Held


class Slots:
    """Empty at first. Any thread may exchange."""

    def __init__(self, count: int) -> None:
        self._held: list[Held[Any] | None] = [None] * count
        self._lock = threading.Lock()  # a read and a write: between the two, another thread would get the same block

    def __len__(self) -> int:
        return len(self._held)

    def exchange(self, slot: int, held: Held[Any] | None) -> Held[Any] | None:
        """Put a block, or nothing, into a slot; what was there is now the caller's."""
        with self._lock:
            old, self._held[slot] = self._held[slot], held
        return old
