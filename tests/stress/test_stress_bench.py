"""The benchmark's arithmetic: medians, ratios, verdicts, losses; how its rounds go; how figures are worded."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from _package import FOLDER, module

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

budget = module("bench.budget")
crew = module("bench.crew")
exchange = module("bench.exchange")
harness = module("bench.harness")
judge = module("bench.judge")
live_sets = module("bench.live_sets")
loops = module("bench.loops")
model = module("bench.model")
rows = module("bench.rows")
slots = module("bench.slots")
works = module("bench.works")
errors = module("errors")

COST, SPEED = model.Sense.COST, model.Sense.SPEED
Verdict = judge.Verdict


def entrant(name: str, figures: list[float], calls: list[str] | None = None) -> Any:
    """Returns its figures one after the other, and leaves its name in ``calls``."""

    @contextmanager
    def opened() -> Iterator[Callable[[], float]]:
        coming = iter(figures)

        def measure() -> float:
            if calls is not None:
                calls.append(name)
            return next(coming)

        yield measure

    return model.Entrant(name, "", opened)


def absent(name: str) -> Any:
    def opened() -> Any:
        raise errors.UnavailableError("not installed")

    return model.Entrant(name, "", opened)


def run(case: Any, rounds: int = 3) -> Any:
    return harness.run(case, budget.Budget(rounds=rounds), lambda _done: None)


def judged(comparison: Any, *, gil: bool = True, **rounds: list[float]) -> Any:
    return judge.judge(comparison, rounds, gil=gil)


def test_the_ratio_is_the_median_of_the_rounds_ratios() -> None:
    """Not the ratio of the medians: that would be 3 / 20."""
    verdict = judged(model.Comparison("ours", "other"), ours=[1, 3, 8], other=[10, 20, 20])
    assert (verdict.value, verdict.lowest, verdict.highest) == (0.15, 0.1, 0.4)
    verdict = judged(model.Comparison("ours", "other"), ours=[1, 30, 8], other=[1, 10, 80])
    assert verdict.value == 1.0


@pytest.mark.parametrize(
    ("sense", "ours", "target", "stretch", "expected"),
    [
        (COST, 0.9, 2, 1, Verdict.STRETCH),
        (COST, 1.0, 2, 1, Verdict.STRETCH),
        (COST, 1.5, 2, 1, Verdict.MET),
        (COST, 2.0, 2, None, Verdict.MET),
        (COST, 2.1, 2, 1, Verdict.MISSED),
        (COST, 9.0, None, None, Verdict.NONE),
        (SPEED, 0.5, 2, None, Verdict.MET),
        (SPEED, 0.2, 2, 4, Verdict.STRETCH),
        (SPEED, 0.4, 2, 4, Verdict.MET),
        (SPEED, 0.6, 2, None, Verdict.MISSED),
    ],
)
def test_verdicts(sense: Any, ours: float, target: float | None, stretch: float | None, expected: Any) -> None:
    comparison = model.Comparison("ours", "other", sense, target, stretch)
    assert judged(comparison, ours=[ours], other=[1.0]).verdict is expected


def test_a_figure_is_judged_by_itself_where_nothing_is_beside_it() -> None:
    comparison = model.Comparison("ours", target=300)
    assert judged(comparison, ours=[299.0]).verdict is Verdict.MET
    worse = judged(comparison, ours=[301.0])
    assert (worse.verdict, worse.value, worse.loss) == (Verdict.MISSED, 301.0, False)


@pytest.mark.parametrize("sense", [COST, SPEED])
def test_whoever_is_dearer_than_a_rival_has_lost(sense: Any) -> None:
    comparison = model.Comparison("ours", "other", sense)
    assert judged(comparison, ours=[3.0], other=[2.0]).loss
    assert not judged(comparison, ours=[2.0], other=[3.0]).loss
    assert not judged(model.Comparison("ours", "other", sense, rival=False), ours=[3.0], other=[2.0]).loss


def test_a_met_target_hides_no_loss() -> None:
    verdict = judged(model.Comparison("ours", "other", target=4), ours=[3.0], other=[1.0])
    assert (verdict.verdict, verdict.loss) == (Verdict.MET, True)


def test_targets_for_no_gil_are_judged_without_it_only() -> None:
    comparison = model.Comparison("ours", "other", SPEED, target=1.7, without_gil_only=True)
    assert judged(comparison, gil=True, ours=[1.0], other=[1.0]).verdict is Verdict.NOT_JUDGED
    assert judged(comparison, gil=False, ours=[1.0], other=[1.0]).verdict is Verdict.MISSED
    assert judged(comparison, gil=False, ours=[1.0], other=[1.7]).verdict is Verdict.MET


def test_nothing_is_judged_beside_a_peer_that_is_not_there() -> None:
    verdict = judged(model.Comparison("ours", "other", target=1), ours=[1.0], other=[])
    assert (verdict.verdict, verdict.value, verdict.loss) == (Verdict.NOT_MEASURED, None, False)
    assert judged(model.Comparison("ours", "other"), ours=[1.0], other=[]).verdict is Verdict.NONE


def test_entrants_take_turns_and_the_first_does_not_count() -> None:
    calls: list[str] = []
    first = entrant("first", [99.0, 1.0, 5.0, 2.0], calls)
    second = entrant("second", [99.0, 4.0, 4.0, 4.0], calls)
    result = run(model.Case("", [first, second], [model.Comparison("first", "second")]))
    for turn in range(4):
        assert {*calls[2 * turn : 2 * turn + 2]} == {"first", "second"}
    assert [outcome.rounds for outcome in result.outcomes] == [[1.0, 5.0, 2.0], [4.0, 4.0, 4.0]]
    assert [outcome.median for outcome in result.outcomes] == [2.0, 4.0]
    assert result.judgements[0].value == 0.5


def test_what_comes_out_the_same_is_measured_once() -> None:
    (outcome,) = run(model.Case("", [entrant("only", [7.0])], exact=True)).outcomes
    assert outcome.rounds == [7.0]


def test_progress_ends_at_what_was_announced() -> None:
    told: list[int] = []
    case = model.Case("", [entrant("only", [1.0] * 4)])
    harness.run(case, budget.Budget(rounds=3), told.append)
    assert told == [1, 2, 3, 1 + harness.rounds(case, budget.Budget(rounds=3))]


def test_a_peer_that_is_missing_is_shown() -> None:
    case = model.Case("case", [entrant("ours", [1.0] * 4), absent("other")], [model.Comparison("ours", "other")])
    result = module("bench.results").WorkResult(works.WORKS["pair"], [run(case)])
    assert rows.of_work(result) == [
        ("case", "ours", "1.00 ns", "", "", "", "", ""),
        ("case", "other", "not installed", "", "", "", "", ""),
    ]


def test_every_comparison_has_a_row_with_target_and_verdict() -> None:
    case = model.Case(
        "case",
        [entrant("ours", [2500.0] * 4), entrant("other", [1000.0] * 4), entrant("alone", [3e6] * 4)],
        [model.Comparison("ours", "other", target=2, stretch=1.5), model.Comparison("ours", target=3000)],
    )
    result = module("bench.results").WorkResult(works.WORKS["pair"], [run(case)])
    assert rows.of_work(result) == [
        ("case", "ours", "2.50 µs", "other", "1.00 µs", "2.50× cost (2.50–2.50)", "≤ 2× (1.5×)", "missed, loss"),
        ("case", "ours", "2.50 µs", "", "", "", "≤ 3.00 µs", "met"),
        ("case", "alone", "3.00 ms", "", "", "", "", ""),
    ]


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (0.0456, "ns", "0.046 ns"),
        (45.64, "ns", "45.6 ns"),
        (999.0, "ns", "999 ns"),
        (1234.0, "ns", "1.23 µs"),
        (2.5e9, "ns", "2.50 s"),
        (1046.2, "bytes", "1,046 bytes"),
        (None, "ns", ""),
    ],
)
def test_figures_have_three_digits(value: float | None, unit: str, expected: str) -> None:
    assert rows.figure(value, unit) == expected


def test_a_statement_runs_as_often_as_asked_and_the_collector_stays_on() -> None:
    import gc

    seen: list[bool] = []
    loop = loops.statement("note(enabled())", {"note": seen.append, "enabled": gc.isenabled})
    assert loop(5) > 0
    assert seen == [True] * 5


def test_a_turn_is_as_long_as_the_budget_says() -> None:
    asked: list[int] = []

    def loop(count: int) -> float:
        asked.append(count)
        return 100.0 * count  # nanoseconds

    measure = loops.per_operation(loop, 1e-3)
    assert measure() == measure() == 100.0
    assert asked[-2:] == [10_000, 10_000]


def test_a_crew_keeps_its_threads() -> None:
    import threading

    with crew.Crew(2) as threads:
        first = threads.each(lambda number: (number, threading.get_ident()))
        again: list[int] = []
        assert threads.together([lambda: again.append(threading.get_ident())] * 2) >= 0
        assert [number for number, _ in first] == [0, 1]
        assert {ident for _, ident in first} == {*again}
        assert threads.call(1, threading.get_ident) == first[1][1]
        with pytest.raises(ZeroDivisionError):
            threads.together([lambda: 1 // 0, lambda: None])


@pytest.mark.parametrize("threads", [1, 2])
def test_what_is_exchanged_is_ended_once_and_by_the_other(threads: int) -> None:
    from collections import deque
    from functools import partial

    boxes: list[deque[Any]] = [deque() for _ in range(threads)]
    ended: list[list[int]] = [[] for _ in range(threads)]

    def part(number: int) -> Callable[[], None]:
        make, end = (lambda _size: number), ended[number].append
        return partial(exchange.exchange, make, end, boxes[(number + 1) % threads], boxes[number], 3)

    with crew.Crew(threads) as both:
        both.together([part(number) for number in range(threads)])
    assert ended == [[(number + 1) % threads] * 3 * exchange.BATCH for number in range(threads)]


def test_an_exchange_with_nobody_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    from collections import deque

    monkeypatch.setattr(exchange, "_PATIENCE_SECONDS", 0.0)
    with pytest.raises(errors.StalledError):
        exchange.exchange(float, callable, deque(), deque(), 1)


def test_live_sets_are_the_same_for_everybody() -> None:
    def build() -> tuple[list[int], list[int]]:
        asked: list[int] = []
        released: list[int] = []

        def allocate(size: int) -> int:
            asked.append(size)
            return len(asked)

        alive = live_sets.build(allocate, released.append, 20, replaced=3)
        assert sorted(alive + released) == list(range(1, 81))
        assert len(alive) == 20
        return asked, released

    assert build() == build()


def test_a_slot_is_emptied_before_it_is_filled_again() -> None:
    numpy = pytest.importorskip("numpy")
    held: set[int] = set()
    most: list[int] = []

    def make(size: int) -> tuple[Any, Callable[[], object]]:
        number = len(most)
        held.add(number)
        most.append(len(held))
        return numpy.zeros(size, numpy.uint8), lambda: held.remove(number)

    buffers = slots.Slots(make)
    buffers.fill(iter(range(10, 100)), 3 * slots.SLOTS)
    assert max(most) == slots.SLOTS
    assert len(most) == 3 * slots.SLOTS
    buffers.clear()
    buffers.clear()
    assert not held


def test_works_are_registered_by_name_and_their_names_are_unique_in_a_case() -> None:
    modules = {path.stem for path in (FOLDER / "bench" / "works").glob("*.py")} - {"__init__"}
    assert modules == works.WORKS.keys()
    for work in works.WORKS.values():
        for case in work.cases(budget.Budget()):
            names = [entrant.name for entrant in case.entrants]
            assert len({*names}) == len(names)
            for comparison in case.comparisons:
                assert {comparison.ours, comparison.other or comparison.ours} <= {*names}
