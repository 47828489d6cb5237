"""Splitting a recording by thread: nothing lost, gates exactly where blocks change hands, no circles."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from _allocators import Sound
from _package import module
from _traces import SMALL, SMALL_CROSSINGS, SMALL_REMOTE_FREES, write
from hypothesis import given, settings
from hypothesis import strategies as st

errors = module("errors")
gates = module("gates")
replay = module("replay")
schedule = module("schedule")
trace = module("trace")


def recorded(operations: list[tuple[int, str, int, int]]) -> Any:
    recording = trace.Recording(Path("made-up.trace"))
    for thread, letter, block, size in operations:
        recording.threads.append(thread)
        recording.kinds.append(trace.LETTERS.index(letter))
        recording.blocks.append(block)
        recording.sizes.append(size)
        recording.alignments.append(0)
        recording.block_count = max(recording.block_count, block + 1)
    return recording


@st.composite
def operations(draw: st.DrawFn) -> list[tuple[int, str, int, int]]:
    """Any valid recording of up to four threads."""
    made: list[tuple[int, str, int, int]] = []
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


@settings(max_examples=60, deadline=None)
@given(made=operations())
def test_every_operation_is_in_one_lane_and_every_crossing_has_a_gate(made: list[tuple[int, str, int, int]]) -> None:
    plan = schedule.build(recorded(made), serial=False)
    assert sorted(place for lane in plan.lanes for place in lane.places) == list(range(len(made)))
    last: dict[int, int] = {}
    crossings = []
    for place, (thread, _, block, _) in enumerate(made):
        if block in last and made[last[block]][0] != thread:
            crossings.append((last[block], place))
        last[block] = place
    opened, awaited = {}, {}
    for lane in plan.lanes:
        opens, waits = iter(lane.opens), iter(lane.waits)
        for action, place in zip(lane.actions, lane.places, strict=True):
            if action & schedule.WAITS:
                awaited[next(waits)] = place
            if action & schedule.OPENS:
                opened[next(opens)] = place
        assert not [*opens, *waits]
    assert sorted((opened[gate], awaited[gate]) for gate in range(plan.gates)) == sorted(crossings)


@settings(max_examples=40, deadline=None)
@given(made=operations(), serial=st.booleans())
def test_each_block_is_operated_on_in_the_order_of_the_file(
    made: list[tuple[int, str, int, int]], *, serial: bool
) -> None:
    allocator = Logging()
    result = replay.replay(recorded(made), allocator, seed=1, serial=serial)
    assert result.clean, result.complaints()
    expected: dict[int, list[tuple[str, int]]] = {}
    for _, letter, block, size in made:
        if letter != "f":
            expected.setdefault(block, []).append((letter, size))
    assert sorted(allocator.histories) == sorted(expected.values())


def test_small_recording_by_hand(tmp_path: Path) -> None:
    plan = schedule.build(trace.read(write(tmp_path, SMALL)), serial=False)
    assert [len(lane.actions) for lane in plan.lanes] == [6, 5, 5]
    assert plan.gates == SMALL_CROSSINGS
    assert plan.remote_frees == SMALL_REMOTE_FREES


def test_serial_has_one_lane_and_no_gates(tmp_path: Path) -> None:
    plan = schedule.build(trace.read(write(tmp_path, SMALL)), serial=True)
    assert [len(lane.actions) for lane in plan.lanes] == [16]
    assert (plan.gates, plan.remote_frees) == (0, 0)


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
