"""Charts' geometry: marks are round and cover all, peaks survive thinning, labels do not meet, cells tell the truth."""

from __future__ import annotations

import itertools
import math

from hypothesis import example, given
from hypothesis import strategies as st

from arenas.reports.cells import MIXED, UNKNOWN, cell_bytes, cells, runs
from arenas.reports.labels import spread
from arenas.reports.thinning import thin
from arenas.reports.ticks import ticks

SIZES = st.floats(1e-6, 1e18)


@given(SIZES, st.integers(2, 12), st.booleans())
@example(0.3, 3, False)
@example(float(1 << 30), 5, True)
def test_ticks_cover_the_highest_value_and_no_more(highest: float, most: int, binary: bool) -> None:
    marks = ticks(highest, most, binary=binary)
    assert marks[0] == 0
    assert 2 <= len(marks) <= most + 1
    assert marks[-1] >= highest * (1 - 1e-9)
    assert len(marks) == 2 or marks[-2] < highest


@given(SIZES, st.integers(2, 12))
def test_decimal_steps_are_1_2_or_5_times_a_power_of_ten(highest: float, most: int) -> None:
    step = ticks(highest, most)[1]
    mantissa = step / 10 ** math.floor(math.log10(step) + 1e-9)
    assert min(abs(mantissa - nice) for nice in (1, 2, 5)) < 1e-6


@given(st.floats(1, 1e18), st.integers(2, 12))
def test_binary_steps_are_powers_of_two(highest: float, most: int) -> None:
    assert math.frexp(ticks(highest, most, binary=True)[1])[0] == 0.5


def test_an_axis_of_nothing_goes_to_one() -> None:
    assert ticks(0) == [0, 1]


POINTS = st.lists(st.tuples(st.floats(0, 1e6), st.floats(-1e9, 1e9)), min_size=1, max_size=400).map(sorted)


@given(POINTS, st.integers(1, 40))
def test_thinning_keeps_both_ends_and_every_peak(points: list[tuple[float, float]], columns: int) -> None:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    kept = thin(xs, ys, columns)
    assert kept == sorted(set(kept))
    assert (kept[0], kept[-1]) == (0, len(xs) - 1)
    assert {max(ys), min(ys)} <= {ys[index] for index in kept}
    assert len(kept) <= 4 * columns


def test_thinning_keeps_the_peak_of_each_column() -> None:
    ys = [0.0] * 1000
    ys[123] = ys[789] = 5.0
    kept = thin(range(1000), ys, 10)
    assert {123, 789} <= set(kept)
    assert len(kept) <= 40


@given(st.lists(st.floats(-50, 500), max_size=12), st.floats(1, 60))
def test_labels_keep_their_distance_and_stay_inside(wanted: list[float], gap: float) -> None:
    placed = spread(wanted, gap, 0, 400)
    assert all(-1e-9 <= place <= 400 + 1e-9 for place in placed)
    room = min(gap, 400 / max(1, len(wanted) - 1))
    ordered = sorted(placed)
    assert all(below - above >= room - 1e-9 for above, below in itertools.pairwise(ordered))
    by_wish = [place for _, place in sorted(zip(wanted, placed, strict=True))]
    assert by_wish == ordered


def test_labels_with_room_stand_where_their_lines_end() -> None:
    assert spread([300, 10, 120], 36, 0, 400) == [300, 10, 120]


SPANS = st.lists(st.tuples(st.integers(1, 300), st.sampled_from(["live", "free", "parked"])), min_size=1, max_size=40)


def laid_out(lengths: list[tuple[int, str]]) -> tuple[int, list[tuple[int, int, str]]]:
    """Spans that tile a region, and its size."""
    ends = list(itertools.accumulate(length for length, _ in lengths))
    return ends[-1], [(end - length, length, state) for end, (length, state) in zip(ends, lengths, strict=True)]


@given(SPANS, st.sampled_from([1, 2, 16, 64, 1024]))
def test_a_cell_shows_what_fills_more_than_half_of_it(lengths: list[tuple[int, str]], cell: int) -> None:
    size, spans = laid_out(lengths)
    held = [state for _, length, state in spans for _ in range(length)]  # byte by byte
    for index, shown in enumerate(cells(size, spans, cell)):
        part = held[index * cell : (index + 1) * cell]
        most = max(set(part), key=part.count)
        assert shown == (most if part.count(most) * 2 > len(part) else MIXED)
    assert sum(length for _, length in runs(cells(size, spans, cell))) == -(-size // cell)


def test_what_no_span_covers_is_unknown() -> None:
    assert cells(40, [(0, 10, "live"), (20, 4, "live")], 10) == ["live", UNKNOWN, UNKNOWN, UNKNOWN]
    assert cells(0, [], 10) == []


def test_runs_are_of_one_state() -> None:
    assert list(runs(["a", "a", "b", "a"])) == [("a", 2), ("b", 1), ("a", 1)]


@given(st.integers(1, 1 << 50), st.integers(1, 5000))
def test_cells_are_the_smallest_power_of_two_that_is_enough(total: int, most: int) -> None:
    cell = cell_bytes(total, most)
    assert cell & (cell - 1) == 0
    assert -(-total // cell) <= most
    assert cell == 1 or -(-total // (cell // 2)) > most
