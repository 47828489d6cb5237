"""Numbers for people are the numbers, to three digits, in a unit that fits."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arenas.reports import units

FACTORS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40, "PiB": 1 << 50, "EiB": 1 << 60}


@given(st.integers(0, (1 << 63) - 1))
def test_a_size_reads_back_within_half_a_percent(size: int) -> None:
    text, unit = units.size(size).split(units.SPACE)
    assert float(text.replace(",", "")) * FACTORS[unit] == pytest.approx(size, rel=0.0051)
    assert float(text.replace(",", "")) < 1024
    assert len(re.sub(r"\D", "", text)) <= 4


@given(st.floats(1e-9, 1e15))
def test_a_number_reads_back_within_half_a_percent(value: float) -> None:
    assert float(units.number(value).replace(",", "")) == pytest.approx(value, rel=0.0051)
    assert "e" not in units.number(value)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (2e-6, "2 µs"), (0.25, "250 ms"), (59.4, "59.4 s"), (60, "1 min"), (3725, "62 min 5 s")],
)
def test_durations(seconds: float, text: str) -> None:
    assert units.duration(seconds).replace(units.SPACE, " ") == text
