"""The monitor: a stall is noticed, memory over time is kept in few samples, and the map at the peak in few spans."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from _allocators import Sound
from _package import module

monitor_module = module("monitor")
protocol = module("allocators.protocol")
referee = module("referee")
results = module("results")
StalledError = module("errors").StalledError


class Clock:
    """Instead of the system's."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.worked = 0.0  # seconds of this thread's own
        monkeypatch.setattr(monitor_module.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(monitor_module.time, "thread_time", lambda: self.worked)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def monitored(allocator: Any) -> tuple[Any, Any, Any, list[tuple[float, int]]]:
    judge = referee.Referee(allocator, 1)
    result = results.Result(name="test", kind="workload")
    told: list[tuple[float, int]] = []
    watching = monitor_module.Monitor(judge, result, lambda seconds, done: told.append((seconds, done)))
    watching.begin()
    return judge, result, watching, told


def test_a_stall_is_noticed(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor_module.sys, "__stderr__", None)  # where it shows every thread's stack
    judge, _, watching, _ = monitored(Sound())
    client = judge.client()
    client.begin()
    clock.now += monitor_module.STALL_SECONDS
    client.allocate(10)
    watching.tick()  # one step since then
    clock.now += monitor_module.STALL_SECONDS
    watching.tick()
    clock.now += 1
    with pytest.raises(StalledError, match="nobody has come further for 120 s, 1 operations done"):
        watching.tick()


def test_it_tells_how_far_the_run_has_come(clock: Clock) -> None:
    judge, result, watching, told = monitored(Sound())
    client = judge.client()
    for _ in range(3):
        clock.now += 2
        client.allocate(10)
        watching.tick()
    watching.end()
    assert told == [(2, 1), (4, 2), (6, 3), (6, 3)]
    assert result.seconds == 6


def test_a_slow_allocator_is_asked_less_often(clock: Clock) -> None:
    class Slow(Sound):
        def measure(self) -> Any:
            clock.worked += 0.5
            return super().measure()

    _, _, watching, _ = monitored(Slow())
    watching.tick()
    assert watching.pause_seconds == pytest.approx(0.5 * monitor_module.SAMPLING_SHARE)


def test_peaks_are_the_highest_of_all_that_looked(clock: Clock) -> None:
    judge, result, watching, _ = monitored(Sound())
    client = judge.client()
    held = client.allocate(100_000)
    client.free(held)
    watching.tick()
    watching.sum_up()
    assert (result.peak_live_bytes, result.peak_committed_bytes) == (100_000, 100_000)
    assert (result.allocations, result.frees, result.operations) == (1, 1, 2)


def test_what_an_allocator_does_not_tell_stays_unknown(clock: Clock) -> None:
    class Silent(Sound):
        def measure(self) -> Any:
            return protocol.Memory()

    judge, result, watching, _ = monitored(Silent())
    judge.client().allocate(100)
    watching.tick()
    watching.sum_up()
    assert (result.peak_live_bytes, result.peak_committed_bytes, result.peak_reserved_bytes) == (100, None, None)
    assert result.timeline.as_dict()["committed_bytes"] is None


class Mapped(Sound):
    """Has a region, and says each time how often it was asked."""

    asked = 0

    def map(self) -> list[Any]:
        self.asked += 1
        return [protocol.MappedRegion(0, 0, self.asked, ((0, self.asked, "live"),))]


def test_the_map_is_of_the_peak(clock: Clock) -> None:
    allocator = Mapped()
    judge, result, watching, _ = monitored(allocator)
    client = judge.client()
    kept = []
    for size, maps in ((1000, 1), (20, 1), (2000, 2)):  # a little more is no new peak
        clock.now += 10
        kept.append(client.allocate(size))
        watching.tick()
        assert allocator.asked == maps
    assert (result.heap_map.live_bytes, result.heap_map.regions[0]["size"]) == (3020, 2)
    client.free(kept.pop())
    watching.tick()
    assert allocator.asked == 2


def test_a_long_run_keeps_few_samples_all_over() -> None:
    timeline = results.Timeline()
    for number in range(5000):
        timeline.add(number, number * 10, number, protocol.Memory(committed_bytes=number * 2))
    columns = timeline.as_dict()
    seconds = columns["seconds"]
    assert 100 < len(seconds) < 500
    assert {len(column) for column in columns.values() if column is not None} == {len(seconds)}
    assert seconds[0] < 50
    assert seconds[-1] > 4900
    steps = {after - before for before, after in itertools.pairwise(seconds)}
    assert len(steps) == 1  # evenly
    assert columns["live_bytes"] == [second * 10 for second in seconds]
    assert columns["parked_bytes"] is None


@pytest.mark.parametrize("count", [1, 3999, 4001, 50_000])
def test_a_map_of_very_many_spans_is_made_coarser_and_tiles_as_before(count: int) -> None:
    spans = tuple((offset * 8, 8, "free" if offset % 7 == 0 else "live") for offset in range(count))
    regions = [
        protocol.MappedRegion(0, 0, count * 8, spans),
        protocol.MappedRegion(1, 1 << 40, 64, ((1 << 40, 64, "free"),)),
    ]
    kept = results.HeapMap.of(1.0, 5, regions)
    assert sum(len(region["spans"]) for region in kept.regions) <= 4002
    for before, after in zip(regions, kept.regions, strict=True):
        position = before.offset
        for offset, size, state in after["spans"]:
            assert offset == position
            assert state in {"live", "free"}
            position += size
        assert position == before.offset + before.size
    if count == 50_000:
        assert {state for _, _, state in kept.regions[0]["spans"]} == {"live"}  # of which there is most


def test_without_regions_there_is_no_map() -> None:
    assert results.HeapMap.of(1.0, 5, []) is None
