"""Placements: which free span a request gets. One policy a file, over integers; each knows nothing of memory, locks
or clocks.
"""

from __future__ import annotations

from .best_fit import BestFit
from .whole_fit import WholeFit

__all__ = ["BestFit", "WholeFit"]
