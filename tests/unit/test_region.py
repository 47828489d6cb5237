"""A region's page marks, against a plain dict of pages; and where regions lie among positions."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from arenas.region import Region, base_after, gaps
from arenas.sizes import MAXIMUM_ALIGNMENT
from tests.unit._fakes import FakeMapping

PAGE = 16
MARKS = st.integers(min_value=1, max_value=255)
EXPIRED = st.sets(MARKS, max_size=4).map(bytes) | st.just(bytes(range(1, 256)))


class RegionMachine(RuleBasedStateMachine):
    """`pages`: page -> mark, of the committed pages only."""

    @initialize(size=st.integers(min_value=1, max_value=12 * PAGE), base=st.integers(min_value=0, max_value=1 << 90))
    def begin(self, size: int, base: int) -> None:
        self.mapping = FakeMapping(size, address=0x10000, offset=7)
        self.region = Region(self.mapping, base=base, page_bytes=PAGE, arena_number=3)
        self.pages: dict[int, int] = {}
        self.count = -(-size // PAGE)

    def span(self, data: st.DataObject) -> tuple[int, int]:
        # Often up to the very end, which may be in the middle of a page.
        end = data.draw(st.just(self.mapping.size) | st.integers(min_value=0, max_value=self.mapping.size))
        start = data.draw(st.just(0) | st.integers(min_value=0, max_value=end))
        return start, end - start

    def touched(self, start: int, size: int) -> set[int]:
        """Pages with at least one byte in the span; by looking at each byte."""
        return {byte // PAGE for byte in range(start, start + size)}

    @rule(data=st.data(), mark=MARKS)
    def commit(self, data: st.DataObject, mark: int) -> None:
        start, size = self.span(data)
        if size == 0:
            return
        touched = self.touched(start, size)
        fresh = touched - self.pages.keys()
        assert self.region.fresh_bytes(self.region.base + start, size) == len(fresh) * PAGE
        assert self.region.fresh(self.region.base + start, size)[1] == (fresh == touched)
        self.region.commit(self.region.base + start, size, mark)
        self.pages.update(dict.fromkeys(fresh, mark))

    @rule(data=st.data(), mark=MARKS)
    def free(self, data: st.DataObject, mark: int) -> None:
        start, size = self.span(data)
        if size == 0:
            return
        self.region.mark_freed(self.region.base + start, size, mark)
        self.pages.update(dict.fromkeys(self.touched(start, size) & self.pages.keys(), mark))

    @rule(data=st.data(), expired=EXPIRED, refuses=st.booleans())
    def decommit(self, data: st.DataObject, expired: bytes, refuses: bool) -> None:
        start, size = self.span(data)
        inside = {
            page
            for page in range(self.count)
            if all(
                start <= byte < start + size for byte in range(page * PAGE, min((page + 1) * PAGE, self.mapping.size))
            )
        }
        idle = {page for page in inside if self.pages.get(page) in set(expired)}
        self.mapping.refuses = refuses
        self.mapping.given_back.clear()
        returned = self.region.decommit(self.region.base + start, size, expired)
        if refuses:
            assert (returned, self.mapping.given_back) == (0, [])
            return
        assert returned == len(idle) * PAGE
        # Whole pages, each once, and neighbours in one call.
        calls = self.mapping.given_back
        assert [page for first, length in calls for page in range(first // PAGE, (first + length) // PAGE)] == sorted(
            idle
        )
        assert all(first % PAGE == 0 and length % PAGE == 0 for first, length in calls)
        assert not any(one[0] + one[1] == other[0] for one in calls for other in calls)
        for page in idle:
            del self.pages[page]

    @rule(expired=EXPIRED)
    def ask_idle(self, expired: bytes) -> None:
        assert self.region.is_idle(expired) == all(mark in expired for mark in self.pages.values())

    @invariant()
    def marks_are_those_of_the_model(self) -> None:
        if hasattr(self, "region"):
            assert list(self.region.pages) == [self.pages.get(page, 0) for page in range(self.count)]
            assert self.region.committed_bytes == len(self.pages) * PAGE


TestRegion = RegionMachine.TestCase


def test_a_region_knows_its_place() -> None:
    region = Region(FakeMapping(100, address=0x10000, offset=7), base=1000, page_bytes=PAGE, arena_number=3)
    assert (region.base, region.end, region.size) == (1000, 1100, 100)
    assert (region.address, region.offset, region.arena_number) == (0x10000, 7, 3)
    assert region.metadata_bytes > len(region.pages) == 7


def test_nothing_is_committed_where_there_are_no_pages() -> None:
    """Over plain integers: nothing to commit, nothing fresh, nothing to give back, always idle."""
    mapping = FakeMapping(100)
    region = Region(mapping, base=0, page_bytes=0, arena_number=0)
    region.commit(0, 100, 1)
    region.mark_freed(0, 100, 2)
    assert (region.fresh_bytes(0, 100), region.committed_bytes, region.decommit(0, 100, bytes([1, 2]))) == (0, 0, 0)
    assert not region.fresh(0, 100)[1]
    assert region.is_idle(b"")
    assert mapping.given_back == []


def test_a_region_without_its_mapping_gives_nothing_back() -> None:
    region = Region(FakeMapping(100), base=0, page_bytes=PAGE, arena_number=0)
    region.commit(0, 100, 1)
    region.mapping = None
    assert region.decommit(0, 100, bytes([1])) == 0
    assert region.committed_bytes == 7 * PAGE


@given(
    ranges=st.lists(
        st.tuples(st.integers(min_value=0, max_value=1 << 47), st.integers(min_value=1, max_value=1 << 34)),
        min_size=1,
        max_size=8,
    ),
    drop=st.integers(min_value=0, max_value=7),
)
def test_bases_are_apart_and_congruent_to_origins(ranges: list[tuple[int, int]], drop: int) -> None:
    """Regions are in order with a gap between, and a position is aligned as its address is; also when one went away."""
    regions: list[Region] = []
    for index, (origin, size) in enumerate(ranges):
        base = base_after(regions, origin)
        assert (base - origin) % MAXIMUM_ALIGNMENT == 0
        if regions:
            end = max(region.end for region in regions)
            # No further than need be, so that positions stay small.
            assert end < base <= end + MAXIMUM_ALIGNMENT
        regions.append(Region(FakeMapping(size, address=origin), base=base, page_bytes=0, arena_number=0))
        if index == drop:
            regions.pop(0)


@given(origin=st.integers(min_value=0, max_value=1 << 63))
def test_the_first_base_is_the_origin(origin: int) -> None:
    """Where there is one region only, every power of two that divides an offset divides its position."""
    assert base_after([], origin) == origin


@given(data=st.data())
def test_gaps_are_what_spans_leave(data: st.DataObject) -> None:
    """Position by position: in a gap or in a span, never both; and no two gaps touch."""
    covered = data.draw(st.lists(st.booleans(), min_size=1, max_size=20))
    cuts = data.draw(st.sets(st.integers(min_value=1, max_value=19)))
    region = Region(FakeMapping(len(covered)), base=1000, page_bytes=0, arena_number=0)
    spans: list[tuple[int, int]] = []
    for start, carved in enumerate(covered):
        if not carved:
            continue
        if spans and sum(spans[-1]) == 1000 + start and start not in cuts:
            spans[-1] = (spans[-1][0], spans[-1][1] + 1)
        else:
            spans.append((1000 + start, 1))
    found = gaps(region, spans)
    assert {position for start, size in found for position in range(start, start + size)} == {
        1000 + start for start, carved in enumerate(covered) if not carved
    }
    assert all(size > 0 for _, size in found)
    assert all(sum(one) < other[0] for one, other in itertools.pairwise(found))
