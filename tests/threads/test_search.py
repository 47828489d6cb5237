"""What is in ``protocols/`` under every order and every preemption, and the proof that such a search finds.

A failure prints the schedule it was found with, and the command that plays it again:
``ARENAS_SCHEDULE='A37 B' python -m pytest tests/threads/test_search.py -k '[Park]'``. With ``ARENAS_SEARCH=20000``
so many are tried of each protocol, with ``ARENAS_SEED=2`` others where not all are.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

import arenas
from tests.threads.points import place
from tests.threads.protocol import Protocol
from tests.threads.protocols import ends, views, waits, ways_back, wholes
from tests.threads.search import Schedule, Search
from tests.threads.stand_ins import Lock, RLock, SimpleQueue, standing_in
from tests.threads.turns import DeadlockError

if TYPE_CHECKING:
    from tests.threads.turns import Worker

PROTOCOLS = {
    name: kind
    for module in (ends, ways_back, views, waits, wholes)
    for name, kind in vars(module).items()
    if isinstance(kind, type) and issubclass(kind, Protocol) and hasattr(kind, "b")
}
SCHEDULE = os.environ.get("ARENAS_SCHEDULE")


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_protocol_holds_under_every_schedule(name: str) -> None:
    """What its docstring says; no two blocks overlap, nothing is lost, no thread waits for ever."""
    search = Search(PROTOCOLS[name])
    if SCHEDULE is not None:
        for turn in search.replay(Schedule.read(SCHEDULE)).played:
            print(f"{'ABCD'[turn.thread]}: {len(turn.path)} steps", place(turn.path[-1]) if turn.stopped else "")
        return
    search.run()
    print(f"{len(search.tried)} schedules; {search.left_out} with one preemption were left out")
    assert len(search.tried) > 40


# Protocols that do not hold


class CheckThenAct(Protocol):
    """Two threads look into a dict, then take out of it."""

    def prepare(self) -> None:
        self.live = {1: "allocation"}
        self.claims = 0

    def claim(self) -> Worker:
        yield
        if 1 in self.live:
            self.live.pop(1, None)
            self.claims += 1

    a = b = claim

    def verify(self) -> None:
        assert self.claims == 1


class LostSum(Protocol):
    """Three threads add one each. Two preemptions are needed until only one has counted."""

    def prepare(self) -> None:
        self.sum = 0

    def add(self) -> Worker:
        yield
        self.sum += 1

    a = b = c = add

    def verify(self) -> None:
        assert self.sum != 1


class LooksThenWaits(Protocol):
    """A waiter that looks whether there is something before it leaves its name: nobody wakes it."""

    def prepare(self) -> None:
        self.there: list[str] = []
        self.waiter: list[SimpleQueue] = []

    def a(self) -> Worker:
        yield
        word = SimpleQueue()
        if not self.there:
            self.waiter.append(word)
            word.get()

    def b(self) -> Worker:
        yield
        self.there.append("memory")
        for word in self.waiter:
            word.put(None)


class TwoOrders(Protocol):
    """Two locks, taken in one order by one thread, in the other by the other."""

    def prepare(self) -> None:
        self.locks = Lock(), Lock()

    def a(self) -> Worker:
        yield
        with self.locks[0], self.locks[1]:
            pass

    def b(self) -> Worker:
        yield
        with self.locks[1], self.locks[0]:
            pass


class LostAtTheEnd(Protocol):
    """A block that nobody frees."""

    def a(self) -> Worker:
        yield
        self.address = self.heap.malloc(100)

    def b(self) -> Worker:
        yield


@pytest.mark.parametrize(
    ("protocol", "error"),
    [
        (CheckThenAct, AssertionError),
        (LostSum, AssertionError),
        (LooksThenWaits, DeadlockError),
        (TwoOrders, DeadlockError),
        (LostAtTheEnd, AssertionError),
    ],
)
def test_a_search_finds_what_does_not_hold_and_replays_it(
    protocol: type[Protocol], error: type[AssertionError]
) -> None:
    """It says the schedule; that schedule alone fails in the same way, as often as it is played."""
    with pytest.raises(error) as found:
        Search(protocol).run()
    replay = found.value.__notes__[-1]
    assert f"-k '[{protocol.__name__}]'" in replay
    schedule = Schedule.read(replay.split("'")[1])
    for _ in range(3):
        with pytest.raises(error) as again:
            Search(protocol).replay(schedule)
        assert again.value.__notes__[1] == found.value.__notes__[1]  # stopped at the same places


def test_one_seed_always_tries_the_same_schedules() -> None:
    """Also those chosen at random; another seed tries others."""
    tried = []
    for seed in (1, 1, 2):
        search = Search(views.ViewAndFree, schedules=40, seed=seed)
        search.run()
        tried.append([str(schedule) for schedule in search.tried])
    assert tried[0] == tried[1] != tried[2]


def test_a_schedule_is_read_as_it_was_written() -> None:
    """So a printed one can be played."""
    text = "A37 B C12 A"
    assert str(Schedule.read(text)) == text
    assert Schedule.read(text).preemptions == 2


def test_what_waits_in_a_heap_knows_whose_turn_it_is() -> None:
    """Were a real lock, queue or clock left in its modules, a search would hang where it should find."""
    real = [threading.Lock, threading.RLock, queue.SimpleQueue, time.monotonic, time.sleep, threading, queue, time]
    with standing_in():
        left = [
            f"{module.__name__}.{name}"
            for module in list(sys.modules.values())
            if module.__name__.partition(".")[0] == "arenas"
            for name, value in vars(module).items()
            if any(value is one for one in real)
        ]
        assert left == []
        assert isinstance(arenas.Heap()._manager.budget.lock, RLock)
    assert isinstance(arenas.Heap()._manager.budget.lock, type(threading.RLock()))
