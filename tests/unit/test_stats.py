"""Statistics are frozen values that add up and can be subtracted."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arenas import Stats

PARTS = (
    "live_bytes",
    "rounding_bytes",
    "guard_bytes",
    "cached_bytes",
    "mailbox_bytes",
    "parked_bytes",
    "quarantined_bytes",
    "free_bytes",
)
NUMBERS = [field.name for field in dataclasses.fields(Stats) if field.name != "arenas"]
COUNTS = st.integers(min_value=0, max_value=1 << 40)


def stats_of(numbers: dict[str, int]) -> Stats:
    return dataclasses.replace(Stats(), **numbers)  # type: ignore[arg-type]


@st.composite
def arena_stats(draw: st.DrawFn) -> Stats:
    return stats_of({name: draw(COUNTS) for name in NUMBERS})


def test_nothing_is_all_zeros() -> None:
    stats = Stats()
    assert {getattr(stats, name) for name in NUMBERS} <= {0, None}
    assert stats.arenas == ()


@pytest.mark.parametrize("name", [*NUMBERS, "arenas", "parts_bytes", "invented"])
def test_frozen(name: str) -> None:
    """No field can be set, and none invented."""
    with pytest.raises((AttributeError, TypeError)):
        setattr(Stats(), name, 1)


def test_positions_mean_nothing() -> None:
    """Two dozen numbers are only ever given by name."""
    with pytest.raises(TypeError):
        Stats(1)  # type: ignore[call-arg]


@pytest.mark.parametrize("name", PARTS)
def test_each_of_the_eight_parts_counts_once(name: str) -> None:
    assert stats_of({name: 7}).parts_bytes == 7


def test_nothing_else_is_a_part() -> None:
    assert stats_of({name: 7 for name in NUMBERS if name not in PARTS}).parts_bytes == 0


@given(one=arena_stats(), other=arena_stats())
def test_difference_and_sum_go_field_by_field(one: Stats, other: Stats) -> None:
    """Every number is added and subtracted; only the largest free span of two is that of the larger."""
    for name in NUMBERS:
        first, second = getattr(one, name), getattr(other, name)
        assert getattr(one - other, name) == first - second, name
        total = max(first, second) if name == "largest_free_bytes" else first + second
        assert getattr(one + other, name) == total, name


@given(one=arena_stats(), other=arena_stats())
def test_what_was_added_can_be_subtracted(one: Stats, other: Stats) -> None:
    back = dataclasses.replace(one + other - other, largest_free_bytes=one.largest_free_bytes)
    assert back == one


def test_unmeasured_stays_unmeasured() -> None:
    """What one side could not measure is no number of the difference or the sum."""
    assert (Stats(resident_bytes=None) + Stats(resident_bytes=8)).resident_bytes is None
    assert (Stats(resident_bytes=8) - Stats(resident_bytes=None)).resident_bytes is None


@given(parts=st.lists(arena_stats(), max_size=4))
def test_total_is_the_sum_with_its_arenas(parts: list[Stats]) -> None:
    total = Stats.total(iter(parts))
    assert total.arenas == tuple(parts)
    assert total.reserved_bytes == sum(part.reserved_bytes for part in parts)
    assert total.resident_bytes == sum(part.resident_bytes or 0 for part in parts)
    assert total.largest_free_bytes == max((part.largest_free_bytes for part in parts), default=0)
    assert total.parts_bytes == sum(part.parts_bytes for part in parts)


def test_arenas_are_paired_by_number() -> None:
    """An arena that came into being between two readings counts from nothing."""
    early = Stats.total([Stats(live_bytes=10, resident_bytes=0)])
    late = Stats.total([Stats(live_bytes=15, resident_bytes=0), Stats(live_bytes=7, resident_bytes=0)])
    assert [arena.live_bytes for arena in (late - early).arenas] == [5, 7]
    assert [arena.live_bytes for arena in (early - late).arenas] == [-5, -7]
    assert (late - late).arenas[1].live_bytes == 0


@pytest.mark.parametrize("other", [0, None, "stats", {"live_bytes": 1}])
def test_only_statistics_combine(other: object) -> None:
    with pytest.raises(TypeError):
        Stats() - other  # type: ignore[operator]
    with pytest.raises(TypeError):
        Stats() + other  # type: ignore[operator]
