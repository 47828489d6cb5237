"""Soaking: rounds are drawn from the seed, each repeats by itself, the first failure ends it, and growth is told."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

import pytest
from _allocators import FailsCheck, Sound
from _package import module

if TYPE_CHECKING:
    from pathlib import Path

cli = module("cli")
growth = module("growth")
registry = module("allocators.registry")
rounds = module("rounds")
soak = module("commands.soak")
workloads = module("workloads")
model = module("workloads.model")


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "SECONDS", (0.02,))
    monkeypatch.setattr(rounds, "SCALES", (0.01,))


def named(*names: str) -> list[Any]:
    return [model.Workload(name, "", "", lambda _stage: None) for name in names]


def test_every_workload_comes_once_before_one_comes_again_each_time_in_another_order() -> None:
    some = named(*"abcdef")
    order = [rounds.draw(number, 1, some, ["malloc"]).workload.name for number in range(60)]
    turns = ["".join(order[first : first + 6]) for first in range(0, 60, 6)]
    assert all(sorted(turn) == sorted("abcdef") for turn in turns)
    assert len(set(turns)) > 5


def test_a_round_is_drawn_from_the_seed_and_its_number() -> None:
    some, names = named("a", "b"), registry.names()
    drawn = [rounds.draw(number, 7, some, names) for number in range(50)]
    assert drawn == [rounds.draw(number, 7, some, names) for number in range(50)]
    assert drawn != [rounds.draw(number, 8, some, names) for number in range(50)]
    assert len({each.terms.seed for each in drawn}) == 50


def test_rounds_differ_in_everything() -> None:
    drawn = [rounds.draw(number, 3, named("a"), registry.names()) for number in range(400)]
    assert {each.choice.allocator for each in drawn} == set(registry.names())
    assert {each.terms.threads for each in drawn} == set(range(1, rounds.MOST_THREADS + 1))
    assert {each.choice.arenas for each in drawn} == {*rounds.ROUTINGS, *rounds.NUMBERS}
    troubled = [each.terms.mishaps for each in drawn]
    assert any(one.fail_nth for one in troubled)
    assert any(one.fail_rate for one in troubled)
    assert any(one.limit_bytes for one in troubled)
    assert any(one.die_rate for one in troubled)
    assert any(one.collect for one in troubled)
    assert any(not one.words() for one in troubled)


def test_every_round_can_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module("allocators.heaps"), "FILE_BYTES", 1 << 16)
    for number in range(150):
        each = rounds.draw(number, 3, named("a"), registry.names())
        assert each.choice.mishaps is each.terms.mishaps
        registry.require(each.choice)  # or a UsageError


def test_a_short_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "results.json"
    argv = ["soak", "--minutes=0.004", "--seed=5", "--workload=larson", "--allocator=malloc", "--allocator=numpy"]
    assert cli.main([*argv, f"--json={output}"]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert lines[0].endswith(shlex.join(argv))
    assert lines[1].split() == ["workload", "rounds", "operations", "refused", "seconds", "failed"]
    assert lines[-2].startswith("memory of this process between rounds: ")
    assert lines[-1].startswith("clean: ")
    runs = json.loads(output.read_text())["runs"]
    (row,) = [line.split() for line in lines if line.startswith("larson")]
    assert (int(row[1]), row[-1]) == (len(runs), "0")
    assert {run["allocator"] for run in runs} <= {"malloc", "numpy"}
    assert all(run["heap_map"] is None and not run["timeline"]["seconds"] for run in runs)


def test_it_takes_every_heap_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def draw(*drawn: Any) -> Any:
        asked.append(drawn)
        raise KeyboardInterrupt

    monkeypatch.setattr(soak, "draw", draw)
    assert cli.main(["soak", "--seed=5"]) == 130
    assert asked == [(0, 5, list(workloads.WORKLOADS.values()), registry.heaps())]


def one_after_the_other(*kinds: type[Sound]) -> Any:
    """Opens these allocators; then somebody presses Ctrl-C."""
    left = list(kinds)

    def open_allocator(_choice: Any) -> Any:
        if not left:
            raise KeyboardInterrupt
        return left.pop(0)()

    return open_allocator


def test_the_first_failure_ends_it_and_says_how_to_repeat_it(capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["soak", "--minutes=1", "--seed=5", "--workload=larson"]
    assert cli.main(argv, open_allocator=one_after_the_other(Sound, Sound, FailsCheck)) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].startswith("FAILED: 1 of 3 runs")
    assert any("check(): span 3 lies inside span 2" in line for line in lines)
    (again,) = [line.partition("again: ")[2] for line in lines if "again: " in line]
    words = shlex.split(again)
    third = rounds.draw(2, 5, [workloads.WORKLOADS["larson"]], registry.heaps())
    assert f"--seed={third.terms.seed}" in words
    assert f"--allocator={third.choice.allocator}" in words
    assert cli.main(words[words.index("run") :], open_allocator=lambda _choice: FailsCheck()) == 1
    assert capsys.readouterr().out.splitlines()[0] == again


def test_it_goes_on_if_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Until it is interrupted."""
    argv = ["soak", "--minutes=1", "--seed=5", "--keep-going", "--workload=larson"]
    assert cli.main(argv, open_allocator=one_after_the_other(FailsCheck, Sound, FailsCheck)) == 130
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("--keep-going")
    assert lines[-1].startswith("FAILED: 2 of 3 runs")


def test_interrupted_it_tells_what_it_has(capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["soak", "--minutes=1", "--workload=larson"]
    assert cli.main(argv, open_allocator=one_after_the_other(Sound)) == 130
    captured = capsys.readouterr()
    assert captured.out.splitlines()[-1].startswith("clean: 1 run, ")
    assert "interrupted" in captured.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--allocator=nosuch", "there is no allocator 'nosuch'"),
        ("--workload=nosuch", "there is no workload 'nosuch'"),
        ("--minutes=0", "is not a number above 0"),
    ],
)
def test_nonsense_is_refused(words: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        raise SystemExit(cli.main(["soak", words]))  # unless it was argparse that refused
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_growth_is_told_in_figures_once_it_is_warm(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = iter([10_000_000, 50_000_000, 50_000_000, 50_500_000, 51_000_000, 50_000_000, 52_000_000, 53_500_000])
    watched = growth.Growth()
    blocks = iter(range(10, 90, 10))
    monkeypatch.setattr(growth.gc, "collect", lambda: 0)
    monkeypatch.setattr(growth.sys, "getallocatedblocks", lambda: next(blocks))
    monkeypatch.setattr(growth.machine, "resident_bytes", lambda: next(sizes, None))
    for _ in range(9):
        watched.note()
    assert watched.told() == (
        "memory of this process between rounds: 50.0 MB in round 3, 50.0 MB in round 6, 53.5 MB in round 8; "
        "since it was warm +3.5 MB, of Python's own blocks +50 to 80"
    )
    assert growth.Growth().told() == "memory of this process: the system does not say"
