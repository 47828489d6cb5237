"""What every backing promises."""

from __future__ import annotations

import ctypes
import sys
from typing import TYPE_CHECKING, Any

import pytest

from arenas import Backing, Heap, Mapping
from arenas.system import PAGE_BYTES
from tests.unit._backings import CASES, SIZE, WITH_MEMORY, Case, in_child, is_mapped, view_of, witness

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

all_backings = pytest.mark.parametrize("case", CASES, ids=str)
all_memory = pytest.mark.parametrize("case", WITH_MEMORY, ids=str)


@all_backings
def test_has_the_surface_of_a_backing(case: Case, tmp_path: Path) -> None:
    backing = case.make(tmp_path)
    assert isinstance(backing, Backing)
    assert isinstance(backing.map(SIZE, backing.alignment), Mapping)
    assert (backing.size_bytes is None) == backing.growable
    assert backing.page_bytes % PAGE_BYTES == 0
    assert (backing.page_bytes > 0) == backing.has_memory


@pytest.mark.parametrize(
    ("case", "shift"),
    [
        pytest.param(case, shift, id=f"{case}-{shift}")
        for case in CASES
        for shift in (0, 6, 12, 16, 21, 24, 30)
        if 1 << shift <= case.largest_alignment
    ],
)
def test_a_mapping_is_long_enough_and_aligned(case: Case, shift: int, tmp_path: Path) -> None:
    """Where it begins is a multiple of the alignment, in the process where there is memory, else in the backing."""
    mapping = case.make(tmp_path).map(SIZE, 1 << shift)
    assert mapping.size >= SIZE
    place = mapping.offset if mapping.address is None else mapping.address
    assert place % (1 << shift) == 0


@all_memory
def test_owners_export_writable_bytes_at_their_place(case: Case, tmp_path: Path) -> None:
    """At least as many as asked for, none beyond the range, and what the process sees at the mapping's address."""
    mapping = case.make(tmp_path).map(SIZE, 64)
    assert mapping.address is not None
    for start, size in ((0, 1), (5, 100), (SIZE - 7, 7), (SIZE - 1000, 999), (PAGE_BYTES - 1, 2), (9, 0), (0, SIZE)):
        whole = memoryview(mapping.owner(start, size)).cast("B")
        assert (whole.ndim, whole.itemsize, whole.readonly, whole.c_contiguous) == (1, 1, False, True)
        assert size <= whole.nbytes <= mapping.size - start
        view = view_of(mapping, start, size)
        assert (view.nbytes, view.format, view.readonly) == (size, "B", False)
        view[:] = bytes((start + i) % 251 for i in range(size))
        assert ctypes.string_at(mapping.address + start, size) == bytes(view) == bytes(whole[:size])


@all_memory
def test_owners_are_independent(case: Case, tmp_path: Path) -> None:
    """Each is an object of its own: a view of one is released, and those of its neighbour and its twin are not."""
    mapping = case.make(tmp_path).map(SIZE, 64)
    first, second, twin = view_of(mapping, 0, 16), view_of(mapping, 16, 16), view_of(mapping, 0, 16)
    first[:], second[:] = b"a" * 16, b"b" * 16
    assert (bytes(first), bytes(second), bytes(twin)) == (b"a" * 16, b"b" * 16, b"a" * 16)
    assert len({id(view.obj) for view in (first, second, twin)}) == 3
    first.release()
    assert (bytes(second), bytes(twin)) == (b"b" * 16, b"a" * 16)


@all_memory
@pytest.mark.parametrize(
    "part",
    [
        lambda view: view,
        lambda view: view[10:20][2:4],
        lambda view: view.cast("H"),
        memoryview,
        lambda view: view.obj,
        lambda view: memoryview(view.obj),
        (ctypes.c_ubyte * 10).from_buffer,
    ],
    ids=["view", "slice", "cast", "copy", "owner", "owner's", "ctypes"],
)
def test_an_owners_references_tell_whether_it_is_seen(
    case: Case, part: Callable[[memoryview], Any], tmp_path: Path
) -> None:
    """Nobody but the caller and what is made of its buffer refers to an owner: neither the mapping nor the system."""
    mapping = case.make(tmp_path).map(SIZE, 64)
    nobody, owner = object(), mapping.owner(64, 100)
    assert sys.getrefcount(owner) == sys.getrefcount(nobody)
    seen = part(memoryview(owner).cast("B")[:100])
    assert sys.getrefcount(owner) > sys.getrefcount(nobody)
    del seen
    assert sys.getrefcount(owner) == sys.getrefcount(nobody)


@all_memory
def test_fresh_memory_is_zero_where_that_is_said(case: Case, tmp_path: Path) -> None:
    """A range mapped for the first time; of one with a past only where the backing says so."""
    backing = case.make(tmp_path)
    mapping = backing.map(SIZE, 64)
    assert bytes(view_of(mapping, 0, SIZE)) == bytes(SIZE)
    view_of(mapping, 0, SIZE)[:] = b"x" * SIZE
    del mapping
    again = bytes(view_of(backing.map(SIZE, 64), 0, SIZE))
    assert (again == bytes(SIZE)) == backing.fresh_is_zero


@all_memory
def test_decommitted_pages_read_as_zeros_and_others_as_before(case: Case, tmp_path: Path) -> None:
    """Of what was given back nothing is left, neither in memory nor to read; every other byte is as it was."""
    backing = case.make(tmp_path)
    mapping = backing.map(SIZE, 64)
    page = backing.page_bytes
    view = view_of(mapping, 0, SIZE)
    view[:] = b"x" * SIZE
    before = mapping.resident_bytes()
    assert before is not None
    assert mapping.decommit(page, SIZE - page)
    assert backing.decommit_zeroes
    after = mapping.resident_bytes()
    assert after is not None
    assert after <= before - (SIZE - page)
    assert bytes(view[:page]) == b"x" * page
    assert bytes(view[page:]) == bytes(SIZE - page)
    view[page] = 1  # committed again by writing to it
    assert bytes(view[page : page + 2]) == b"\1\0"


@all_memory
def test_resident_bytes_are_what_was_touched(case: Case, tmp_path: Path) -> None:
    mapping = case.make(tmp_path).map(SIZE, 64)
    before = mapping.resident_bytes()
    assert before is not None
    view_of(mapping, 0, SIZE)[:] = b"x" * SIZE
    assert mapping.resident_bytes() == mapping.size >= before


@all_memory
def test_unmapped_when_the_last_view_is_gone(case: Case, tmp_path: Path) -> None:
    """A slice of a slice keeps the memory mapped though mapping, backing and view are gone; nothing else keeps it."""
    backing = case.make(tmp_path)
    mapping = backing.map(SIZE, 64)
    alive = witness(mapping)
    view = view_of(mapping, PAGE_BYTES, 100)
    view[:5] = b"hello"
    part = view[:10][:5]
    address = mapping.address
    assert address is not None
    view.release()
    del mapping, backing, view
    assert alive()
    assert is_mapped(address)
    assert bytes(part) == b"hello"
    del part
    assert not alive()


@all_memory
def test_an_owner_keeps_its_range(case: Case, tmp_path: Path) -> None:
    """Also before there is a view, and when what sees it knows nothing of memoryviews."""
    mapping = case.make(tmp_path).map(SIZE, 64)
    alive = witness(mapping)
    owner = mapping.owner(PAGE_BYTES, 100)
    del mapping
    assert alive()
    memoryview(owner).cast("B")[:5] = b"hello"
    seen = (ctypes.c_char * 5).from_buffer(owner)
    del owner
    assert alive()
    assert seen.raw == b"hello"
    del seen
    assert not alive()


@all_memory
def test_a_mapping_without_views_goes_with_its_last_reference(case: Case, tmp_path: Path) -> None:
    backing = case.make(tmp_path)
    mapping = backing.map(SIZE, 64)
    view_of(mapping, 0, 10)[:] = b"x" * 10
    alive = witness(mapping)
    assert alive()
    del backing, mapping
    assert not alive()


@all_memory
def test_a_closed_heap_stays_mapped_under_a_view(case: Case, tmp_path: Path) -> None:
    """As promised by the heap: closing never takes memory from under a view, and keeps none without."""
    heap = Heap(backing=case.make(tmp_path), arenas=1, region_bytes=65536)
    view = heap.alloc(100).view
    view[:] = b"x" * 100
    (region,) = heap._manager.arenas[0].table.regions
    assert region.mapping is not None
    alive = witness(region.mapping)
    del region
    heap.close()
    del heap
    assert alive()
    assert bytes(view) == b"x" * 100
    view[0] = 1
    del view
    assert not alive()


@all_memory
def test_a_fork_copies_or_shares_as_declared(case: Case, tmp_path: Path) -> None:
    """What a child writes is seen by the parent exactly where the backing is not ``fork_private``."""
    backing = case.make(tmp_path)
    view = view_of(backing.map(SIZE, 64), 0, SIZE)
    view[:4] = b"mine"

    def write() -> bool:
        seen = bytes(view[:4])
        view[:4] = view[-4:] = b"kids"
        return seen == b"mine"

    assert in_child(write)
    theirs = (b"mine", bytes(4)) if backing.fork_private else (b"kids", b"kids")
    assert (bytes(view[:4]), bytes(view[-4:])) == theirs


@all_backings
def test_a_heap_in_a_child_is_open_exactly_on_a_private_backing(case: Case, tmp_path: Path) -> None:
    heap = Heap(backing=case.make(tmp_path), arenas=1)
    block = heap.alloc(100)
    assert in_child(lambda: heap.closed) != heap.backing.fork_private
    heap.check()
    block.free()
    heap.close()
