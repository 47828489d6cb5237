"""A program: at every point of every public operation, what a signal handler or a finalizer might do; or a fork.

Usage: ``at_points.py signal|fork thread|1 STRIDE``, to try each STRIDE-th point, and all of those with a lock. Stuck,
it shows all stacks and ends.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import os
import signal
import sys
import warnings
from pathlib import Path

import arenas
import arenas.fork
from tests.threads._interleave import interleave
from tests.threads.helpers import PATIENCE_SECONDS, elsewhere, pattern
from tests.threads.points import Points
from tests.threads.scenarios import SCENARIOS, SMALL, Scenario, Stage, verify

# Where locks other than an arena's are taken: tried in full.
LOCKS = {"budget.py", "routing.py"}
WITHOUT_FORK = {"alloc refused", "check", "stats", "snapshot", "scope", "close", "find"}


class Handler:
    """Allocates, writes, frees, drops and looks, whatever it interrupted."""

    def __init__(self, stage: Stage) -> None:
        self.heap = stage.heap
        self.victims = [stage.heap.alloc(SMALL)]
        self.address = stage.heap.malloc(SMALL)
        self.done = False

    def act(self) -> None:
        """What a handler does. Only ``stats`` may find the arena busy; no request may fail."""
        if self.heap.closed:
            self.done = True
            return
        kept = self.heap.alloc(300)
        kept.view[:] = pattern(5, 300)
        dropped = self.heap.alloc(200)
        dropped.view[:] = b"\xff" * 200
        del dropped
        try:
            self.victims[0].free()
            self.heap.free(self.address)
        except (arenas.DoubleFreeError, arenas.HeapClosedError):
            assert self.victims[0].released  # a reset, or the close itself, may have been first
        with contextlib.suppress(arenas.ArenaBusyError):
            self.heap.stats()
        if not kept.released:
            assert kept.view == pattern(5, 300)
            kept.free()
        self.done = True


def signal_at(scenario: Scenario, spec: str | int, index: int | None) -> Points:
    """The operation, with a signal at one point: it succeeds, and so does all that the handler does."""
    stage = scenario.stage(arenas=spec)
    handler = Handler(stage)
    signal.signal(signal.SIGUSR1, lambda number, frame: handler.act())
    if scenario.in_new_thread:  # where no signal is handled, a finalizer may strike
        points = Points(index, handler.act)
        elsewhere(lambda: points.run(lambda: scenario.act(stage)))
    else:
        points = Points(index, lambda: signal.raise_signal(signal.SIGUSR1))
        points.run(lambda: scenario.act(stage))
    if points.reached:
        assert handler.done
    elif not stage.heap.closed:
        handler.act()
    handler.victims.clear()
    verify(scenario, stage, interrupted=False)
    return points


def fork_at(scenario: Scenario, spec: str | int, index: int | None) -> Points:
    """The operation, with a fork at one point: both processes complete it, with heaps that are whole."""
    stage = scenario.stage(arenas=spec)
    children: list[int] = []

    def fork() -> None:
        children.append(os.fork())
        if not children[-1]:
            signal.alarm(PATIENCE_SECONDS)
            stage.heap.alloc(100).free()

    parent = os.getpid()
    points = Points(index, fork)
    try:
        points.run(lambda: scenario.act(stage))
        verify(scenario, stage, interrupted=False)
    finally:
        if os.getpid() != parent:
            if sys.exc_info()[0] is not None:
                sys.excepthook(*sys.exc_info())
                sys.stderr.flush()
                os._exit(1)
            os._exit(0)
    for child in children:
        _, status = os.waitpid(child, 0)
        assert status == 0, f"the child ended with {status}"
    return points


def main(mode: str, spec: str, stride: str) -> None:
    """Every scenario, in one thread; prints how many points were tried."""
    faulthandler.enable()
    faulthandler.dump_traceback_later(PATIENCE_SECONDS, exit=True)
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
    gc.freeze()
    # A fork inside a section waits so long for a lock that may be another thread's; there is no other thread here.
    arenas.fork._PATIENCE_SECONDS = 0.001
    at = {"signal": signal_at, "fork": fork_at}[mode]
    chosen_spec: str | int = spec if spec == "thread" else int(spec)
    passed = tried = 0
    for name, scenario in SCENARIOS.items():
        if scenario.needs_numpy or (mode == "fork" and (scenario.in_new_thread or name in WITHOUT_FORK)):
            continue
        at(scenario, chosen_spec, None)
        points = at(scenario, chosen_spec, None)
        for index in interleave.worth_trying(points.seen):
            passed += 1
            if passed % int(stride) and Path(points.seen[index][0].co_filename).name not in LOCKS:
                continue
            faulthandler.dump_traceback_later(PATIENCE_SECONDS, exit=True)
            tried += 1
            try:
                at(scenario, chosen_spec, index)
            except BaseException:
                print(f"{mode} in {name!r} at point {index}: {interleave.place(points.seen[index])}", flush=True)
                raise
    print(tried)


if __name__ == "__main__":
    main(*sys.argv[1:])
