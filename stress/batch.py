"""Several runs in a row, whichever command asked for them: announce, run, report."""

from __future__ import annotations

import dataclasses
import faulthandler
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from . import progress, report
from .allocators import registry
from .table import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from .allocators.protocol import Choice
    from .results import Result

CLEAN: Final = 0
FAILED: Final = 1
USAGE: Final = 2
HANG_SECONDS: Final = 600.0
"""A run of which nothing is heard for so long has hung together with the thread that watches it: in the allocator."""

Watch = Callable[[float, int], None]
"""Told how far a run has come: seconds, operations."""


@dataclass(frozen=True, slots=True)
class Job:
    """One run, not yet begun."""

    name: str
    choice: Choice
    run: Callable[[Watch], Result]
    seconds: float | None = None
    operations: int | None = None
    """How long it will take, if either is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What to run, and how to tell of it."""

    command: str
    """That does exactly this again, but for the order in which the system runs threads."""
    seed: int
    jobs: Iterable[Job]
    """May be made while they are run."""
    told: tuple[str, ...] = ()
    """Lines to print before."""
    json: Path | None = None
    footprints: Callable[[], list[dict[str, object]]] = field(default=list)
    """What memory recordings take: asked for after the runs, shown by who measures it."""

    def run(self) -> int:
        """Run everything; the exit status.

        Raises:
            UsageError: an input turns out to be malformed.

        """
        say(self.command)
        for line in self.told:
            say(line)
        started = time.time()
        results: list[Result] = []
        try:
            with progress.bar() as begin:
                for job in self.jobs:
                    results.append(carry_out(job, begin))  # noqa: PERF401 - one by one: what is done is to be shown
        finally:
            _show(results)  # interrupted, too
        document = report.Document(self.command, self.seed, started, results, self.footprints())
        if self.json is not None:
            document.write(self.json)
        say(document.verdict)
        if document.empty:
            return USAGE
        return CLEAN if document.clean else FAILED


def _show(results: Sequence[Result]) -> None:
    report.show(results)
    for result in results:
        for complaint in result.complaints() + result.notes:
            say(f"{result.name} on {result.allocator}: {complaint}")


def carry_out(job: Job, begin: progress.Begin) -> Result:
    """Run one job, and say on what. If it hangs the process ends with status 1, and says where each thread is."""
    by_time = job.seconds is not None
    update = begin(job.name, job.seconds if by_time else job.operations)

    def watch(seconds: float, operations: int) -> None:
        _expect_a_word()
        update(seconds if by_time else operations)

    _expect_a_word()
    try:
        result = job.run(watch)
    finally:
        faulthandler.cancel_dump_traceback_later()
    choice = job.choice
    placement = choice.placement if registry.is_heap(choice.allocator) else None
    return dataclasses.replace(result, allocator=choice.allocator, arenas=registry.routing(choice), placement=placement)


def _expect_a_word() -> None:
    """From now on. No exception reaches a thread that waits for a lock that nobody will release."""
    if sys.__stderr__ is not None:
        faulthandler.dump_traceback_later(HANG_SECONDS, exit=True, file=sys.__stderr__)
