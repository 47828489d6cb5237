"""What the tests of the public surface share: the books as a caller sees them, threads that hand back their result."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

import arenas

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

# A refused request may be counted, looking may meet a lock, measure, or grow a Python list; nothing else may change.
MAY_CHANGE = frozenset({"arenas", "contended", "metadata_bytes", "out_of_memory", "peak_live_bytes", "resident_bytes"})

# What relief before an out-of-memory error may change besides: it gives free pages and regions back.
RELIEF_MAY_CHANGE = MAY_CHANGE | {
    "cached_bytes",
    "committed_bytes",
    "free_bytes",
    "largest_free_bytes",
    "regions",
    "reserved_bytes",
    "returned_bytes",
}


class Clock:
    """Seconds that pass when told to."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def books(heap: arenas.Heap) -> arenas.Stats:
    """The statistics of a heap that has just proved itself, their sums proved from outside."""
    heap.check()
    stats = heap.stats()
    assert stats.parts_bytes == stats.reserved_bytes, stats
    assert stats.allocations - stats.frees == stats.live_blocks, stats
    assert stats.mailbox_bytes == 0, stats
    for name in ("reserved_bytes", "live_bytes", "live_blocks", "parked_bytes", "free_bytes", "committed_bytes"):
        assert sum(getattr(arena, name) for arena in stats.arenas) == getattr(stats, name), name
    return stats


def numbers(stats: arenas.Stats, leaving_out: frozenset[str] = MAY_CHANGE) -> dict[str, Any]:
    """Every number of the statistics but some, by name."""
    return {one.name: getattr(stats, one.name) for one in fields(stats) if one.name not in leaving_out}


@contextlib.contextmanager
def nothing_changes(heap: arenas.Heap, leaving_out: frozenset[str] = MAY_CHANGE) -> Iterator[None]:
    """The heap passes check() after the body as before it, with the same numbers."""
    before = numbers(books(heap), leaving_out)
    yield
    assert numbers(books(heap), leaving_out) == before


def assert_whole(heap: arenas.Heap) -> None:
    """Nothing is left of any allocation: the books prove it, and an anonymous heap gives all its memory back."""
    stats = books(heap)
    assert (stats.live_blocks, stats.live_bytes, stats.rounding_bytes) == (0, 0, 0), stats
    assert stats.parked_bytes == 0, stats
    # What a thread keeps ready is nobody's either.
    assert stats.free_bytes + stats.cached_bytes == stats.reserved_bytes, stats
    heap.trim()
    stats = books(heap)
    assert (stats.committed_bytes, stats.cached_bytes) == (0, 0), stats
    if isinstance(heap.backing, arenas.AnonymousMemory):
        assert stats.reserved_bytes == 0, stats


def in_thread(function: Callable[[], T]) -> T:
    """What a function gives in a thread of its own, which has ended when this returns."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(function())
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
