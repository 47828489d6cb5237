"""Runs of what a test says threads should do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from _package import module

if TYPE_CHECKING:
    from collections.abc import Callable

run = module("run")
model = module("workloads.model")


def play(script: Callable[[Any], None], allocator: Any, *, name: str = "test", **terms: Any) -> Any:
    """The result of a workload that consists of `script`, of a stage."""
    workload = model.Workload(name, "", "", script)
    return run.run(workload, allocator, run.Terms(**{"seconds": 60.0, "seed": 1, "threads": 2, **terms}))


def act(allocator: Any, *bodies: Callable[[Any], object], **terms: Any) -> Any:
    """The result of a workload of some threads, each with a body of its own."""
    return play(lambda stage: stage.play(*bodies), allocator, **terms)
