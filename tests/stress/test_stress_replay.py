"""Replaying: a sound allocator passes, and each way of being broken is caught."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import _allocators
import pytest
from _allocators import Sound
from _package import module
from _traces import SMALL, SMALL_CROSSINGS, SMALL_REMOTE_FREES, write

if TYPE_CHECKING:
    from pathlib import Path

cli = module("cli")
faults = module("faults")
monitor = module("monitor")
replay = module("replay")
trace = module("trace")


def run(tmp_path: Path, allocator: Any, operations: str = SMALL, *, serial: bool = False) -> Any:
    return replay.replay(trace.open_trace(write(tmp_path, operations)), allocator, seed=5, serial=serial)


def test_sound_allocator_in_threads(tmp_path: Path) -> None:
    allocator = Sound()
    result = run(tmp_path, allocator)
    assert result.clean, result.complaints()
    assert (result.operations, result.threads, result.crossings) == (16, 3, SMALL_CROSSINGS)
    assert result.remote_frees == SMALL_REMOTE_FREES
    assert result.left_live == 2
    assert result.peak_live_bytes >= 70_000
    assert result.peak_committed_bytes >= 70_000
    assert allocator.closed
    assert not allocator.live


def test_sound_allocator_serially(tmp_path: Path) -> None:
    result = run(tmp_path, Sound(), serial=True)
    assert result.clean, result.complaints()
    assert (result.threads, result.crossings, result.remote_frees) == (1, 0, 0)
    assert result.peak_live_bytes == 24 + 400 + 100 - 100 + 70_000


def test_recording_of_nothing(tmp_path: Path) -> None:
    result = run(tmp_path, Sound(), "")
    assert result.clean
    assert result.threads == 0


@pytest.mark.parametrize("serial", [False, True])
@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (_allocators.Overlapping, "it should be"),
        (_allocators.LosesAByte, "was resized from"),
        (_allocators.ShiftsOnResize, "was resized from"),
        (_allocators.DirtyZeroes, "was to be zeroed: from byte 39 on"),
        (_allocators.Forgetful, "2 blocks leaked"),
        (_allocators.Misaligned, "is not aligned to 16"),
        (_allocators.FailsCheck, "check(): span 3 lies inside span 2"),
        (_allocators.WrongBooks, "the parts sum to 3 bytes"),
        (_allocators.RaisesWhenMeasured, "the statistics are on fire"),
    ],
)
def test_broken_allocators_are_caught(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], broken: type[Sound], complaint: str, *, serial: bool
) -> None:
    path = write(tmp_path, SMALL)
    argv = ["replay", str(path), "--no-footprints", *(["--serial"] if serial else [])]
    status = cli.main(argv, open_allocator=lambda _choice: broken())
    printed = capsys.readouterr().out
    assert status == 1
    assert complaint in printed
    assert "FAILED: 1 of 1 run, " in printed
    assert printed.endswith(" operations: malloc in small\n")


def test_an_overlap_shows_as_a_broken_pattern_and_as_a_range(tmp_path: Path) -> None:
    result = run(tmp_path, _allocators.Overlapping(), "0 a 0 100\n0 a 1 100\n")
    assert result.faults == 2
    by_block = sorted(result.descriptions)
    assert "block 0 of 100 bytes" in by_block[0]
    assert "is about to be freed: from byte 16 on it should be" in by_block[0]
    assert "block 1 of 100 bytes" in by_block[1]
    assert "overlaps block 0" in by_block[1]


def test_overlaps_by_hand() -> None:
    assert faults.overlaps([(100, 10, 0), (110, 0, 1), (111, 5, 2), (116, 1, 3)]) == []
    assert len(faults.overlaps([(100, 11, 0), (110, 10, 1)])) == 1
    assert len(faults.overlaps([(100, 0, 0), (100, 0, 1)])) == 1  # blocks of no bytes have addresses of their own


def test_only_the_first_corruptions_are_described() -> None:
    found = faults.Faults()
    for number in range(faults.KEPT + 3):
        found.add(f"of block {number}")
    assert len(found) == faults.KEPT + 3
    assert found.descriptions() == [f"corruption: of block {number}" for number in range(faults.KEPT)]


def test_a_failing_thread_releases_the_others(tmp_path: Path) -> None:
    """Threads 1 and 2 wait for block 0, which thread 0 will never have."""
    result = run(tmp_path, _allocators.Raises(), "0 a 0 666\n1 r 0 10\n2 r 0 20\n1 f 0\n2 a 1 5\n0 f 1\n")
    assert not result.clean
    assert "in operation 1 of the recording (`0 a 0 666`)" in result.failure
    assert "MemoryError: no 666 bytes to be had" in result.failure
    assert not [thread for thread in threading.enumerate() if thread.name == "stress"]


def test_a_failure_costs_exit_status_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, "0 a 0 666\n1 f 0\n")
    assert cli.main(["replay", str(path), "--no-footprints"], open_allocator=lambda *_: _allocators.Raises()) == 1
    assert "no 666 bytes to be had" in capsys.readouterr().out


def test_a_deadlock_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor, "SAMPLE_SECONDS", 0.001)
    monkeypatch.setattr(monitor, "STALL_SECONDS", 0.002)
    allocator = _allocators.Blocks()
    result = run(tmp_path, allocator, "0 a 0 1\n1 f 0\n")
    allocator.go_on.set()
    for thread in threading.enumerate():
        if thread.name == "stress":
            thread.join()
    assert "0 operations done: a deadlock?" in result.failure


def test_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[float, int]] = []
    recording = trace.open_trace(write(tmp_path, SMALL))
    replay.replay(recording, Sound(), seed=5, watch=lambda *how_far: told.append(how_far))
    assert told == sorted(told)
    assert told[-1][1] == 16


def test_whoever_begins_to_wait_after_a_failure_is_let_go_as_well() -> None:
    """A replay enlists threads as it goes: one may come when all is over."""
    referee = module("referee").Referee(Sound(), seed=1)
    stage = module("stage").Stage(referee, None, threads=1, scale=1, seed=1, seconds=1)
    stage.abort()
    with pytest.raises(module("errors").AbandonedError):
        stage.channel().get()


def test_what_is_refused_is_part_of_a_replay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A block that was refused is neither resized nor freed; the others are as they should be."""
    path, output = write(tmp_path, SMALL), tmp_path / "results.json"
    argv = ["replay", str(path), "--limit=8192", "--no-footprints", f"--json={output}"]
    assert cli.main(argv) == 0
    assert "--limit=8192" in capsys.readouterr().out.splitlines()[0]
    (row,) = json.loads(output.read_text("utf-8"))["runs"]
    assert row["refused"] >= 1  # the one of 70,000 bytes
    assert row["allocations"] + row["refused"] >= 7
    assert row["clean"]
