"""Real signals at random moments: as ``test_interrupts`` and ``test_at_points``, without a tracer between."""

from __future__ import annotations

import pytest

from tests.threads.helpers import run_program


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("spec", ["thread", "1"])
def test_thousands_of_interrupts_leave_a_whole_heap(spec: str, seed: int) -> None:
    """Ctrl-C at any moment of any operation: check() passes after each, contents are unchanged, nothing leaks."""
    strikes, operations = map(int, run_program("by_timer.py", "interrupt", spec, seed, 700).split())
    assert 700 == strikes <= operations


@pytest.mark.parametrize("spec", ["thread", "1"])
def test_hundreds_of_signals_whose_handler_uses_the_heap(spec: str) -> None:
    """Whatever was interrupted, handler and operation both succeed, and the books are exact."""
    strikes, _ = map(int, run_program("by_timer.py", "handler", spec, 3, 800).split())
    assert strikes >= 800
