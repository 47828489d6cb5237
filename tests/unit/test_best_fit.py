"""Best fit is what its name says, whatever the alignment, and at the cost that it states."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arenas import BestFit, InvalidRequestError
from arenas.placement import WholeFit
from tests.unit._placements import aligned, anywhere

# Free spans, apart from one another, of few distinct sizes so that equals are common.
SPANS = st.lists(st.tuples(st.integers(1, 70), st.integers(1, 40)), min_size=1, max_size=80)


def filled(gaps_and_sizes: list[tuple[int, int]], placement: BestFit) -> list[tuple[int, int]]:
    """Adds spans of these sizes, so far apart; the spans."""
    spans = []
    position = 0
    for gap, size in gaps_and_sizes:
        spans.append((position + gap, size))
        placement.add(*spans[-1])
        position += gap + size
    return spans


@given(layout=SPANS, size=st.integers(1, 45))
def test_the_smallest_that_fits_and_of_equals_the_lowest(layout: list[tuple[int, int]], size: int) -> None:
    placement = BestFit()
    spans = filled(layout, placement)
    best = min(((length, start) for start, length in spans if length >= size), default=None)
    assert placement.take(size, 1) == (None if best is None else (best[1], size))


def documented(spans: list[tuple[int, int]], size: int, alignment: int) -> tuple[int, int] | None:
    """Of the spans that are long enough, shortest and lowest first: the first that fits, if it is among the first 16.

    Behind 16 that begin badly: the first that fits wherever it begins; where there is none such, the first that fits.
    """
    long_enough = sorted((length, start) for start, length in spans if length >= size)
    certain = [(length, start) for length, start in long_enough if length >= size + alignment - 1]
    for candidates in (long_enough[:16], certain, long_enough):
        for length, start in candidates:
            if anywhere(start, length, size, alignment):
                return aligned(start, alignment), size
    return None


@given(layout=SPANS, size=st.integers(1, 20), shift=st.integers(0, 6))
def test_aligned_requests_get_what_the_rule_says(layout: list[tuple[int, int]], size: int, shift: int) -> None:
    """Exact up to 16 candidates; and whatever their number, something is found exactly if anything fits."""
    placement = BestFit()
    spans = filled(layout, placement)
    assert placement.take(size, 1 << shift) == documented(spans, size, 1 << shift)
    placement.check()


@pytest.mark.parametrize("misaligned", [1, 14, 15, 16, 17, 100, 1000])
@pytest.mark.parametrize("roomy", [False, True], ids=["nothing roomier", "something roomier"])
def test_a_span_that_lies_right_is_found_behind_misaligned_ones(misaligned: int, roomy: bool) -> None:
    """The sixteenth candidate is still the best fit; a later one may lose to a roomier one, never to none."""
    placement = BestFit()
    for number in range(misaligned):
        placement.add(1024 * number + 8, 64)
    right = 1024 * misaligned
    placement.add(right, 65)
    if roomy:
        placement.add(right + 1024, 500)
    best = right if misaligned < 16 or not roomy else right + 1024
    assert placement.take(64, 64) == (best, 64)
    placement.check()


@pytest.mark.parametrize("split_bytes", [1, 2, 64])
def test_a_remainder_below_the_threshold_stays_with_the_block(split_bytes: int) -> None:
    """The threshold itself is worth splitting off; one less is not."""
    placement = BestFit(split_bytes=split_bytes)
    placement.add(0, 1000 + split_bytes)
    assert placement.take(1000, 1) == (0, 1000)
    assert list(placement) == [(1000, split_bytes)]
    placement = BestFit(split_bytes=split_bytes)
    placement.add(0, 1000 + split_bytes - 1)
    assert placement.take(1000, 1) == (0, 1000 + split_bytes - 1)
    assert list(placement) == []


def test_what_alignment_skips_stays_free_whatever_the_threshold() -> None:
    """A block begins where it is aligned; it cannot take in what lies before it."""
    placement = BestFit(split_bytes=64)
    placement.add(8, 200)
    assert placement.take(100, 64) == (64, 144)
    assert list(placement) == [(8, 56)]


@pytest.mark.parametrize("split_bytes", [0, -1])
def test_a_threshold_is_positive(split_bytes: int) -> None:
    with pytest.raises(InvalidRequestError, match=f"{split_bytes}"):
        BestFit(split_bytes=split_bytes)


def test_whole_fit_refuses_what_would_waste_too_much() -> None:
    """A span longer than the slack allows is left for a request of its size, even when nothing else is free."""
    placement = WholeFit(slack=0.5)
    placement.add(0, 151)
    assert placement.take(100, 1) is None
    placement.add(1000, 150)
    assert placement.take(100, 1) == (1000, 150)
    assert list(placement) == [(0, 151)]


class Counted(int):
    """An integer whose every comparison is counted, as is that of what it is computed into."""

    comparisons = 0

    def __lt__(self, other: int) -> bool:
        Counted.comparisons += 1
        return int(self) < int(other)

    def __gt__(self, other: int) -> bool:
        Counted.comparisons += 1
        return int(self) > int(other)

    def __le__(self, other: int) -> bool:
        Counted.comparisons += 1
        return int(self) <= int(other)

    def __ge__(self, other: int) -> bool:
        Counted.comparisons += 1
        return int(self) >= int(other)

    def __add__(self, other: int) -> Counted:
        return Counted(int(self) + int(other))

    def __sub__(self, other: int) -> Counted:
        return Counted(int(self) - int(other))

    def __ror__(self, other: int) -> Counted:
        return Counted(int(other) | int(self))

    def __and__(self, other: int) -> Counted:
        return Counted(int(self) & int(other))


def comparisons(function: Any, *arguments: int) -> int:
    Counted.comparisons = 0
    function(*arguments)
    return Counted.comparisons


def most_comparisons(spans: int) -> int:
    """The most that any of a few hundred operations needs among so many free spans."""
    placement = BestFit()
    for number in range(spans):
        placement.add(Counted(number * 1000), 100 + number * 7919 % 500)
    most = 0
    for turn in range(100):
        size = 100 + turn * 4
        most = max(most, comparisons(placement.take, size, 1))
        start, _ = [span for span in placement if span[1] >= 48][turn]
        most = max(most, comparisons(placement.take_at, start, 16))
        # Joined with what is behind; then, in the middle, with both sides.
        most = max(most, comparisons(placement.give, start, 16))
        assert placement.take_at(start + 16, 16)
        most = max(most, comparisons(placement.give, start + 16, 16))
        most = max(most, comparisons(placement.take, 1 << 20, 1))
    placement.check()
    return most


def test_comparisons_grow_with_the_logarithm_of_the_spans() -> None:
    """Sixteen times as many free spans cost every operation a few comparisons more, not sixteen times as many."""
    few, many = most_comparisons(1 << 8), most_comparisons(1 << 12)
    # A joining removes one key and adds another: four searches of a binary tree, each four steps deeper.
    assert few > 0
    assert many - few <= 4 * 2 * 4


def comparisons_behind(misaligned: int) -> int:
    placement = BestFit()
    for number in range(misaligned):
        placement.add(Counted(1024 * number + 8), 64)
    placement.add(Counted(1024 * misaligned + 8), 500)
    return comparisons(placement.take, 64, 64)


def test_an_aligned_request_does_not_walk_the_list() -> None:
    """Behind any number of misaligned spans, while there is one that is sure to fit: the same few looks."""
    assert comparisons_behind(1 << 12) - comparisons_behind(1 << 8) <= 4 * 2 * 4
