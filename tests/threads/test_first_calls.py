"""What is made on first use, by two threads at once: there is one of it, or each has one of its own."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

import arenas
import arenas.default
from tests.threads._interleave import interleave
from tests.threads.helpers import PATIENCE_SECONDS, elsewhere
from tests.threads.points import Points
from tests.threads.scenarios import REGION, SMALL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest


class Pair:
    """The same call by two threads, the second's at a point of the first's; both live when the second is served."""

    def __init__(self, call: Callable[[], Any], locked: Callable[[], bool] = lambda: False) -> None:
        self.results: list[Any] = []
        self._call = call
        self._locked = locked
        self._arrived, self._done = threading.Event(), threading.Event()

    def at(self, index: int | None) -> Points:
        """Both calls."""
        points = Points(index, self._strike, open_to_others=lambda _: not self._locked())
        try:
            elsewhere(lambda: points.run(lambda: self.results.append(self._call())))
        finally:
            self._done.set()
        return points

    def _strike(self) -> None:
        threading.Thread(target=self._second, daemon=True).start()
        assert self._arrived.wait(PATIENCE_SECONDS)

    def _second(self) -> None:
        try:
            self.results.append(self._call())
        finally:
            self._arrived.set()
        self._done.wait(PATIENCE_SECONDS)


def pairs(make: Callable[[], Pair]) -> Iterator[list[Any]]:
    """What both got, at each point in turn."""
    make().at(None)  # what is cached for ever is cached now
    points = interleave.worth_trying(make().at(None).seen)
    reached = 0
    for index in points:
        pair = make()
        if pair.at(index).reached:
            reached += 1
            yield pair.results
    assert reached > 10


def test_no_two_threads_adopt_one_arena() -> None:
    """A thread's first call at any point of another's: each gets an arena of its own."""

    def make() -> Pair:
        heap = arenas.Heap(region_bytes=REGION, clock=lambda: 100.0)
        lock = heap._manager.routing.locks[0]
        return Pair(lambda: heap.alloc(SMALL).arena, lambda: bool(lock._is_owned()))

    for first, second in pairs(make):
        assert first != second


def test_an_arena_is_adopted_once() -> None:
    """Its owner ends while another thread looks for an arena: if that one takes it, no third does."""
    adopt_from_an_end_at(None)
    points = interleave.worth_trying(adopt_from_an_end_at(None)[0].seen)
    served = [adopt_from_an_end_at(index)[1] for index in points]
    assert all(len(set(numbers)) == 3 for numbers in served)
    assert {numbers[1] for numbers in served} == {1, 2}  # the ended one's arena, or one of its own


def adopt_from_an_end_at(index: int | None) -> tuple[Points, list[int]]:
    """An owner ends at a point of another thread's first call; then comes a third. The arenas of those that live."""
    heap = arenas.Heap(region_bytes=REGION, clock=lambda: 100.0)
    served = [heap.alloc(SMALL).arena]
    ready, end = threading.Event(), threading.Event()

    def own() -> None:
        heap.alloc(SMALL).free()
        ready.set()
        end.wait(PATIENCE_SECONDS)

    owner = threading.Thread(target=own, daemon=True)
    owner.start()
    assert ready.wait(PATIENCE_SECONDS)

    def strike() -> None:
        end.set()
        owner.join(PATIENCE_SECONDS)

    points = Points(index, strike, open_to_others=lambda _: True)

    def first() -> None:
        points.run(lambda: served.append(heap.alloc(SMALL).arena))
        elsewhere(lambda: served.append(heap.alloc(SMALL).arena))

    elsewhere(first)
    strike()
    return points, served


def test_one_arena_serves_large_blocks() -> None:
    """Made by two first large requests at once, one of the two serves both threads ever after."""

    def make() -> Pair:
        heap = arenas.Heap(arenas=1, region_bytes=1 << 17, clock=lambda: 100.0)

        def call() -> set[int]:
            heap.alloc(1 << 16)
            return {heap.alloc(1 << 16).arena for _ in range(2)}

        (adoption,) = heap._manager.routing.locks
        return Pair(call, lambda: adoption._is_owned() or any(arena.lock.locked() for arena in heap._manager.arenas))

    for first, second in pairs(make):
        assert first == second


def test_there_is_one_default_heap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks first, and whoever asks meanwhile, get the same."""
    monkeypatch.setattr(arenas.default, "_slot", {})

    def make() -> Pair:
        arenas.default._slot.clear()
        return Pair(arenas.default_heap)

    for first, second in pairs(make):
        assert first is second


def test_one_range_serves_one_heap() -> None:
    """Of two heaps built over one address space at once, one is refused."""

    def make() -> Pair:
        space = arenas.AddressSpace(1 << 16)

        def call() -> arenas.Heap | None:
            with contextlib.suppress(arenas.InvalidRequestError):
                return arenas.Heap(backing=space)
            return None

        return Pair(call)

    for results in pairs(make):
        assert sorted(heap is None for heap in results) == [False, True]
