"""One run of one workload, from a fresh allocator to the proof that it is whole."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import FOREIGN, UnavailableError, UsageError
from .mishaps import NONE, Mishaps
from .monitor import Monitor
from .proof import prove
from .referee import Referee
from .results import Result
from .stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from .allocators.protocol import Allocator
    from .workloads.model import Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How long, how big, how random."""

    seconds: float
    seed: int
    threads: int | None = None
    """None: as many as the workload likes."""
    scale: float = 1.0
    may_refuse: bool = False
    """Whether ``MemoryError`` is part of the run though nothing is made to fail."""
    mishaps: Mishaps = NONE
    """Those of them that befall the allocator are its own matter."""


def run(
    workload: Workload,
    allocator: Allocator[Any],
    terms: Terms,
    *,
    watch: Callable[[float, int], None] = lambda _seconds, _operations: None,
    another: Callable[[], Allocator[Any]] | None = None,
) -> Result:
    """Run a workload on an allocator that is fresh, and close it.

    ``watch`` is told the seconds since the start and the operations done, now and then, in the calling thread.
    ``another`` makes one more allocator like this one, for workloads that break theirs.
    """
    mishaps = terms.mishaps
    threads = workload.threads if terms.threads is None else terms.threads
    result = Result(name=workload.name, kind="workload", threads=threads, seed=terms.seed, scale=terms.scale)
    referee = Referee(allocator, terms.seed, may_refuse=terms.may_refuse or mishaps.refuse or allocator.bounded)
    monitor = Monitor(referee, result, watch)
    stage = _stage(referee, monitor, terms, threads, another)
    try:
        _play(workload, stage, monitor, mishaps)
        _see_that_the_limit_held(result, mishaps)
        prove(referee, result)
        allocator.close()
    except UnavailableError as reason:
        result.left_out = True
        result.notes.append(f"left out: {reason}")
        allocator.close()
    except UsageError:
        raise
    except FOREIGN:  # whatever the allocator raises is a finding, not the end of the run
        result.failure = traceback.format_exc().rstrip()
    _tell(result, stage)
    return result


def _stage(
    referee: Referee[Any],
    monitor: Monitor[Any],
    terms: Terms,
    threads: int,
    another: Callable[[], Allocator[Any]] | None,
) -> Stage[Any]:
    return Stage(
        referee,
        monitor,
        threads=threads,
        scale=terms.scale,
        seed=terms.seed,
        seconds=terms.seconds,
        another=another,
        mishaps=terms.mishaps,
    )


def _see_that_the_limit_held(result: Result, mishaps: Mishaps) -> None:
    committed, limit_bytes = result.peak_committed_bytes, mishaps.limit_bytes
    if limit_bytes is not None and committed is not None and committed > limit_bytes:
        result.accounting.append(f"{committed:,} bytes were committed at once, the limit is {limit_bytes:,}")


def _play(workload: Workload, stage: Stage[Any], monitor: Monitor[Any], mishaps: Mishaps) -> None:
    monitor.begin()
    try:
        with mishaps.collecting():
            workload.play(stage)
        monitor.end()
    finally:
        monitor.sum_up()


def _tell(result: Result, stage: Stage[Any]) -> None:
    faults = stage.referee.faults
    result.faults, result.fault_kinds, result.descriptions = len(faults), faults.kinds(), faults.descriptions()
    counts = {"requests were refused, as they may be": result.refused, "threads died on purpose": stage.deaths}
    result.notes += stage.notes + [f"{count:,} {what}" for what, count in counts.items() if count]
