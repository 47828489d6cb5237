"""Splitting a recording by thread: nothing lost, gates exactly where blocks change hands, no circles."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from _allocators import Sound
from _package import module
from _traces import SMALL, SMALL_CROSSINGS, write
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

errors = module("errors")
gates = module("gates")
referee = module("referee")
replay = module("replay")
schedule = module("schedule")
trace = module("trace")


Made = list[tuple[int, str, int, int]]


def batch_of(operations: Made) -> Any:
    batch = trace.Batch()
    for thread, letter, block, size in operations:
        batch.add(thread, trace.LETTERS.index(letter), block, size)
    return batch


class Recording:
    """Stands in for a trace: a recording that is in no file, in batches of a given size."""

    name = program = "made up"
    path = "nowhere"
    declared_operations = None

    def __init__(self, operations: Made, size: int) -> None:
        self.operations, self.size = operations, size
        self.notes: list[str] = []

    def batches(self, _limit: int | None) -> Iterator[Any]:
        for first in range(0, len(self.operations), self.size):
            batch = batch_of(self.operations[first : first + self.size])
            batch.first = first
            yield batch


@st.composite
def operations(draw: st.DrawFn) -> Made:
    """Any valid recording of up to four threads."""
    made: Made = []
    live: list[int] = []
    born = 0
    for _ in range(draw(st.integers(0, 60))):
        thread = draw(st.integers(0, 3))
        letter = draw(st.sampled_from("acrrff" if live else "ac"))
        if letter in "ac":
            block, born = born, born + 1
            live.append(block)
        else:
            block = draw(st.sampled_from(live))
        if letter == "f":
            live.remove(block)
        made.append((thread, letter, block, draw(st.integers(0, 40)) if letter != "f" else 0))
    return made


class Logging(Sound):
    """Keeps the order in which each block was operated on; a token is a pair of an address and that list."""

    def __init__(self) -> None:
        super().__init__()
        self.histories: list[list[tuple[str, int]]] = []

    def allocate(self, size: int, alignment: int) -> Any:
        return self._begin("a", super().allocate(size, alignment), size)

    def zeroed(self, size: int) -> Any:
        return self._begin("c", super().allocate(size, 0), size)

    def _begin(self, letter: str, address: int, size: int) -> Any:
        history = [(letter, size)]
        self.histories.append(history)
        return address, history

    def resize(self, token: Any, size: int) -> Any:
        address, history = token
        history.append(("r", size))
        moved = super().allocate(size, 0)
        self.copy(moved, address, min(size, self.live[address]))
        super().free(address)
        return moved, history

    def free(self, token: Any) -> None:
        super().free(token[0])

    def address(self, token: Any) -> int:
        return int(token[0])


class Naming(Sound):
    """Keeps every thread that allocated."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: set[threading.Thread] = set()

    def allocate(self, size: int, alignment: int) -> int:
        self.threads.add(threading.current_thread())
        return super().allocate(size, alignment)


@settings(max_examples=60, deadline=None)
@given(made=operations())
def test_every_operation_is_in_one_lane_and_every_crossing_has_a_gate(made: Made) -> None:
    plan = schedule.build(batch_of(made), serial=False)
    assert sorted(place for lane in plan.lanes for place in lane.indices) == list(range(len(made)))
    last: dict[int, int] = {}
    crossings = []
    for place, (thread, _, block, _) in enumerate(made):
        if block in last and made[last[block]][0] != thread:
            crossings.append((last[block], place))
        last[block] = place
    opened, awaited = {}, {}
    for lane in plan.lanes:
        opens, waits = iter(lane.opens), iter(lane.waits)
        for action, place in zip(lane.actions, lane.indices, strict=True):
            if action & schedule.WAITS:
                awaited[next(waits)] = place
            if action & schedule.OPENS:
                opened[next(opens)] = place
        assert not [*opens, *waits]
    assert sorted((opened[gate], awaited[gate]) for gate in range(plan.gates)) == sorted(crossings)


@settings(max_examples=20, deadline=None)
@given(made=operations(), serial=st.booleans(), length=st.sampled_from([1, 2, 7, 100]), most=st.sampled_from([1, 64]))
def test_each_block_is_operated_on_in_the_order_of_the_file(
    made: Made, length: int, most: int, *, serial: bool
) -> None:
    """… of the file, whatever the batches, and however few threads may be kept."""
    allocator = Logging()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replay, "MOST_THREADS", most)
        result = replay.replay(Recording(made, length), allocator, seed=1, serial=serial)
    assert result.clean, result.complaints()
    assert result.operations == result.total_operations == len(made)
    assert result.threads == (min(len(made), 1) if serial else len({thread for thread, *_ in made}))
    expected: dict[int, list[tuple[str, int]]] = {}
    for _, letter, block, size in made:
        if letter != "f":
            expected.setdefault(block, []).append((letter, size))
    assert sorted(allocator.histories) == sorted(expected.values())


def test_small_recording_by_hand(tmp_path: Path) -> None:
    plan = schedule.build(next(trace.open_trace(write(tmp_path, SMALL)).batches()), serial=False)
    assert [len(lane.actions) for lane in plan.lanes] == [6, 5, 5]
    assert plan.gates == SMALL_CROSSINGS


def test_serial_has_one_lane_and_no_gates(tmp_path: Path) -> None:
    plan = schedule.build(next(trace.open_trace(write(tmp_path, SMALL)).batches()), serial=True)
    assert [len(lane.actions) for lane in plan.lanes] == [16]
    assert plan.gates == 0


def test_abort_releases_whoever_waits_and_whoever_comes_later() -> None:
    some = gates.Gates(3)
    ready = threading.Barrier(2)
    stopped = []

    def wait() -> None:
        ready.wait()
        with pytest.raises(errors.AbandonedError):
            some.pass_through(0)
        stopped.append(True)

    thread = threading.Thread(target=wait)
    thread.start()
    ready.wait()
    some.abort()
    thread.join()
    assert stopped == [True]
    with pytest.raises(errors.AbandonedError):
        some.pass_through(1)
    some.open(2)  # its thread had not heard of the abort yet
    some.abort()


def test_opening_a_gate_twice_is_a_mistake() -> None:
    some = gates.Gates(1)
    some.open(0)
    with pytest.raises(RuntimeError):
        some.open(0)


def test_threads_that_come_and_go_take_each_others_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty recorded threads, two a batch: as many real ones, but never more than three at work."""
    made = [(thread, letter, thread, 8) for thread in range(40) for letter in "af"]
    allocator, clients = Naming(), []
    make = referee.Referee.client

    def counted(self: Any) -> Any:
        clients.append(make(self))
        return clients[-1]

    monkeypatch.setattr(referee.Referee, "client", counted)
    monkeypatch.setattr(replay, "MOST_THREADS", 3)
    result = replay.replay(Recording(made, 4), allocator, seed=1)
    assert result.clean, result.complaints()
    assert result.threads == 40
    assert result.remote_frees == 0
    assert len(allocator.threads) == 40
    assert len(clients) == 1 + 3 + 1  # of who conducts, of three, and of who frees what is left
