"""The page of results: it says what the file says, failures first, and refuses what is no results file by name."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest
from _package import module
from _results import (
    Json,
    benchmark,
    document,
    failed,
    failed_run,
    footprints,
    huge,
    interleaved,
    interleaved_well,
    realistic,
    run,
    small,
    write,
)

from arenas import reports

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

cli = module("cli")
reading = module("page.reading")
build = module("page.build")
names = module("page.names")
UsageError = module("errors").UsageError


def page(tmp_path: Path, *contents: Json) -> Any:
    paths = [write(tmp_path / f"results-{number}.json", content) for number, content in enumerate(contents)]
    return build.page([reading.read(path) for path in paths])


def titles(made: Any) -> list[str]:
    return [section.title for section in made.sections]


def part(made: Any, section: str, kind: type) -> Any:
    """The first part of a kind in a section."""
    (found,) = (each for each in made.sections if each.title == section)
    return next(each for each in found.parts if isinstance(each, kind))


def labels(*runs: Json, tmp_path: Path) -> list[str]:
    read = reading.read(write(tmp_path / "results.json", document(list(runs))))
    return [shown.label for shown in names.shown(read.runs)]


def test_the_verdict_names_allocators_runs_operations_and_threads(tmp_path: Path) -> None:
    runs = [run("larson", "blocks", operations=1000, threads=8), run("larson", "numpy", operations=234)]
    made = page(tmp_path, document(runs))
    assert (made.good, made.mark) == (True, "Clean")
    assert made.verdict.endswith("2 runs on blocks and numpy, 1,234 operations by up to 8 threads.")


def test_the_verdict_names_what_failed_and_the_complaints_come_first(tmp_path: Path) -> None:
    made = page(tmp_path, failed())
    assert (made.good, made.mark) == (False, "Failed")
    assert made.verdict == "1 of 5 runs failed: mstress on mypool:make."
    assert titles(made)[0] == "What failed"
    complaints = part(made, "What failed", reports.Code)
    for complaint in failed_run()["complaints"]:
        assert complaint in complaints.text


def test_faults_of_one_line_stand_above_tracebacks(tmp_path: Path) -> None:
    traceback, *faults = failed_run()["complaints"]
    made = page(tmp_path, document([failed_run()]))
    assert part(made, "What failed", reports.Code).text == "\n\n".join([*faults, traceback])


def test_what_failed_stands_right_below_the_figures(tmp_path: Path) -> None:
    """And how it was run below that, or first where nothing failed."""
    made = page(tmp_path, failed())
    assert [type(each) for each in made.lead] == [reports.Figures]
    assert titles(made)[:3] == ["What failed", "How it was run", "Throughput"]
    made = page(tmp_path, realistic())
    assert [type(each) for each in made.lead] == [reports.Figures]
    assert titles(made)[:2] == ["How it was run", "Throughput"]
    (origin, *_rest) = made.sections
    assert [each.title for each in origin.parts] == ["To repeat it", "Machine"]


def test_a_file_that_fails_without_a_run_is_quoted_beside_one_with_a_run(tmp_path: Path) -> None:
    vague = document([run()]) | {"clean": False, "verdict": "FAILED: the books are wrong"}
    made = page(tmp_path, failed(), vague)
    assert part(made, "What failed", reports.Text).text == "FAILED: the books are wrong"
    assert page(tmp_path, vague).sections[0].bad


def test_of_many_failures_a_few_are_named(tmp_path: Path) -> None:
    made = page(tmp_path, document([failed_run(name) for name in "abcdef"]))
    assert made.verdict.endswith("a on mypool:make, b on mypool:make, c on mypool:make and 3 more.")
    assert len(made.sections[0].parts) == 6


def test_a_file_that_is_not_clean_is_believed(tmp_path: Path) -> None:
    """Something may have failed that is no run."""
    made = page(tmp_path, document([run()]) | {"clean": False, "verdict": "FAILED: the books are wrong"})
    assert (made.good, made.verdict) == (False, "FAILED: the books are wrong")


def test_a_run_that_is_not_clean_is_believed(tmp_path: Path) -> None:
    """Whatever its file says of all of them."""
    made = page(tmp_path, document([run(), failed_run()]) | {"clean": True})
    assert not made.good
    assert made.mark == "Failed"
    assert "1 of 2 runs failed" in made.verdict


def test_sections_of_a_full_and_of_an_almost_empty_file(tmp_path: Path) -> None:
    expected = ["How it was run", "Throughput", "Memory", "Fragmentation", "All runs", "Run by run"]
    assert titles(page(tmp_path, realistic())) == expected
    assert titles(page(tmp_path, small())) == ["How it was run", "Throughput", "All runs", "Run by run"]
    assert titles(page(tmp_path, document([]) | {"command": "", "machine": {}})) == []


def test_every_run_can_be_reached_from_the_table(tmp_path: Path) -> None:
    text = reports.render(page(tmp_path, huge()))
    anchors = re.findall(r' id="([^"]+)"', text)
    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r'href="#([^"]+)"', text)) <= set(anchors)
    assert len([anchor for anchor in anchors if re.fullmatch(r"run-\d+", anchor)]) == 60


def test_throughput_is_grouped_by_workload(tmp_path: Path) -> None:
    runs = [run("larson", "blocks", operations=100, seconds=2.0), run("larson", "numpy"), run("rptest", "blocks")]
    bars = part(page(tmp_path, document(runs)), "Throughput", reports.Bars)
    assert [(group.title, len(group.bars)) for group in bars.groups] == [("larson", 2), ("rptest", 1)]
    first, second = bars.groups[0].bars
    assert (first.value, first.text, first.ours, second.ours) == (50, "50/s", True, False)


def test_a_failed_run_has_no_rate(tmp_path: Path) -> None:
    bars = part(page(tmp_path, document([run("mstress"), failed_run()])), "Throughput", reports.Bars)
    assert [(bar.value is None, bar.tone) for bar in bars.groups[0].bars] == [(False, ""), (True, "bad")]


def test_other_threads_or_another_scale_are_not_compared(tmp_path: Path) -> None:
    runs = [run(threads=1), run(threads=4), run(threads=4, scale=0.5)]
    bars = part(page(tmp_path, document(runs)), "Throughput", reports.Bars)
    assert [group.note for group in bars.groups] == ["1 thread", "4 threads", "4 threads, scale 0.5"]


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([run()], ["blocks"]),
        ([run(), run(placement="FirstFit")], ["blocks BestFit", "blocks FirstFit"]),
        ([run(), run(arenas="2"), run(allocator="numpy")], ["blocks arenas=thread", "blocks arenas=2", "numpy"]),
        ([run(), run(seed=2)], ["blocks, seed 1", "blocks, seed 2"]),
        ([run(), run()], ["blocks", "blocks #2"]),
    ],
)
def test_a_label_says_what_sets_a_run_apart(runs: list[Json], expected: list[str], tmp_path: Path) -> None:
    assert labels(*runs, tmp_path=tmp_path) == expected


def test_the_same_run_of_several_files_stands_side_by_side(tmp_path: Path) -> None:
    made = page(tmp_path, document([run()]), document([run()]))
    (group,) = part(made, "Throughput", reports.Bars).groups
    assert [bar.name for bar in group.bars] == ["blocks, results-0", "blocks, results-1"]


def test_commands_and_machines_of_several_files_are_put_together(tmp_path: Path) -> None:
    first, second = document([run()]), document([run()]) | {"command": "another", "machine": {"CPU": "big"}}
    made = page(tmp_path, first, first, second)
    command = part(made, "How it was run", reports.Code)
    assert command.text == f"{first['command']}\nanother"
    facts = part(made, "How it was run", reports.Facts)
    mine = first["machine"]["CPU"]
    assert facts.items[0] == ("CPU", f"{mine} (results-0.json, results-1.json); big (results-2.json)")
    facts = part(page(tmp_path, first, first), "How it was run", reports.Facts)
    assert dict(facts.items) == first["machine"]


def test_fragmentation_is_payload_by_memory(tmp_path: Path) -> None:
    measured: list[Json] = [
        {"name": "redis", "allocator": "arenas", "placement": "BestFit"}
        | {"payload_bytes": 90, "span_bytes": 120, "resident_bytes": 100},
        {"name": "redis", "allocator": "glibc", "payload_bytes": 90, "span_bytes": None, "resident_bytes": 180},
        {"name": "gcc", "allocator": "glibc", "payload_bytes": 0, "failure": "the child died"},
    ]
    made = page(tmp_path, document([], measured))
    (section,) = (each for each in made.sections if each.title == "Fragmentation")
    resident, span = (each for each in section.parts if isinstance(each, reports.Table))
    assert [heading.text for heading in resident.headings[2:]] == ["arenas BestFit", "glibc"]
    (row,) = resident.rows
    assert [(cell.share, cell.tone) for cell in row[2:]] == [(0.9, "best"), (0.5, "")]
    assert [cell.share for cell in span.rows[0][2:]] == [0.75]
    assert "the child died" in reports.render(made)


def test_means_are_over_what_all_columns_have(tmp_path: Path) -> None:
    measured = footprints()[:-1]  # the last recording lacks its last allocator
    table = part(page(tmp_path, document([], measured)), "Fragmentation", reports.Table)
    mean, worst = table.summary
    assert [mean[1].text, worst[1].text] == ["7 of 8", "7 of 8"]
    best = [row[2].share for row in table.rows[:7]]
    assert mean[2].share == pytest.approx(sum(best) / 7)
    assert worst[2].share == min(best)


def test_series_that_stayed_at_nothing_are_said_not_drawn(tmp_path: Path) -> None:
    timeline = {"seconds": [1, 2], "live_bytes": [3, 4], "parked_bytes": [0, 0], "cached_bytes": None}
    details = part(page(tmp_path, document([run(timeline=timeline)])), "Memory", reports.Details)
    lines = next(each for each in details.parts if isinstance(each, reports.Lines))
    text = next(each for each in details.parts if isinstance(each, reports.Text))
    assert [series.name for series in lines.series] == ["live"]
    assert text.text == "Nothing was ever parked."


def test_a_heap_map_counts_from_the_start_of_each_region(tmp_path: Path) -> None:
    regions = [{"arena": 3, "offset": 1000, "size": 50, "spans": [[1000, 20, "live"], [1020, 30, "free"]]}]
    details = part(page(tmp_path, document([run(heap_map={"regions": regions})])), "Memory", reports.Details)
    (shown,) = (each for each in details.parts if isinstance(each, reports.HeapMap))
    assert shown.regions == [reports.Region(3, 50, [(0, 20, "live"), (20, 30, "free")])]


def test_unknown_keys_are_passed_over_and_optional_ones_may_be_missing(tmp_path: Path) -> None:
    bare = {"name": "x", "allocator": "y", "threads": 1, "operations": 0, "seconds": 0, "clean": True, "new": [1]}
    made = page(tmp_path, {"format": "arenas-stress-results", "version": 1, "clean": True, "runs": [bare], "new": 1})
    assert "1 run on y, 0 operations by 1 thread" in made.verdict
    assert reports.render(made)


def test_a_benchmark_is_shown(tmp_path: Path) -> None:
    made = page(tmp_path, benchmark())
    assert (made.mark, titles(made)) == ("Measured", ["How it was run", "Cost: pair"])
    assert made.lead == []
    (group,) = part(made, "Cost: pair", reports.Bars).groups
    assert [bar.text.split() for bar in group.bars] == [["612", "ns"], ["172", "ns"], ["not", "installed"]]
    (row,) = part(made, "Cost: pair", reports.Table).rows
    assert [cell.text for cell in row[2:]] == ["np.empty", "3.57×", "3.4–3.7", "at most 4", "met, loss"]
    expected = ["How it was run", "Throughput", "All runs", "Run by run", "Cost: pair"]
    assert titles(page(tmp_path, benchmark(), small())) == expected


def test_a_search_is_shown(tmp_path: Path) -> None:
    made = page(tmp_path, interleaved_well())
    assert (made.good, made.mark) == (True, "Clean")
    assert made.verdict == "No promise broken: 1 protocol, 1,500 schedules."
    assert titles(made) == ["How it was run", "Promises"]
    (row,) = part(made, "Promises", reports.Table).rows
    assert [cell.text for cell in row] == ["Trim", "holds", "1,500", "543", "The block stays its own."]
    assert part(made, "How it was run", reports.Code).text == interleaved()["command"]
    both = page(tmp_path, interleaved_well(), small())
    assert both.verdict.startswith("Every byte as it was written")
    assert both.verdict.endswith("1 thread. No promise broken: 1 protocol, 1,500 schedules.")


def test_a_broken_promise_comes_first_with_all_that_is_known_of_it(tmp_path: Path) -> None:
    made = page(tmp_path, small(), interleaved())
    assert (made.good, made.mark) == (False, "Failed")
    assert made.verdict == "1 of 2 promises broken: mine:Tickets."
    assert titles(made)[0] == "What failed"
    assert made.sections[0].bad
    complaint, replay = made.sections[0].parts
    broken = interleaved()["protocols"][1]["broken"]
    assert "mine:Tickets" in complaint.title
    assert "A3 B" in complaint.title
    assert complaint.text == f"{broken['stops'][0]}\n\n{broken['error']}"
    assert replay.text == broken["replay"]
    assert [row[1].text for row in part(made, "Promises", reports.Table).rows] == ["holds", "broken"]
    assert page(tmp_path, failed(), interleaved()).verdict == (
        "1 of 5 runs failed: mstress on mypool:make. 1 of 2 promises broken: mine:Tickets."
    )


@pytest.mark.parametrize("protocol", [{"clean": False}, {"broken": {"schedule": "A1", "error": "late"}}])
def test_a_promise_that_did_not_hold_is_believed(protocol: Json, tmp_path: Path) -> None:
    """Whatever its file says of all of them, and however little of it."""
    searched = {"name": "Trim", "schedules": 1, "clean": True, "new": 1} | protocol
    made = page(tmp_path, interleaved_well() | {"protocols": [searched], "new": [1]})
    assert (made.good, made.verdict) == (False, "1 of 1 promise broken: Trim.")
    assert part(made, "What failed", reports.Code)
    assert reports.render(made)


def test_a_search_that_is_not_clean_is_believed(tmp_path: Path) -> None:
    made = page(tmp_path, interleaved_well() | {"clean": False, "verdict": "FAILED: for once"})
    assert (made.good, made.verdict) == (False, "FAILED: for once")
    assert part(made, "What failed", reports.Text).text == "FAILED: for once"


EVIL = "<script>alert(1)</script>"


def test_markup_in_a_file_stays_text(tmp_path: Path) -> None:
    def poisoned(value: Any) -> Any:
        match value:
            case dict():
                return {key: poisoned(each) for key, each in value.items()}
            case list():
                return [poisoned(each) for each in value]
            case str():
                return value + EVIL
        return value

    content = failed() | {"footprints": footprints()}
    evil = poisoned(content) | {"format": content["format"]}
    searched = poisoned(interleaved()) | {"format": interleaved()["format"]}
    made = reports.render(page(tmp_path, evil | {"machine": {EVIL: EVIL}}, searched))
    assert EVIL not in made
    assert made.count("<script") == 1
    assert made.count("&lt;script&gt;") > 100


def changed(path: str, value: Any, of: Callable[[], Json] | None = None) -> Callable[[], str]:
    """A file in which one value is another."""

    def make() -> str:
        content = of() if of else document([run()], footprints()[:1])
        place: Any = content
        *way, last = [int(word) if word.isdecimal() else word for word in path.split(".")]
        for word in way:
            place = place[word]
        place[last] = value
        return json.dumps(content)

    return make


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("{]", ":1: the file is no JSON"),
        (json.dumps(small())[:-40], "was cut off"),
        ('{"runs": [1e999, NaN]}', "NaN is not a number"),
        ("[" * 100_000, "no JSON of ours"),
        ("7", "expected an object, found 7"),
        ("{}", "no results file"),
        ('{"recordings": []}', "no results file"),
        ('{"format": "something else"}', "no results file"),
        (changed("version", 2), "version 2"),
        (changed("clean", 1), "clean: expected true or false, found 1"),
        (changed("runs", 3), "runs: expected a list, found 3"),
        (changed("runs.0", None), "runs[0]: expected an object"),
        (changed("runs.0.name", None), "runs[0]: 'name' is missing"),
        (changed("runs.0.operations", -1), "runs[0].operations: expected a whole number"),
        (changed("runs.0.operations", 10**30), "runs[0].operations: expected a whole number"),
        (changed("runs.0.seconds", "fast"), "runs[0].seconds: expected a number"),
        (
            lambda: changed("runs.0.seconds", 0.125)().replace("0.125", "1e999"),
            "runs[0].seconds: expected a number from 0",
        ),
        (changed("runs.0.complaints", [7]), "runs[0].complaints[0]: expected a text"),
        (changed("runs.0.timeline.live_bytes", [1, 2]), "runs[0].timeline.live_bytes: 2 sizes for 80 moments"),
        (changed("runs.0.timeline.seconds", [2, 1]), "runs[0].timeline.seconds: expected moments in ascending order"),
        (
            changed("runs.0.heap_map.regions.1.spans.0.1", 1 << 40),
            "expected [offset, size, state] between its",
        ),
        (changed("runs.0.heap_map.regions.1.spans.0", [1]), "heap_map.regions[1].spans[0]: expected [offset"),
        (changed("footprints.0.payload_bytes", None), "footprints[0]: expected 'payload_bytes' or a failure"),
        (changed("machine", "fast"), "machine: expected an object"),
        (changed("version", 2, interleaved), "version 2"),
        (changed("clean", "yes", interleaved), "clean: expected true or false, found 'yes'"),
        (changed("protocols", None, interleaved), "'protocols' is missing"),
        (changed("protocols.0", 7, interleaved), "protocols[0]: expected an object, found 7"),
        (changed("protocols.0.schedules", "all", interleaved), "protocols[0].schedules: expected a whole number"),
        (changed("protocols.0.promise", 7, interleaved), "protocols[0].promise: expected a text"),
        (changed("protocols.1.broken", "yes", interleaved), "protocols[1].broken: expected an object"),
        (changed("protocols.1.broken.error", None, interleaved), "protocols[1].broken: 'error' is missing"),
        (changed("protocols.1.broken.stops", [1], interleaved), "protocols[1].broken.stops[0]: expected a text"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "changed",
)
def test_what_is_no_results_file_is_refused_by_name(
    text: str | Callable[[], str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "results.json"
    path.write_text(text if isinstance(text, str) else text(), "utf-8")
    assert cli.main(["report", str(path)]) == 2
    message = capsys.readouterr().err
    assert str(path) in message
    assert told in message
    assert not path.with_suffix(".html").exists()


def test_what_is_no_text_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_bytes(b"\x1f\x8b\x08")
    with pytest.raises(UsageError, match="byte 1 is not UTF-8"):
        reading.read(path)
    with pytest.raises(UsageError, match="No such file"):
        reading.read(tmp_path / "none.json")


def test_the_command_writes_beside_the_file_and_says_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "results.json", small())
    assert cli.main(["report", str(path)]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'results.html'}\n"
    other = tmp_path / "other.html"
    assert cli.main(["report", str(path), "-o", str(other)]) == 0
    assert other.read_text("utf-8") == (tmp_path / "results.html").read_text("utf-8")


@pytest.mark.parametrize("output", ["results.json", "no/such/folder.html"])
def test_the_command_refuses_where_it_cannot_write(
    output: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "results.json", small())
    before = path.read_bytes()
    assert cli.main(["report", str(path), "-o", str(tmp_path / output)]) == 2
    assert str(tmp_path / output) in capsys.readouterr().err
    assert path.read_bytes() == before


def test_the_command_names_the_missing_extra(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert cli.main(["report", str(write(tmp_path / "results.json", small()))]) == 2
    assert 'pip install "arenas[report]"' in capsys.readouterr().err
