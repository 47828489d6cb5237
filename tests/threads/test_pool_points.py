"""Pools at every point of their calls: what interrupts, handlers, forks and other threads do there loses nothing."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

import arenas
import arenas.line
from tests.threads._interleave import interleave
from tests.threads.helpers import PATIENCE_SECONDS, prove_whole
from tests.threads.points import Points
from tests.threads.waiters import BYTES, Waiter, only_woken, watch_lines

if TYPE_CHECKING:
    from collections.abc import Callable

pytest.importorskip("numpy")
pytestmark = pytest.mark.usefixtures("quick_collections")


@pytest.fixture(autouse=True)
def _watched(monkeypatch: pytest.MonkeyPatch) -> None:
    watch_lines(monkeypatch)


class Case:
    """A pool, and the one array that is out."""

    size = 3

    def __init__(self) -> None:
        self.heap = arenas.Heap(arenas=1, region_bytes=1 << 16, clock=lambda: 100.0)
        self.pool = self.heap.pool(BYTES, "u1", self.size)
        self.kept = [self.pool.get()]

    def get(self) -> None:
        """One more, which is kept."""
        self.kept.append(self.pool.get(0))

    def get_of_none(self) -> None:
        """One that cannot be had."""
        taken = [self.pool.get(0), self.pool.get(0)]
        with suppress(arenas.PoolTimeoutError):
            taken.append(self.pool.get(0))
        assert len(taken) == 2

    def drop(self) -> None:
        """The end of an array."""
        self.kept.clear()

    def close(self) -> None:
        """The end of the pool."""
        self.pool.close()

    def count(self) -> None:
        """How many are ready."""
        assert self.pool.free <= 2

    def pool_of_two(self) -> None:
        """Another pool."""
        self.heap.pool(BYTES, "u1", 2).close()

    def verify(self) -> None:
        """None overlaps another, none is lost, nobody stands in line; all memory comes back."""
        assert not self.pool._line
        assert len({array.ctypes.data for array in self.kept}) == len(self.kept)
        self.kept.clear()
        if not self.pool.closed:
            arrays = [self.pool.get(0) for _ in range(self.size)]
            assert len({array.ctypes.data for array in arrays}) == self.size
            arrays.clear()
            assert self.pool.free == self.size
        self.pool.close()
        del self.pool  # an interrupted free is made good once nobody has the handle any more
        prove_whole(self.heap, interrupted=True)


VERBS = ["get", "get_of_none", "drop", "close", "count", "pool_of_two"]


def at_each_point(
    verb: str, strike: Callable[[Case], object], verify: Callable[[Case], object], new: type[Case] = Case
) -> int:
    """A fresh case for each point of the verb, struck there and verified; how many there were."""

    def run(index: int | None) -> Points:
        case = new()
        points = Points(index, lambda: strike(case))
        try:
            with suppress(KeyboardInterrupt):
                points.run(getattr(case, verb))
            verify(case)
        except BaseException as error:
            error.add_note(f"at point {index}: {interleave.place(points.seen[-1])}")
            raise
        return points

    run(None)
    chosen = interleave.worth_trying(run(None).seen)
    for index in chosen:
        run(index)
    return len(chosen)


def interrupt(_: Case) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("verb", VERBS)
def test_an_interrupt_anywhere_loses_nothing(verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever Ctrl-C strikes, all arrays can be had again, and the line is empty."""
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)  # an interrupted finalizer
    assert at_each_point(verb, interrupt, Case.verify) >= 3


@pytest.mark.parametrize("verb", ["get", "drop", "count"])
def test_a_handler_anywhere_may_use_the_pool(verb: str) -> None:
    """It is served wherever it strikes, and none of two has the same memory."""

    def handle(case: Case) -> None:
        mine = case.pool.get(0)
        mine[:] = 99
        assert case.pool.free <= 2
        assert (mine == 99).all()
        del mine
        case.kept.append(case.pool.get(0))

    assert at_each_point(verb, handle, Case.verify) >= 3


def test_a_handler_anywhere_may_take_all_there_is() -> None:
    """None is handed out twice, to it and to whom it interrupted; and one of them gets the last."""

    class Wanted(Case):
        struck = False

        def get(self) -> None:
            with suppress(arenas.PoolTimeoutError):
                super().get()

    def handle(case: Case) -> None:
        assert isinstance(case, Wanted)
        case.struck = True
        with suppress(arenas.PoolTimeoutError):
            while True:
                case.kept.append(case.pool.get(0))

    def verify(case: Case) -> None:
        assert isinstance(case, Wanted)
        assert len(case.kept) == (case.size if case.struck else 2)
        case.verify()

    assert at_each_point("get", handle, verify, Wanted) >= 10


class Last(Case):
    """A pool of one, which is out."""

    size = 1

    def get(self) -> None:
        """For one that will not wait; given back at once."""
        with suppress(arenas.PoolTimeoutError):
            self.pool.get(0)


@pytest.mark.parametrize("interrupted", [False, True])
def test_no_word_is_lost_on_one_that_leaves(interrupted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """At each point of a call, another one comes and waits, and the array comes back: who waits is served, whether the
    call was served, refused, or interrupted. (An interrupt may strike the very wake-up; then who waits looks.)
    """
    waiting: list[Waiter] = []
    if not interrupted:
        only_woken(monkeypatch)

    def strike(case: Case) -> None:
        waiting.append(Waiter(case.pool))
        case.kept.clear()
        if interrupted:
            raise KeyboardInterrupt

    def verify(case: Case) -> None:
        while waiting:
            waiting.pop().end()
        case.verify()

    assert at_each_point("get", strike, verify, Last) >= 10


def test_a_fork_anywhere_gives_two_pools() -> None:
    """Both processes complete what the fork interrupted."""
    parent = os.getpid()

    def fork(case: Case) -> None:
        child = os.fork()
        if child:
            assert os.waitpid(child, 0)[1] == 0
        else:
            signal.alarm(PATIENCE_SECONDS)

    def verify(case: Case) -> None:
        if os.getpid() == parent:
            case.verify()
            return
        status = 1
        with suppress(BaseException):
            case.verify()
            status = 0
        os._exit(status)

    assert at_each_point("get", fork, verify) >= 3
