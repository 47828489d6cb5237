"""find: which allocation an address lies in, and how far inside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arenas
from tests.heap._support import in_thread

if TYPE_CHECKING:
    from pathlib import Path

SIZES = st.lists(
    st.tuples(st.integers(0, 9000), st.sampled_from([1, 16, 64, 4096]), st.booleans()), min_size=1, max_size=30
)


@settings(max_examples=40, deadline=None)
@given(requests=SIZES, fractions=st.lists(st.floats(0, 1), min_size=5, max_size=5))
def test_every_address_of_every_block_is_found(requests: list[tuple[int, int, bool]], fractions: list[float]) -> None:
    """Any address from a block's first byte to its last finds it, and the distance; once freed, nothing."""
    with arenas.Heap(region_bytes=16384) as heap:
        made = [
            (heap.alloc(size, alignment=alignment, tag=f"t{n}"), kept)
            for n, (size, alignment, kept) in enumerate(requests)
        ]
        gone = []
        for block, kept in made:
            if not kept:
                gone.append((block.address, block.capacity))
                block.free()
        for block, kept in made:
            if not kept:
                continue
            for inside in {0, block.capacity - 1, *(int(fraction * (block.capacity - 1)) for fraction in fractions)}:
                info = heap.find(block.address + inside)
                assert info is not None
                assert (info.address, info.size, info.inside) == (block.address, block.size, inside)
                assert (info.capacity, info.alignment, info.tag) == (block.capacity, block.alignment, block.tag)
                assert (info.arena, info.offset, info.state) == (block.arena, block.offset, "live")
        for address, capacity in gone:
            assert all(heap.find(address + int(fraction * (capacity - 1))) is None for fraction in fractions)


def test_free_memory_and_strangers_are_none() -> None:
    """Free memory, the ends of regions, another heap's memory and numbers that are no address find nothing."""
    with arenas.Heap(region_bytes=16384) as heap, arenas.Heap() as other:
        kept = heap.alloc(100)
        for span in heap.snapshot().spans:
            assert span.address is not None
            if span.state == "free":
                assert heap.find(span.address) is heap.find(span.address + span.span - 1) is None
        assert heap.find(other.malloc(8)) is None
        assert [heap.find(number) for number in (0, -1, 1 << 90)] == [None] * 3
        assert heap.find(kept.address) is not None


def test_raw_addresses_blocks_and_views_of_freed_blocks_are_told_apart() -> None:
    """An address from malloc is found like a block; a freed block under a view is "parked" until the view has died."""
    with arenas.Heap() as heap:
        address = heap.malloc(50)
        info = heap.find(address + 49)
        assert info is not None
        assert (info.address, info.size, info.inside) == (address, 50, 49)
        block = heap.alloc(100)
        place, view = block.address, block.view
        block.free()
        parked = heap.find(place + 7)
        assert parked is not None
        assert (parked.state, parked.size, parked.inside) == ("parked", 100, 7)
        del view
        heap.stats()
        assert heap.find(place + 7) is None


def test_found_in_any_arena() -> None:
    """A block of another thread's arena, or one large enough for a region of its own, is found from here."""
    with arenas.Heap() as heap:
        block = in_thread(lambda: heap.alloc(100, tag="theirs"))
        large = heap.alloc(8 << 20, tag="large")
        heap.alloc(10)
        for wanted, inside in ((block, 99), (large, (8 << 20) - 1)):
            info = heap.find(wanted.address + inside)
            assert info is not None
            assert (info.tag, info.arena, info.inside) == (wanted.tag, wanted.arena, inside)


@pytest.mark.parametrize("arenas_", [1, 3])
def test_offsets_of_an_address_space(arenas_: int) -> None:
    """Over an AddressSpace the argument is an offset: every one of a full space finds its block."""
    with arenas.Heap(backing=arenas.AddressSpace(900), arenas=arenas_) as heap:
        blocks = [heap.alloc(30) for _ in range(30)]
        owner = {offset: block for block in blocks for offset in range(block.offset, block.offset + 30)}
        assert sorted(owner) == list(range(900))
        for offset, block in owner.items():
            info = heap.find(offset)
            assert info is not None
            assert (info.offset, info.address, info.inside) == (block.offset, None, offset - block.offset)
        assert heap.find(900) is heap.find(-1) is None


def test_offsets_in_a_file(tmp_path: Path) -> None:
    """Over a file a block's offset is its place in the file, whichever arena has it."""
    path = tmp_path / "file"
    with arenas.Heap(backing=arenas.FileMemory(path, 1 << 16), arenas=2) as heap:
        blocks = [heap.alloc(20_000), heap.alloc(20_000)]
        for number, block in enumerate(blocks):
            block.view[:] = bytes([number + 1]) * 20_000
            info = heap.find(block.address + 5)
            assert info is not None
            assert (info.offset, info.inside) == (block.offset, 5)
        written = path.read_bytes()
        for number, block in enumerate(blocks):
            assert written[block.offset : block.offset + 20_000] == bytes([number + 1]) * 20_000
