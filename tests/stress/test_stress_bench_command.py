"""The command ``bench``: what it measures, writes and refuses. No figure is judged: a benchmark is no timed test."""

from __future__ import annotations

import json
import re
import shlex
import sys
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from _package import module

if TYPE_CHECKING:
    from pathlib import Path

budget = module("bench.budget")
cli = module("cli")
works = module("bench.works")

TINY = budget.Budget(
    rounds=2, turn_seconds=1e-4, few_live=10, many_live=40, growth=(10, 20), buffer_mib=(1,), memory_blocks=(50,)
)


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """A budget that takes no time, and a machine without the packages that take seconds to import."""
    monkeypatch.setattr(budget, "QUICK", TINY)
    for package in ("torch", "pyarrow"):
        monkeypatch.setitem(sys.modules, package, None)


def bench(*words: str | Path) -> int:
    return int(cli.main(["bench", "--quick", *map(str, words)]))


def measured(path: Path) -> dict[str, Any]:
    return {work["name"]: work for work in json.loads(path.read_text("utf-8"))["works"]}


@pytest.mark.parametrize("name", list(works.WORKS))
def test_each_work_runs_and_writes(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if name == "buffers":
        pytest.importorskip("numpy")
    assert bench(name, "--json", tmp_path / "run.json", "--markdown", tmp_path / "run.md") == 0
    lines = capsys.readouterr().out.splitlines()
    assert shlex.split(lines[0])[-3:] == ["bench", name, "--quick"]
    assert re.fullmatch(r"\d+ targets met .* \d+ missed, \d+ not judged, \d+ losses", lines[-1])
    work = measured(tmp_path / "run.json")[name]
    page = (tmp_path / "run.md").read_text("utf-8")
    assert f"### {works.WORKS[name].title}\n" in page
    for case in work["cases"]:
        for entrant in case["entrants"]:
            assert entrant["name"] in page
            if entrant["missing"] is None:
                assert len(entrant["rounds"]) == (1 if name == "memory" else TINY.rounds)
                assert min(entrant["rounds"]) > 0
        assert [comparison for comparison in case["comparisons"] if comparison["value"] is not None]


def test_the_document_tells_machine_command_and_versions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, page = tmp_path / "run.json", tmp_path / "run.md"
    assert bench("view", "--rounds=3", "--json", path, "--markdown", page) == 0
    out = capsys.readouterr().out
    document = json.loads(path.read_text("utf-8"))
    assert document["command"].endswith("bench view --quick --rounds=3")
    assert out.splitlines()[0] == document["command"]
    assert document["machine"].keys() >= {"CPU", "system", "Python", "GIL", "arenas", "numpy", "torch"}
    assert document["budget"]["rounds"] == 3
    for text in (out, page.read_text("utf-8")):
        assert all(value in text for value in document["machine"].values())
    assert document["command"] in page.read_text("utf-8")


def test_peers_that_are_missing_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "run.json"
    assert bench("pair", "--json", path) == 0
    (case,) = measured(path)["pair"]["cases"]
    missing = {entrant["name"]: entrant["missing"] for entrant in case["entrants"] if entrant["missing"]}
    assert missing.items() >= {("torch", "not installed"), ("pyarrow", "not installed")}
    table = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line for line in table if line[3:] == ["not", "installed"] and line[2] in missing]


def test_without_numpy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    path = tmp_path / "run.json"
    assert bench("buffers", "pair", "--json", path) == 0
    run = measured(path)
    assert {entrant["missing"] for case in run["buffers"]["cases"] for entrant in case["entrants"]} == {"not installed"}
    (case,) = run["pair"]["cases"]
    beside_numpy = [each for each in case["comparisons"] if each["other"] == "np.empty"]
    assert {each["verdict"] for each in beside_numpy} == {"not measured"}


def test_too_little_shared_memory_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numpy")
    monkeypatch.setattr(module("bench.slots"), "_SHARED_MEMORY", tmp_path / "none")
    assert bench("buffers", "--json", tmp_path / "run.json") == 0
    for case in measured(tmp_path / "run.json")["buffers"]["cases"]:
        (shared,) = [entrant for entrant in case["entrants"] if entrant["name"] == "SharedMemory"]
        assert shared["missing"].startswith("too little room")


def test_a_second_run_is_added_to_the_page(tmp_path: Path) -> None:
    page = tmp_path / "run.md"
    page.write_text("old", "utf-8")
    assert bench("view", "--markdown", page) == 0
    once = page.read_text("utf-8")
    assert "old" not in once
    assert bench("view", "--markdown", page, "--append") == 0
    twice = page.read_text("utf-8")
    assert twice.startswith(once)
    assert twice.count("# Benchmarks\n") == 1
    assert twice.count("\n## ") == 2 * once.count("\n## ") == 2


def test_the_plot_is_drawn_and_the_page_shows_it(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    (tmp_path / "docs").mkdir()
    svg, page = tmp_path / "docs" / "growth.svg", tmp_path / "run.md"
    assert bench("growth", "view", "--svg", svg, "--markdown", page) == 0
    assert "](docs/growth.svg)" in page.read_text("utf-8")
    assert page.read_text("utf-8").count("![") == 1
    texts = [element.text for element in ET.parse(svg).iter() if element.tag.endswith("text")]
    assert {"live blocks", "heap, placed", "heap, from the cache", "multiprocessing.heap"} <= {*texts}


def test_the_same_figures_give_the_same_plot(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    harness, model, plot = module("bench.harness"), module("bench.model"), module("bench.plot")
    entrant = model.Entrant("heap", "", None)
    cases = [
        harness.CaseResult(model.Case("", [], scale=scale), [harness.Outcome(entrant, [figure])], [])
        for scale, figure in ((100, 900.0), (1_000, 1_100.0))
    ]
    for name in ("first.svg", "second.svg"):
        plot.draw(tmp_path / name, cases, "title")
    assert (tmp_path / "first.svg").read_bytes() == (tmp_path / "second.svg").read_bytes()
    assert plot.series(cases) == {"heap": [(100, 0.9), (1_000, 1.1)]}


def test_everything_is_measured_where_nothing_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module("commands.bench"), "WORKS", {name: works.WORKS[name] for name in ("view", "remote")})
    assert bench() == 0
    headings = [line.partition(":")[0] for line in capsys.readouterr().out.splitlines() if ": " in line]
    assert [heading for heading in headings if heading in works.WORKS] == ["view", "remote"]


def test_full_goes_to_a_million() -> None:
    assert budget.FULL_GROWTH[-1] == 10**6
    assert len(works.WORKS["growth"].cases(budget.Budget(growth=budget.FULL_GROWTH))) == 5


@pytest.mark.parametrize(
    "argv",
    [["nonsense"], ["view", "nonsense"], ["--rounds=0"], ["--rounds=x"], ["--quick", "--full"]],
    ids=" ".join,
)
def test_usage_errors_end_with_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["bench", *argv])
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_what_cannot_be_written_is_refused_before_anything_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refused: list[tuple[list[str | Path], str]] = [
        (["view", "--json", tmp_path / "none" / "run.json"], "there is no folder"),
        (["view", "--svg", tmp_path / "run.svg"], "which is not among those named"),
    ]
    for words, message in refused:
        assert bench(*words) == 2
        captured = capsys.readouterr()
        assert message in captured.err
        assert captured.out == ""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert bench("growth", "--svg", tmp_path / "run.svg") == 2
    assert "needs matplotlib" in capsys.readouterr().err
