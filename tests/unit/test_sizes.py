"""Size arithmetic."""

from __future__ import annotations

import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from arenas import InvalidRequestError
from arenas.sizes import (
    MAXIMUM_ALIGNMENT,
    MAXIMUM_SIZE,
    checked_alignment,
    checked_size,
    is_power_of_two,
    parse_size,
    round_down,
    round_up,
    size_class,
)

SIZES = st.integers(min_value=0, max_value=1 << 64)
STEPS = st.integers(min_value=1, max_value=1 << 40)


class Index:
    """An integer only by its ``__index__``."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __index__(self) -> int:
        return self._number


@given(number=SIZES, step=STEPS)
def test_round_up_is_the_smallest_multiple_that_is_not_less(number: int, step: int) -> None:
    rounded = round_up(number, step)
    assert rounded % step == 0
    assert rounded - step < number <= rounded


@given(number=SIZES, step=STEPS)
def test_round_down_is_the_largest_multiple_that_is_not_more(number: int, step: int) -> None:
    rounded = round_down(number, step)
    assert rounded % step == 0
    assert rounded <= number < rounded + step


@given(number=st.integers(min_value=-(1 << 70), max_value=1 << 70) | st.integers(0, 80).map(lambda n: 1 << n))
def test_powers_of_two_have_one_bit(number: int) -> None:
    assert is_power_of_two(number) == (number > 0 and number.bit_count() == 1)


@given(size=st.integers(min_value=1, max_value=1 << 62))
@example(size=1)
@example(size=(1 << 40) + 1)
def test_size_class_wastes_at_most_an_eighth(size: int) -> None:
    """A class is never too short, nor longer by more than an eighth of the size; and a class is its own class."""
    assert size <= size_class(size)
    assert 8 * (size_class(size) - size) <= size
    assert size_class(size_class(size)) == size_class(size)


@given(size=st.integers(min_value=1, max_value=1 << 62), more=st.integers(min_value=0, max_value=1 << 20))
def test_size_class_is_monotonic(size: int, more: int) -> None:
    """Who asks for more never gets less."""
    assert size_class(size) <= size_class(size + more)


@pytest.mark.parametrize("bits", [4, 7, 12])
def test_size_classes_are_eight_a_doubling(bits: int) -> None:
    """All sizes of one doubling fall into eight classes: a bounded set of lengths, however many sizes are asked for."""
    assert len({size_class(size) for size in range((1 << bits) + 1, (2 << bits) + 1)}) == 8


@pytest.mark.parametrize("size", [0, 1, MAXIMUM_SIZE, True, Index(7)])
def test_sizes_that_an_address_can_name_are_taken(size: int) -> None:
    """Anything with ``__index__`` is a size; the answer is a plain ``int``."""
    assert checked_size(size) == size.__index__()
    assert type(checked_size(size)) is int


@pytest.mark.parametrize("size", [-1, -(1 << 80), MAXIMUM_SIZE + 1, 1 << 100])
def test_absurd_sizes_are_refused_with_their_number(size: int) -> None:
    with pytest.raises(InvalidRequestError, match=f"watermark.*{size}"):
        checked_size(size, "watermark")


@pytest.mark.parametrize("size", ["4096", 4096.0, None, b"1", [1]])
def test_what_is_no_integer_is_a_type_error(size: object) -> None:
    with pytest.raises(TypeError):
        checked_size(size)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        checked_alignment(size)  # type: ignore[arg-type]


def test_maximum_size_is_that_of_the_address_space() -> None:
    assert sys.maxsize == MAXIMUM_SIZE


@pytest.mark.parametrize("shift", range(31))
def test_powers_of_two_are_alignments(shift: int) -> None:
    assert checked_alignment(Index(1 << shift)) == 1 << shift


@pytest.mark.parametrize("alignment", [0, -1, -2, 3, 6, 12, 4095, (1 << 30) - 1])
def test_other_numbers_are_no_alignments(alignment: int) -> None:
    with pytest.raises(InvalidRequestError, match=f"power of two: {alignment}"):
        checked_alignment(alignment)


def test_alignments_have_a_maximum() -> None:
    """Beyond what positions keep of an address nothing can be promised; a caller that can has its own maximum."""
    with pytest.raises(InvalidRequestError, match=f"{2 * MAXIMUM_ALIGNMENT} exceeds.*{MAXIMUM_ALIGNMENT}"):
        checked_alignment(2 * MAXIMUM_ALIGNMENT)
    assert checked_alignment(2 * MAXIMUM_ALIGNMENT, 4 * MAXIMUM_ALIGNMENT) == 2 * MAXIMUM_ALIGNMENT


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("4096", 4096),
        (" 4096 ", 4096),
        ("1b", 1),
        ("2k", 2048),
        ("2K", 2048),
        ("2KB", 2048),
        ("2kib", 2048),
        ("512M", 512 << 20),
        ("1.5 GiB", 3 << 29),
        ("0.5k", 512),
        ("0.3k", 307),
        ("1T", 1 << 40),
        ("9007199254740993", 9007199254740993),
    ],
)
def test_texts_are_sizes_in_powers_of_1024(text: str, size: int) -> None:
    """Whole numbers are exact (also beyond a float's 53 bits), broken ones rounded down."""
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", " ", "k", "-1", "1e6", "1.5.2", ".5k", "12 parsecs", "4096\n1", "0x10", "1_000", "inf"]
)
def test_other_texts_are_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidRequestError, match="not a size") as caught:
        parse_size(text)
    assert repr(text) in str(caught.value)
