"""A recording is replayed as it is read: what it takes does not grow with its length."""

from __future__ import annotations

import functools
import gc
import json
import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from _allocators import Sound
from _package import NAME, module
from _traces import SMALL, write

if TYPE_CHECKING:
    from pathlib import Path

cli = module("cli")
errors = module("errors")
replay = module("replay")
trace = module("trace")

MEASURE = """\
import importlib, sys, pathlib, arenas

package, path = sys.argv[1:]
replay = importlib.import_module(f"{package}.replay")
trace = importlib.import_module(f"{package}.trace")
registry = importlib.import_module(f"{package}.allocators.registry")
protocol = importlib.import_module(f"{package}.allocators.protocol")

class Recording(trace.Trace):
    def batches(self, limit=None):
        return super().batches(limit, 2048)

opened = trace.open_trace(pathlib.Path(path))
opened = Recording(opened.path, opened.format, opened.headers)
result = replay.replay(opened, registry.open_allocator(protocol.Choice()), seed=1)
status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
assert result.clean, result.complaints()
print(result.operations, int(status["VmHWM"].split()[0]) << 10)
"""


def steady(path: Path, operations: int) -> None:
    """Three threads, a hundred blocks live, each freed by a thread that did not allocate it."""
    with trace.Writer(path, {}) as writer:
        for block in range(operations // 2):
            writer.add(block % 3, trace.ALLOCATE, block, 16 + block % 97)
            if block >= 100:
                writer.add((block + 1) % 3, trace.FREE, block - 100)
        for block in range(operations // 2 - 100, operations // 2):
            writer.add(0, trace.FREE, block)


def highest_bytes(path: Path) -> int:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(each for each in sys.path if each)}
    command = [sys.executable, "-c", MEASURE, NAME, str(path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout.split()[1])


def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    """Ten batches take no less than forty. A dict's entry for each dead block would show."""
    paths = tmp_path / "short.trace", tmp_path / "long.trace"
    steady(paths[0], 20_000)
    steady(paths[1], 80_000)
    short, long = (highest_bytes(path) for path in paths)
    assert long - short < 60_000 * 40


def test_a_thread_that_waits_holds_no_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten threads, each busy in a batch of its own and idle ever after: two batches are there at most, and the next."""

    class Last(Sound):
        def free(self, token: Any) -> None:
            super().free(token)
            if not counts:  # the recording's own; what is left is freed later
                gc.collect()
                counts.append(sum(isinstance(each, trace.Batch) for each in gc.get_objects()))

    lines = [f"{block // 64} a {block} 1\n" for block in range(639)]
    counts: list[int] = []
    monkeypatch.setattr(trace.Trace, "batches", functools.partialmethod(trace.Trace.batches, size=64))
    result = replay.replay(trace.open_trace(write(tmp_path, "".join(lines) + "9 f 638\n")), Last(), seed=1)
    assert result.clean, result.complaints()
    assert counts[0] <= 3


@pytest.mark.parametrize("words", [["--serial"], ["--limit-ops=3"], ["--arenas=2"]])
def test_the_first_line_repeats_the_replay(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Everything that was asked for is in it, and it says the same of itself."""
    words = ["--no-footprints", *words]
    assert cli.main(["replay", str(write(tmp_path, SMALL)), *words]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert set(words) <= set(shlex.split(first))
    again = shlex.split(first)
    assert cli.main(again[again.index("replay") :]) == 0
    assert capsys.readouterr().out.splitlines()[0] == first


def test_a_fault_far_into_a_recording_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is found while the threads are busy with what came before; they are let go."""
    good = "".join(f"{block % 3} a {block} 5\n{(block + 1) % 3} f {block}\n" for block in range(70_000))
    path = write(tmp_path, good + "1 f 3\n")
    assert cli.main(["replay", str(path), "--no-footprints"], open_allocator=lambda _choice: Sound()) == 2
    assert f"{path}:140002: block 3 was freed before" in capsys.readouterr().err


def test_a_fault_at_once_closes_the_allocator(tmp_path: Path) -> None:
    allocator = Sound()
    with pytest.raises(errors.TraceError):
        replay.replay(trace.open_trace(write(tmp_path, "0 f 1\n")), allocator, seed=1)
    assert allocator.closed


REP = "0\n11\n9\n0\nf -1\na 1 1\nr 6 10\na 7 100\nr 7 200\na 10 100\nr 10 0\na 10 64\nf 10\n"


def test_malloc_lab_recordings_are_replayed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "corners.rep"
    path.write_text(REP, newline="\r\n")
    output = tmp_path / "results.json"
    assert cli.main(["replay", str(path), f"--json={output}"]) == 0
    document = json.loads(output.read_text())
    (run,), (footprint,) = document["runs"], document["footprints"]
    assert (run["name"], run["kind"], run["operations"], run["total_operations"]) == ("corners", "recording", 8, 8)
    assert (run["allocations"], run["resizes"], run["frees"], run["left_live"]) == (5, 1, 2, 3)
    assert footprint["payload_bytes"] == 1 + 10 + 200 + 100


def test_what_was_tolerated_is_noted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "corners.rep"
    path.write_text(REP.replace("11", "12", 1))
    assert cli.main(["replay", str(path), "--no-footprints"]) == 0
    assert "the header declares 12 ids; the highest is 10" in capsys.readouterr().out


def test_every_placement_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, output = write(tmp_path, SMALL), tmp_path / "results.json"
    words = ["--placement=BestFit", "--placement=arenas:BestFit", "--native", f"--json={output}"]
    assert cli.main(["replay", str(path), *words]) == 0
    told = capsys.readouterr().out
    assert "--placement=BestFit --placement=arenas:BestFit" in told.splitlines()[0]
    assert "--native" in told.splitlines()[0]
    document = json.loads(output.read_text())
    assert [run["placement"] for run in document["runs"]] == ["BestFit", "arenas:BestFit"]
    measured = [(each["allocator"], each["placement"]) for each in document["footprints"]]
    natives = ["glibc", "jemalloc", "mimalloc", "tcmalloc"]
    assert measured == [("arenas", "BestFit"), ("arenas", "arenas:BestFit"), *((name, None) for name in natives)]
    assert document["footprints"][0]["payload_bytes"] == 70_424
    assert "arenas (arenas:BestFit)" in told


def test_a_limit_bounds_footprints_too(tmp_path: Path) -> None:
    path, output = write(tmp_path, SMALL), tmp_path / "results.json"
    assert cli.main(["replay", str(path), "--limit-ops=3", f"--json={output}"]) == 0
    document = json.loads(output.read_text())
    assert document["runs"][0]["operations"] == document["footprints"][0]["operations"] == 3
    assert document["footprints"][0]["payload_bytes"] == 140


def test_placements_that_are_none_end_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["replay", str(write(tmp_path, SMALL)), "--placement=BestFit", "--placement=Worst"]) == 2
    assert "there is no placement 'Worst'" in capsys.readouterr().err
