"""What every placement promises, over integers, against a plain list of free spans."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from arenas import CorruptionError, Placement
from tests.unit._placements import CASES, Case

if TYPE_CHECKING:
    from collections.abc import Callable

Span = tuple[int, int]  # position, size

ALIGNMENTS = st.integers(min_value=0, max_value=8).map(lambda shift: 1 << shift)


def without(free: list[Span], position: int, size: int) -> list[Span]:
    """The free spans once these positions are carved."""
    rest: list[Span] = []
    for start, length in free:
        before = min(start + length, position) - start
        after = start + length - max(start, position + size)
        if before >= length or after >= length:
            rest.append((start, length))
            continue
        rest += [(start, before)] if before > 0 else []
        rest += [(start + length - after, after)] if after > 0 else []
    return rest


def joined(free: list[Span]) -> list[Span]:
    """The same positions as the longest spans."""
    result: list[Span] = []
    for start, length in sorted(free):
        if result and sum(result[-1]) == start:
            result[-1] = (result[-1][0], result[-1][1] + length)
        else:
            result.append((start, length))
    return result


class PlacementMachine(RuleBasedStateMachine):
    """`ranges`: what was added. `free` and `carved` tile them."""

    case: Case

    def __init__(self) -> None:
        super().__init__()
        self.placement = self.case.factory()
        self.ranges: list[Span] = []
        self.free: list[Span] = []
        self.carved: list[Span] = []
        self.end = 0

    @rule(gap=st.integers(1, 1000), size=st.integers(1, 2000))
    def add(self, gap: int, size: int) -> None:
        self.placement.add(self.end + gap, size)
        self.ranges.append((self.end + gap, size))
        self.free.append((self.end + gap, size))
        self.end += gap + size

    @rule(size=st.integers(1, 400), alignment=ALIGNMENTS)
    def take(self, size: int, alignment: int) -> None:
        """Found exactly if it can be: aligned, from one free span, with no more of the rest than the policy keeps."""
        self._take(size, alignment)

    @precondition(lambda self: self.free)
    @rule(data=st.data(), less=st.integers(0, 3), alignment=ALIGNMENTS)
    def take_nearly_all_of_a_span(self, data: st.DataObject, less: int, alignment: int) -> None:
        _, length = data.draw(st.sampled_from(self.free))
        self._take(max(1, length - less), alignment)

    def _take(self, size: int, alignment: int) -> None:
        fitting = [(start, length) for start, length in self.free if self.case.fits(start, length, size, alignment)]
        taken = self.placement.take(size, alignment)
        if taken is None:
            assert not fitting
            return
        position, length = taken
        assert length >= size
        assert position % alignment == 0
        around = [span for span in fitting if span[0] <= position < sum(span)]
        assert [self.case.carved(*span, size, alignment) for span in around] == [taken]
        self.free = without(self.free, position, length)
        self.carved.append(taken)

    @rule(data=st.data(), size=st.integers(1, 50))
    def take_at(self, data: st.DataObject, size: int) -> None:
        """All of it or nothing."""
        edges = [
            edge
            for start, length in (*self.free, *self.carved)
            for edge in (start - 1, start, start + 1, start + length - size)
        ]
        position = data.draw(st.sampled_from(edges) if edges else st.integers(0, 100))
        inside = any(start <= position and position + size <= start + length for start, length in self.free)
        assert self.placement.take_at(position, size) == inside
        if inside:
            self.free = without(self.free, position, size)
            self.carved.append((position, size))

    @precondition(lambda self: self.carved)
    @rule(data=st.data())
    def give(self, data: st.DataObject) -> None:
        span = data.draw(st.sampled_from(self.carved))
        self.carved.remove(span)
        self.placement.give(*span)
        self.free = joined([*self.free, span])

    @precondition(lambda self: self.carved)
    @rule(data=st.data(), at_end=st.booleans())
    def give_part(self, data: st.DataObject, at_end: bool) -> None:
        """As when a block shrinks: the rest stays carved."""
        span = data.draw(st.sampled_from(self.carved))
        part = data.draw(st.integers(1, span[1]))
        start = sum(span) - part if at_end else span[0]
        self.carved.remove(span)
        self.carved += without([span], start, part)
        self.placement.give(start, part)
        self.free = joined([*self.free, (start, part)])

    @precondition(lambda self: any(span in self.free for span in self.ranges))
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        span = data.draw(st.sampled_from([span for span in self.ranges if span in self.free]))
        self.placement.remove(*span)
        self.ranges.remove(span)
        self.free.remove(span)

    @rule()
    def rebuild(self) -> None:
        """Forget everything, then add the free spans anew, as after an interruption."""
        self.placement.clear()
        assert list(self.placement) == []
        assert (self.placement.free_bytes, self.placement.largest_bytes) == (0, 0)
        for span in self.free:
            self.placement.add(*span)

    @invariant()
    def tells_the_free_spans(self) -> None:
        """In order, joined up, exactly those that are not carved; the sums are theirs."""
        spans = list(self.placement)
        assert spans == sorted(self.free)
        assert joined(spans) == spans
        assert joined([*spans, *self.carved]) == sorted(self.ranges)
        assert self.placement.free_bytes == sum(size for _, size in self.free)
        assert self.placement.largest_bytes == max((size for _, size in self.free), default=0)
        assert self.placement.metadata_bytes > 0
        self.placement.check()

    def teardown(self) -> None:
        """Whole in the end: all given back, each range is one free span, and can be removed."""
        for span in self.carved:
            self.placement.give(*span)
        assert list(self.placement) == sorted(self.ranges)
        for span in self.ranges:
            self.placement.remove(*span)
        assert list(self.placement) == []
        self.placement.check()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_free_and_carved_spans_tile_what_was_added(case: Case) -> None:
    """Any sequence of calls: see the rules and invariants of the machine."""
    machine = type(f"{case}Machine", (PlacementMachine,), {"case": case})
    run_state_machine_as_test(machine, settings=settings(max_examples=100, stateful_step_count=50))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_has_the_surface_of_a_placement(case: Case) -> None:
    assert isinstance(case.factory(), Placement)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_two_of_one_factory_share_nothing(case: Case) -> None:
    one, other = case.factory(), case.factory()
    one.add(0, 100)
    assert list(other) == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_metadata_grows_with_the_spans(case: Case) -> None:
    """Counted, not guessed once: a thousand spans are a thousand entries."""
    placement = case.factory()
    empty = placement.metadata_bytes
    for position in range(0, 10_000, 10):
        placement.add(position, 5)
    assert placement.metadata_bytes > empty + 1000 * 8


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_range_that_is_not_wholly_free_stays(case: Case) -> None:
    """Removing it is an error, and changes nothing."""
    placement = case.factory()
    placement.add(0, 100)
    assert placement.take_at(40, 10)
    for span in ((0, 100), (0, 39), (40, 10), (500, 1)):
        with pytest.raises(CorruptionError, match=f"{span[0]:#x}"):
            placement.remove(*span)
    assert list(placement) == [(0, 40), (50, 50)]
    placement.check()


@pytest.mark.parametrize(
    ("case", "corrupt"),
    [pytest.param(case, corrupt, id=f"{case}-{corrupt.__name__}") for case in CASES for corrupt in case.corruptions],
)
def test_check_finds_a_corrupted_index(case: Case, corrupt: Callable[[Placement], None]) -> None:
    """Each index is proven against the others: whichever one is wrong, it is told."""
    placement = case.factory()
    for position, size in ((0, 100), (200, 300), (1000, 50)):
        placement.add(position, size)
    placement.check()
    corrupt(placement)
    with pytest.raises(CorruptionError, match=r"differ|miscounted|touch or overlap"):
        placement.check()
