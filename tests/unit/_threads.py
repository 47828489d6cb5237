"""Threads that live at once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from arenas.cache import Cache


def in_threads(count: int, function: Callable[[], Any]) -> list[Any]:
    """What the function returns in each of so many threads, all alive until every one has its answer."""
    barrier = threading.Barrier(count)
    answers: list[Any] = []

    def run() -> None:
        barrier.wait()
        try:
            answers.append(function())
        except BaseException:
            barrier.abort()  # nobody waits for its answer
            raise
        barrier.wait()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == count
    return answers


def numbers(caches: list[Cache]) -> set[int]:
    """Those of the arenas behind them."""
    return {cache.arena_number for cache in caches}
