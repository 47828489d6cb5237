"""A slice of a mapping is a mapping."""

from __future__ import annotations

import pytest

from arenas import AddressSpace, AnonymousMemory, Mapping
from arenas.slices import MappingSlice
from arenas.system import PAGE_BYTES
from tests.unit._backings import view_of
from tests.unit._fakes import FakeMapping


def test_a_slice_lies_inside_the_whole() -> None:
    whole = FakeMapping(100, address=0x10000, offset=50)
    part = MappingSlice(whole, 30, 20)
    assert (part.offset, part.address, part.size) == (80, 0x10000 + 30, 20)
    assert isinstance(part, Mapping)


def test_a_slice_of_a_slice_adds_up() -> None:
    inner = MappingSlice(MappingSlice(FakeMapping(100, address=1000, offset=5), 30, 50), 7, 10)
    assert (inner.offset, inner.address) == (42, 1037)
    assert inner.decommit(1, 2)
    whole = inner._whole._whole  # type: ignore[attr-defined]
    assert whole.given_back == [(38, 2)]


def test_without_addresses_there_are_none() -> None:
    part = MappingSlice(AddressSpace(100).map(100, 1), 30, 20)
    assert (part.address, part.offset, part.resident_bytes()) == (None, 30, None)


@pytest.mark.parametrize("refuses", [False, True])
def test_giving_back_is_passed_on(refuses: bool) -> None:
    """At its place in the whole; and so is the answer."""
    whole = FakeMapping(100)
    whole.refuses = refuses
    assert MappingSlice(whole, 30, 20).decommit(5, 10) is not refuses
    assert whole.given_back == ([] if refuses else [(35, 10)])


def test_owners_and_resident_bytes_are_those_of_the_part() -> None:
    whole = AnonymousMemory().map(4 * PAGE_BYTES, 64)
    first, second = MappingSlice(whole, 0, 2 * PAGE_BYTES), MappingSlice(whole, 2 * PAGE_BYTES, 2 * PAGE_BYTES)
    view_of(second, 3, 5)[:] = b"hello"
    assert bytes(view_of(whole, 2 * PAGE_BYTES + 3, 5)) == b"hello"
    assert (first.resident_bytes(), second.resident_bytes()) == (0, PAGE_BYTES)
