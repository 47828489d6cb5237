"""What the protocols share."""

from __future__ import annotations

import contextlib

import arenas

SIZE = 1000
LARGER = 3 * SIZE
# What one thread may be told because another was first.
REFUSALS = (arenas.BlockReleasedError, arenas.DoubleFreeError, arenas.HeapClosedError, BufferError)


def refused() -> contextlib.suppress:
    """For an operation that another thread may forestall."""
    return contextlib.suppress(*REFUSALS)
