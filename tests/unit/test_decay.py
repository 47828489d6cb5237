"""When pages count as idle: marks that go round, against plain timestamps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arenas.decay import Decay
from arenas.region import ALL_MARKS, CLEAN

SECONDS = 8.0
# Short steps, pauses around the delay itself, around the 255 steps after which marks come round again, and far beyond.
PAUSES = st.one_of(
    st.integers(min_value=0, max_value=40).map(lambda quarters: quarters / 4),
    st.integers(min_value=0, max_value=8).map(lambda more: 254.0 + more / 2),
    st.sampled_from([7.75, 8.0, 8.25, 16.0, 1e6]),
)
STARTS = st.sampled_from([0.0, 0.5, 8.0, 253.0, 254.75, 255.0, 1e7])


@given(start=STARTS, pauses=st.lists(st.tuples(PAUSES, st.booleans()), max_size=400))
def test_pages_expire_within_an_eighth_before_they_are_due(start: float, pauses: list[tuple[float, bool]]) -> None:
    """Whatever the pauses: at a look every page freed `seconds` ago has expired, and none freed within 7/8 of that."""
    decay = Decay(SECONDS)
    now = start
    looked: float | None = None
    freed: dict[float, int] = {}  # when -> mark
    for pause, frees in pauses:
        now += pause
        expired = decay.expired(now)
        if expired is None:
            # Nothing to do only within the step of the last look (the clock's first step counts as looked at).
            assert now - (0.0 if looked is None else looked) < SECONDS / 8
        else:
            looked = now
            assert CLEAN not in expired
            for when, mark in list(freed.items()):
                if mark in expired:
                    assert now - when > SECONDS * 7 / 8
                    del freed[when]
                else:
                    assert now - when < SECONDS
        if frees:
            freed[now] = decay.generation
            assert decay.generation != CLEAN


def test_marks_survive_two_rounds_one_step_at_a_time() -> None:
    """A page freed in each of 600 steps: every one expires exactly eight steps later, however the marks come round."""
    decay = Decay(SECONDS)
    freed: dict[int, int] = {}  # step -> mark
    for step in range(1, 601):
        expired = decay.expired(float(step))
        assert expired is not None
        gone = [when for when, mark in freed.items() if mark in expired]
        assert gone == ([step - 8] if step > 8 else [])
        for when in gone:
            del freed[when]
        freed[step] = decay.generation


@pytest.mark.parametrize("pause", [8, 9, 254, 255, 256, 510, 10**9])
def test_after_a_long_pause_everything_has_expired(pause: int) -> None:
    """Also when the mark of what was freed before has come round to be that of now."""
    decay = Decay(SECONDS)
    decay.expired(100.0)
    assert decay.expired(100.0 + pause) == ALL_MARKS


def test_a_step_is_looked_at_once() -> None:
    """Calls in between cost a look at the clock and nothing else."""
    decay = Decay(SECONDS)
    assert decay.expired(100.0) is not None
    assert decay.expired(100.0) is None
    assert decay.expired(100.99) is None
    assert decay.expired(101.0) is not None


@pytest.mark.parametrize("seconds", [None, 0, 0.0])
def test_without_a_delay_the_clock_does_nothing(seconds: float | None) -> None:
    decay = Decay(seconds)
    assert [decay.expired(now) for now in (0.0, 1.0, 1e9)] == [None, None, None]
    assert decay.generation != CLEAN


def test_every_mark_is_that_of_a_committed_page() -> None:
    assert sorted(ALL_MARKS) == [mark for mark in range(256) if mark != CLEAN]
