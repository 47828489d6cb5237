"""Whether this process grows while it should not: its resident memory between rounds that each give everything back."""

from __future__ import annotations

import gc
import sys
from typing import Final

from . import machine

_MEGABYTE: Final = 1e6


class Growth:
    """Resident memory, round after round."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self.sizes: list[int] = []
        """Bytes, after each round; empty where the system does not say."""
        self._python: list[int] = []  # what Python's own allocator holds then, in blocks

    def note(self) -> None:
        """A round is over, and nothing of it is needed any more."""
        gc.collect()
        size = machine.resident_bytes()
        if size is not None:
            self.sizes.append(size)
            self._python.append(sys.getallocatedblocks())

    def told(self) -> str:
        """In a line. The first quarter of the rounds is warm-up: modules are imported, and C's own heap is grown."""
        if not self.sizes:
            return "memory of this process: the system does not say"
        count = len(self.sizes)
        places = (count // 4, count * 5 // 8, count - 1)
        figures = ", ".join(f"{self.sizes[place] / _MEGABYTE:,.1f} MB in round {place + 1}" for place in places)
        warm = places[0]
        return (
            f"memory of this process between rounds: {figures}; since it was warm "
            f"{(self.sizes[-1] - self.sizes[warm]) / _MEGABYTE:+,.1f} MB, of Python's own blocks "
            f"{self._python[-1] - self._python[warm]:+,} to {self._python[-1]:,}"
        )
