"""The command: where it finds recordings, what it prints, how it ends; and a real heap under the packaged recording."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from _allocators import Sound
from _package import FOLDER, NAME, module
from _traces import HEADER, SMALL, write

cli = module("cli")
recordings = module("recordings")

PACKAGED = FOLDER / "traces" / "lld_link.trace.gz"


@pytest.fixture(autouse=True)
def _no_folder_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(recordings.VARIABLE, raising=False)


def sound(_choice: Any) -> Sound:
    return Sound()


@pytest.mark.parametrize(
    "options",
    [
        ["--arenas=thread"],
        ["--arenas=cpu"],
        ["--arenas=1"],
        ["--arenas=3"],
        ["--serial"],
        ["--allocator=blocks"],
        ["--allocator=blocks", "--arenas=2"],
    ],
    ids=" ".join,
)
def test_packaged_recording_replays_clean(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "results.json"
    status = cli.main(["replay", str(PACKAGED), f"--json={output}", *options])
    assert (status, capsys.readouterr().out.splitlines()[-1].partition(":")[0]) == (0, "clean")
    (row,) = json.loads(output.read_text())["runs"]
    assert row["operations"] == row["total_operations"] == 23_500
    assert row["clean"]
    assert row["complaints"] == []
    assert row["threads"] == (1 if "--serial" in options else 4)
    assert row["remote_frees"] == (0 if "--serial" in options else 2_795)
    assert row["leaked_blocks"] == 0


def test_quick_run_of_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(recordings.VARIABLE, str(tmp_path))
    monkeypatch.setattr(module("commands.quick"), "BUDGET", 10)
    monkeypatch.setattr(module("commands.quick"), "WORKLOADS", {})
    write(tmp_path, SMALL, "first.trace", HEADER + "# ops: 16\n")
    write(tmp_path, "3 a 0 8\n3 f 0\n", "second.trace.gz")
    assert cli.main(["--seed=12"], open_allocator=sound) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "--seed=12" in lines[0]
    assert lines[1] == f"recordings: 2 from {tmp_path}"
    assert [line for line in lines if "first" in line and "10 of 16" in line]
    assert lines[-1].startswith("clean: 2 runs, 12 operations")
    assert cli.main(["quick", "--full"], open_allocator=sound) == 0
    assert "18 operations" in capsys.readouterr().out.splitlines()[-1]


def test_the_first_line_repeats_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, SMALL, "with space.trace")
    argv = ["replay", str(path), "--serial", "--allocator=blocks", "--arenas=2", "--limit-ops=9"]
    assert cli.main(argv, open_allocator=sound) == 0
    first = capsys.readouterr().out.splitlines()[0]
    words = shlex.split(first)
    assert cli.main(words[words.index("replay") :], open_allocator=sound) == 0
    assert capsys.readouterr().out.splitlines()[0] == first


def test_plain_table_without_rich(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "rich", None)
    monkeypatch.setitem(sys.modules, "rich.console", None)
    assert cli.main(["replay", str(write(tmp_path, SMALL))], open_allocator=sound) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].split()[:3] == ["run", "allocator", "operations"]
    assert lines[3].split()[:3] == ["small", "malloc", "16"]


def test_recordings_named_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(recordings.VARIABLE, "/nonexistent")
    path = write(tmp_path, SMALL)
    assert recordings.find([path, tmp_path]).paths == (path, path)


def test_without_any_folder_the_packaged_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordings, "_BESIDE_THE_CHECKOUT", Path("no", "such", "folder"))
    found = recordings.find()
    assert found.paths == (PACKAGED,)
    assert found.told == "the one that comes with the package"


def test_a_folder_beside_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout, beside = tmp_path / "checkout", tmp_path / "shared" / "traces"
    checkout.mkdir()
    beside.mkdir(parents=True)
    path = write(beside, SMALL)
    monkeypatch.setattr(recordings, "_PACKAGE", checkout / "stress")
    assert recordings.find().paths == ()  # no checkout without its pyproject.toml
    (checkout / "pyproject.toml").touch()
    assert recordings.find().paths == (path,)


@pytest.mark.parametrize(
    "argv",
    [
        ["nonsense"],
        ["replay", "--arenas=none"],
        ["replay", "--arenas=0"],
        ["replay", "--limit-ops=-1"],
        ["replay", "--seed=x"],
        ["--limit-ops=5"],
    ],
    ids=" ".join,
)
def test_usage_errors_end_with_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(argv)
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_bad_inputs_end_with_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = write(tmp_path, "0 a 0 5\n0 f 1\n", "bad.trace")
    empty = tmp_path / "empty"
    empty.mkdir()
    good = write(tmp_path, SMALL)
    endless = write(tmp_path, "0 a 0 100000000000000000\n", "endless.trace")
    for argv, message in [
        (["replay", str(bad)], f"{bad}:3: block 1 was never allocated"),
        (["replay", str(tmp_path / "none.trace")], "there is no recording"),
        (["replay", str(empty)], "holds no recording"),
        (["replay", str(endless)], f"{endless}:2: a block of 100,000,000,000,000,000 bytes is longer"),
        (["replay", str(good), "--allocator=c"], "there is no allocator 'c'"),
        (["replay", str(good), "--placement=Worst"], "there is no placement 'Worst'"),
    ]:
        assert cli.main(argv, open_allocator=sound) == 2
        assert message in capsys.readouterr().err
    monkeypatch.setenv(recordings.VARIABLE, str(empty))
    assert cli.main([], open_allocator=sound) == 2


def test_nothing_run_is_not_clean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A command that could test nothing must not pass for one that found nothing."""
    monkeypatch.setitem(sys.modules, "numpy", None)
    assert cli.main(["run", "frames", "--seconds=0.01"], open_allocator=sound) == 2
    assert capsys.readouterr().out.splitlines()[-1] == "nothing was run: all that was asked for was left out"


def test_a_reader_who_has_seen_enough(capsys: pytest.CaptureFixture[str]) -> None:
    """As ``head`` has."""
    program = f"{sys.executable} -m {NAME} list"
    done = subprocess.run(
        ["bash", "-c", f"{program} | true; exit ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        check=False,
        cwd=FOLDER.parent,
    )
    assert done.stderr == ""
    assert done.returncode in {0, 141}  # 0: it was done before anybody could know


@pytest.mark.parametrize("command", ["quick", "run larson", "soak", "replay", "bench"])
@pytest.mark.parametrize(
    ("place", "said"), [("none/results.json", "there is no folder"), (".", "is a folder: results need a file")]
)
def test_results_that_cannot_be_written_are_no_work_for_nothing(
    command: str, place: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*command.split(), f"--json={tmp_path / place}"]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("words", ["--scale=1e300", "--scale=1001", "--threads=4097", "--threads=100000000000"])
def test_what_no_machine_has_is_no_allocator_s_failure(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["run", "larson", words])
    assert caught.value.code == 2
    assert "is not a number" in capsys.readouterr().err


def test_the_first_line_says_every_digit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "results.json"
    command = "run larson --seconds=0.0123456789 --scale=0.0123456789 --threads=1 --seed=3 --allocator=bytearray"
    assert cli.main([*command.split(), f"--json={output}"]) == 0
    assert set(command.split()) <= set(capsys.readouterr().out.splitlines()[0].split())
    assert json.loads(output.read_text())["runs"][0]["scale"] == 0.0123456789


def test_nothing_is_run_twice_that_would_be_the_same(tmp_path: Path) -> None:
    output = tmp_path / "results.json"
    words = "run coalescing --seconds=0.01 --scale=0.001 --threads=1 --seed=3"
    asked = [f"--allocator={name}" for name in ("bytearray", "blocks", "bytearray")]
    placed = [f"--placement={name}" for name in ("BestFit", "arenas.placement:BestFit", "BestFit")]
    assert cli.main([*words.split(), *asked, *placed, f"--json={output}"]) == 0
    runs = json.loads(output.read_text())["runs"]
    assert [(run["allocator"], run["placement"]) for run in runs] == [
        ("bytearray", None),
        ("blocks", "BestFit"),
        ("blocks", "arenas.placement:BestFit"),
    ]


def test_interrupt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    class Interrupted(Sound):
        def measure(self) -> None:
            raise KeyboardInterrupt

    assert cli.main(["replay", str(write(tmp_path, ""))], open_allocator=lambda *_: Interrupted()) == 130
    assert "interrupted" in capsys.readouterr().err


def test_an_allocator_that_hangs_whoever_watches_it_has_failed(tmp_path: Path) -> None:
    """Main thread and all: what is left is to end the process, and to say where everybody is."""
    script = (
        f"import sys; from {NAME} import batch, cli; batch.HANG_SECONDS = 2; "
        "sys.exit(cli.main('run larson --seconds=0.1 --allocator=_pools:Hangs'.split()))"
    )
    places = os.pathsep.join((str(FOLDER.parent), str(Path(__file__).parent)))
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": places},
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "in committed_bytes" in done.stderr


def test_what_is_done_is_shown_when_interrupted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class Interrupted(Sound):
        def measure(self) -> None:
            raise KeyboardInterrupt

    made = iter((Sound(), Interrupted()))
    paths = [str(write(tmp_path, SMALL, name)) for name in ("first.trace", "second.trace")]
    argv = ["replay", *paths, "--no-footprints"]
    assert cli.main(argv, open_allocator=lambda _choice: next(made)) == 130
    printed = capsys.readouterr().out
    assert [line for line in printed.splitlines() if line.split()[:2] == ["first", "malloc"]]
    assert "clean:" not in printed


def test_as_a_program(tmp_path: Path) -> None:
    command = [sys.executable, "-m", NAME, "replay", str(write(tmp_path, SMALL))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=FOLDER.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert ("python -m stress" if NAME == "stress" else "arenas-stress") in done.stdout.splitlines()[0]
