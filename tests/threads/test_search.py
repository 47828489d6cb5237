"""The protocols of heaps under every order and every preemption, and the proof that such a search finds.

A failure prints the schedule it was found with, and the command that plays it again: see ``_interleave.py``.
"""

from __future__ import annotations

import queue
import sys
import threading
import time

import pytest

import arenas
from tests.threads._interleave import interleave, search

HEAPS = [name for name, kind in interleave.PROTOCOLS.items() if not kind.needs]


@pytest.mark.parametrize("name", HEAPS)
def test_a_protocol_holds_under_every_schedule(name: str) -> None:
    """What its docstring says; no two blocks overlap, nothing is lost, no thread waits for ever."""
    search(interleave.PROTOCOLS[name], "test_search.py")


# Protocols that do not hold


class CheckThenAct(interleave.Protocol):
    """Two threads look into a dict, then take out of it."""

    def prepare(self) -> None:
        self.live = {1: "allocation"}
        self.claims = 0

    def claim(self) -> interleave.Worker:
        yield
        if 1 in self.live:
            self.live.pop(1, None)
            self.claims += 1

    a = b = claim

    def verify(self) -> None:
        assert self.claims == 1


class LostSum(interleave.Protocol):
    """Three threads add one each. Two preemptions are needed until only one has counted."""

    def prepare(self) -> None:
        self.sum = 0

    def add(self) -> interleave.Worker:
        yield
        self.sum += 1

    a = b = c = add

    def verify(self) -> None:
        assert self.sum != 1


class LooksThenWaits(interleave.Protocol):
    """A waiter that looks whether there is something before it leaves its name: nobody wakes it."""

    def prepare(self) -> None:
        self.there: list[str] = []
        self.waiter: list[interleave.SimpleQueue] = []

    def a(self) -> interleave.Worker:
        yield
        word = interleave.SimpleQueue()
        if not self.there:
            self.waiter.append(word)
            word.get()

    def b(self) -> interleave.Worker:
        yield
        self.there.append("memory")
        for word in self.waiter:
            word.put(None)


class TwoOrders(interleave.Protocol):
    """Two locks, taken in one order by one thread, in the other by the other."""

    def prepare(self) -> None:
        self.locks = interleave.Lock(), interleave.Lock()

    def a(self) -> interleave.Worker:
        yield
        with self.locks[0], self.locks[1]:
            pass

    def b(self) -> interleave.Worker:
        yield
        with self.locks[1], self.locks[0]:
            pass


class LostAtTheEnd(interleave.Protocol):
    """A block that nobody frees."""

    def a(self) -> interleave.Worker:
        yield
        self.address = self.heap.malloc(100)

    def b(self) -> interleave.Worker:
        yield


@pytest.mark.parametrize(
    ("protocol", "error"),
    [
        (CheckThenAct, AssertionError),
        (LostSum, AssertionError),
        (LooksThenWaits, interleave.DeadlockError),
        (TwoOrders, interleave.DeadlockError),
        (LostAtTheEnd, AssertionError),
    ],
)
def test_a_search_finds_what_does_not_hold_and_replays_it(
    protocol: type[interleave.Protocol], error: type[AssertionError]
) -> None:
    """It says the schedule; that schedule alone fails in the same way, as often as it is played."""
    with pytest.raises(error) as found:
        search(protocol, "test_search.py")
    replay = found.value.__notes__[-1]
    assert f"-k '[{protocol.__name__}]'" in replay
    schedule = interleave.Schedule.read(replay.split("'")[1])
    for _ in range(3):
        with pytest.raises(error) as again:
            interleave.Search(protocol, schedules=1, seed=1).replay(schedule)
        assert again.value.__notes__[1] == found.value.__notes__[1]  # stopped at the same places


def test_one_seed_always_tries_the_same_schedules() -> None:
    """Also those chosen at random; another seed tries others."""
    tried = []
    for seed in (1, 1, 2):
        sought = interleave.Search(interleave.PROTOCOLS["ViewAndFree"], schedules=40, seed=seed)
        sought.run()
        tried.append([str(schedule) for schedule in sought.tried])
    assert tried[0] == tried[1] != tried[2]


def test_a_schedule_is_read_as_it_was_written() -> None:
    """So a printed one can be played."""
    text = "A37 B C12 A"
    assert str(interleave.Schedule.read(text)) == text
    assert interleave.Schedule.read(text).preemptions == 2


def test_what_waits_in_a_heap_knows_whose_turn_it_is() -> None:
    """Were a real lock, queue or clock left in its modules, a search would hang where it should find."""
    real = [threading.Lock, threading.RLock, queue.SimpleQueue, time.monotonic, time.sleep, threading, queue, time]
    with interleave.standing_in():
        left = [
            f"{module.__name__}.{name}"
            for module in list(sys.modules.values())
            if module.__name__.partition(".")[0] == "arenas"
            for name, value in vars(module).items()
            if any(value is one for one in real)
        ]
        assert left == []
        assert isinstance(arenas.Heap()._manager.budget.lock, interleave.RLock)
    assert isinstance(arenas.Heap()._manager.budget.lock, type(threading.RLock()))
