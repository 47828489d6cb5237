"""Signal handlers that use the heap, and forks, at the points of every operation: no deadlock, no false refusal."""

from __future__ import annotations

import pytest

from tests.threads.helpers import run_program


@pytest.mark.parametrize("spec", ["thread", "1"])
def test_a_signal_handler_may_use_the_heap_wherever_it_strikes(spec: str) -> None:
    """It allocates, writes, frees and drops, whichever lock the interrupted code holds; both succeed."""
    tried = int(run_program("at_points.py", "signal", spec, 17))
    assert tried > 200


@pytest.mark.parametrize("spec", ["thread", "1"])
def test_a_fork_anywhere_gives_two_whole_heaps(spec: str) -> None:
    """From a handler inside any operation: parent and child both complete it, and their books are whole."""
    tried = int(run_program("at_points.py", "fork", spec, 31))
    assert tried > 60
