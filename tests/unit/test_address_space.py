"""Plain integers: exact to the unit, and by name refused what only memory has."""

from __future__ import annotations

from typing import Any

import pytest

from arenas import AddressSpace, Heap, InvalidRequestError


@pytest.mark.parametrize("size", [0, -1, 1 << 64])
def test_sizes_that_cannot_be_are_refused(size: int) -> None:
    with pytest.raises(InvalidRequestError, match=str(size)):
        AddressSpace(size)


@pytest.mark.parametrize("size", ["4096", 1.5, None])
def test_what_is_no_integer_is_a_type_error(size: Any) -> None:
    with pytest.raises(TypeError):
        AddressSpace(size)


def test_blocks_are_exact_to_the_unit() -> None:
    """No rounding, no alignment unless asked for: the unit is the caller's. The very last one can be had."""
    with Heap(backing=AddressSpace(10)) as heap:
        blocks = [heap.alloc(size) for size in (1, 2, 3, 4)]
        assert [(block.offset, block.size, block.capacity) for block in blocks] == [
            (0, 1, 1),
            (1, 2, 2),
            (3, 3, 3),
            (6, 4, 4),
        ]
        stats = heap.stats()
        assert (stats.live_bytes, stats.rounding_bytes, stats.free_bytes) == (10, 0, 0)
        assert (stats.committed_bytes, stats.resident_bytes) == (0, None)
        heap.check()


def test_an_alignment_is_one_of_offsets() -> None:
    with Heap(backing=AddressSpace(1000)) as heap:
        blocks = [heap.alloc(1), heap.alloc(1, alignment=256), heap.alloc(1, alignment=64)]
        assert [block.offset for block in blocks] == [0, 256, 64]


def test_a_space_can_be_larger_than_any_memory() -> None:
    """Its books are as large as its blocks are many, not as the space is."""
    with Heap(backing=AddressSpace((1 << 63) - 1)) as heap:
        first, second = heap.alloc(1 << 62), heap.alloc((1 << 62) - 1)
        assert {first.offset, second.offset} == {0, 1 << 62}
        assert heap.stats().metadata_bytes < 100_000


@pytest.fixture
def heap() -> Heap:
    return Heap(backing=AddressSpace(4096))


def nothing_leaked(heap: Heap) -> bool:
    heap.check()
    return heap.stats().live_blocks == 0 and heap.stats().free_bytes == 4096


@pytest.mark.parametrize("property_name", ["view", "address"])
def test_a_block_has_no_memory_to_show(heap: Heap, property_name: str) -> None:
    """And is as usable after the question as before."""
    block = heap.alloc(100)
    with pytest.raises(InvalidRequestError, match=r"block\.offset"):
        getattr(block, property_name)
    block.resize(50)
    assert block.offset == 0
    block.free()
    assert nothing_leaked(heap)


@pytest.mark.parametrize(
    "call",
    [
        lambda heap: heap.malloc(100),
        lambda heap: heap.calloc(10, 10),
        lambda heap: heap.aligned_alloc(64, 100),
        lambda heap: heap.realloc(None, 100),
        lambda heap: heap.alloc(100, zero=True),
    ],
    ids=["malloc", "calloc", "aligned_alloc", "realloc", "zero=True"],
)
def test_requests_for_memory_are_refused_by_name(heap: Heap, call: Any) -> None:
    with pytest.raises(InvalidRequestError, match=r"AddressSpace\(4096\) has no"):
        call(heap)
    assert nothing_leaked(heap)


@pytest.mark.parametrize("name", ["ndarray", "zeros"])
def test_arrays_are_refused_by_name(heap: Heap, name: str) -> None:
    pytest.importorskip("numpy")
    with pytest.raises(InvalidRequestError, match="no memory"):
        getattr(heap, name)((4, 4))
    assert nothing_leaked(heap)


def test_a_limit_is_refused_by_name() -> None:
    """Nothing is committed here: the size of the space is its limit."""
    with pytest.raises(InvalidRequestError, match="its size is its limit"):
        Heap(backing=AddressSpace(4096), limit_bytes=1024)
