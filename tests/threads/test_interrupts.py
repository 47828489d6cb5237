"""Ctrl-C at every place where an interpreter delivers one, in every public operation: the heap stays whole."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

import pytest

from tests.threads._interleave import interleave
from tests.threads.helpers import elsewhere
from tests.threads.points import Points
from tests.threads.scenarios import SCENARIOS, Scenario, Stage, verify

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _quiet(quick_collections: None) -> Iterator[None]:
    """No collection but the test's own, and interrupted finalizers, which can only be reported, are not."""
    hook, sys.unraisablehook = sys.unraisablehook, lambda _: None
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        sys.unraisablehook = hook


def interrupt() -> None:
    raise KeyboardInterrupt


def run(scenario: Scenario, stage: Stage, points: Points) -> bool:
    """Whether the operation was interrupted."""

    def traced() -> None:
        try:
            points.run(lambda: scenario.act(stage))
        except KeyboardInterrupt:
            interrupted.append(True)

    interrupted: list[bool] = []
    if scenario.in_new_thread:
        elsewhere(traced)
    else:
        traced()
    return bool(interrupted)


MOST = 200


def rehearse(scenario: Scenario, spec: str | int) -> list[interleave.Point]:
    """The points of the operation, which is not interrupted."""
    points = Points()
    stage = scenario.stage(arenas=spec)
    run(scenario, stage, points)
    verify(scenario, stage, interrupted=False)
    return points.seen


SHARED = ["alloc", "free", "free remotely", "drop", "resize moving", "malloc", "reset", "close"]


@pytest.mark.parametrize(("name", "spec"), [*((name, "thread") for name in SCENARIOS), *((name, 1) for name in SHARED)])
def test_an_interrupt_at_any_point_leaves_a_whole_heap(name: str, spec: str | int) -> None:
    """After each of them: check() passes, no lock is held, contents are unchanged, and what is live is what the caller
    holds.

    A raw address interrupted on its way to the caller may leave its own allocation, which nobody can know of: the one
    exception.
    """
    scenario = SCENARIOS[name]
    if scenario.needs_numpy:
        pytest.importorskip("numpy")
    rehearse(scenario, spec)  # does what is done only once in a process
    chosen = interleave.worth_trying(rehearse(scenario, spec))
    chosen = chosen[:: len(chosen) // MOST + 1]  # evenly, over what is long
    missed = 0
    for index in chosen:
        stage = scenario.stage(arenas=spec)
        points = Points(index, interrupt)
        interrupted = run(scenario, stage, points)
        missed += not points.reached  # a few depend on what the collector or a dict's growth does that day
        try:
            verify(scenario, stage, interrupted=interrupted)
        except BaseException as error:
            error.add_note(f"{name!r} interrupted at point {index}: {interleave.place(points.seen[-1])}")
            raise
    assert missed * 10 < len(chosen), f"{missed} of {len(chosen)} points were not reached"
