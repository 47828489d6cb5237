"""Threads that stay for a whole case, so that what a thread keeps is as warm as in a program."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Self

T = TypeVar("T")

_TIMEOUT_SECONDS: Final = 600.0


class Crew:
    """So many threads, each with its number. Used by the thread that made it; ends with its ``with``."""

    def __init__(self, size: int) -> None:
        """Nothing runs yet."""
        # One executor each: a task goes to the thread it is meant for.
        self._executors = [ThreadPoolExecutor(1, f"bench-{number}") for number in range(size)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for executor in self._executors:
            executor.shutdown()

    def call(self, number: int, task: Callable[[], T]) -> T:
        """Have one thread do a task, and wait; what it returns."""
        return self._executors[number].submit(task).result()

    def each(self, task: Callable[[int], T]) -> list[T]:
        """Have every thread call ``task`` with its number, one after the other; what they return."""
        return [self.call(number, partial(task, number)) for number in range(len(self._executors))]

    def together(self, tasks: Sequence[Callable[[], object]]) -> float:
        """Have every thread do its task, all at once; nanoseconds from the first start to the last end."""
        barrier = threading.Barrier(len(tasks), timeout=_TIMEOUT_SECONDS)

        def run(task: Callable[[], object]) -> tuple[int, int]:
            barrier.wait()
            started = time.perf_counter_ns()
            task()
            return started, time.perf_counter_ns()

        running = [executor.submit(run, task) for executor, task in zip(self._executors, tasks, strict=True)]
        times = [future.result() for future in running]
        return max(ended for _, ended in times) - min(started for started, _ in times)
