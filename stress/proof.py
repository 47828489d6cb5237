"""The end of a run: everything is freed, and the allocator proven whole."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .allocators.protocol import Token
    from .referee import Referee
    from .results import Result


def prove(referee: Referee[Token], result: Result) -> None:
    """Compare the books, free what is left, audit. For a run whose threads have all ended without an exception."""
    allocator = referee.allocator
    gc.collect()  # what the run let go must have come back by now
    failed = allocator.check()
    referee.settle()
    result.left_live = referee.free_the_rest()
    gc.collect()
    failed = failed or allocator.check()
    result.leaked_blocks = allocator.measure().live_blocks
    result.accounting += allocator.audit()
    result.check = failed or allocator.check() or "ok"
