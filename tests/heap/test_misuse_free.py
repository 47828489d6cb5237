"""Frees of what is not a live allocation: each is refused by name, with numbers, and changes nothing."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import arenas
from tests.heap._support import in_thread, nothing_changes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Scene(NamedTuple):
    """A heap with something in it, and what can be got wrong there."""

    heap: arenas.Heap
    other: arenas.Heap
    block: arenas.Block
    freed_block: arenas.Block
    address: int
    freed_address: int

    def free_space(self) -> int:
        """An address inside the heap's memory that was never allocated."""
        (free,) = [span for span in self.heap.snapshot().spans if span.state == "free" and span.span >= 2048]
        assert free.address is not None
        return free.address + 1024


@pytest.fixture
def scene() -> Iterator[Scene]:
    heap = arenas.Heap(region_bytes=65536)
    block, freed_block = heap.alloc(100, tag="kept"), heap.alloc(100)
    address, freed_address = heap.malloc(100), heap.malloc(100)
    heap.malloc(16)  # what comes after it is in use: freed, it stays a span of its own
    freed_block.free()
    heap.free(freed_address)
    with arenas.Heap() as other:
        yield Scene(heap, other, block, freed_block, address, freed_address)
    assert heap.stats().live_blocks == 3
    heap.close()


class Misuse(NamedTuple):
    """An address that is not the start of a live allocation, and what a free of it is called."""

    name: str
    address: Callable[[Scene], int]
    error: type[Exception]
    message: str


# Memory of the C library's.
KEPT: Any = ctypes.create_string_buffer(8)

ADDRESSES = [
    Misuse("freed", lambda s: s.freed_address, arenas.DoubleFreeError, r"0x[0-9a-f]+ was freed already"),
    Misuse("inside", lambda s: s.address + 5, arenas.InteriorAddressError, r"lies 5 bytes inside .*\(100 bytes at 0x"),
    Misuse("inside a block", lambda s: s.block.address + 99, arenas.InteriorAddressError, "lies 99 bytes inside"),
    Misuse("in rounding", lambda s: s.address + 101, arenas.InteriorAddressError, "lies 101 bytes inside"),
    Misuse("a block's", lambda s: s.block.address, arenas.InvalidFreeError, r"block\.free\(\)"),
    Misuse("never allocated", lambda s: s.free_space(), arenas.InvalidFreeError, "0x[0-9a-f]+ lies in free memory"),
    Misuse("another heap's", lambda s: s.other.malloc(8), arenas.ForeignAddressError, "0x[0-9a-f]+ lies in no region"),
    Misuse("the C library's", lambda s: ctypes.addressof(KEPT), arenas.ForeignAddressError, "lies in no region"),
    Misuse("zero", lambda s: 0, arenas.ForeignAddressError, "0x0 lies in no region"),
    Misuse("negative", lambda s: -16, arenas.ForeignAddressError, "-0x10 lies in no region"),
    Misuse("beyond all", lambda s: 1 << 80, arenas.ForeignAddressError, "lies in no region"),
]

WRONG_TYPES: list[Any] = [1.5, "0x1000", b"12", [], {}]


@pytest.mark.parametrize("misuse", ADDRESSES, ids=lambda misuse: misuse.name)
def test_free_of_what_is_no_allocation(scene: Scene, misuse: Misuse) -> None:
    """A bad address is refused with its exact error and its number, and nothing changes."""
    address = misuse.address(scene)
    with nothing_changes(scene.heap), pytest.raises(misuse.error, match=misuse.message) as caught:
        scene.heap.free(address)
    assert type(caught.value) is misuse.error
    assert f"{address:#x}" in str(caught.value)


@pytest.mark.parametrize("misuse", ADDRESSES, ids=lambda misuse: misuse.name)
@pytest.mark.parametrize("size", [0, 8, 5000])
def test_realloc_of_what_is_no_allocation(scene: Scene, misuse: Misuse, size: int) -> None:
    """realloc refuses what free refuses, with the same error, whatever the size."""
    address = misuse.address(scene)
    with nothing_changes(scene.heap), pytest.raises(misuse.error, match=misuse.message) as caught:
        scene.heap.realloc(address, size)
    assert type(caught.value) is misuse.error


@pytest.mark.parametrize("value", WRONG_TYPES, ids=repr)
def test_wrong_types_are_no_addresses(scene: Scene, value: Any) -> None:
    """What is no integer is a TypeError for free, realloc and find, and nothing changes."""
    with nothing_changes(scene.heap):
        for call in (scene.heap.free, scene.heap.find, lambda value: scene.heap.realloc(value, 8)):
            with pytest.raises(TypeError):
                call(value)


def test_free_of_a_block_says_what_to_call(scene: Scene) -> None:
    """heap.free(block) is a TypeError that says "call block.free()"; so for realloc, and for a freed block."""
    for block in (scene.block, scene.freed_block):
        wrong: Any = block
        with nothing_changes(scene.heap):
            with pytest.raises(TypeError, match=r"call block\.free\(\)"):
                scene.heap.free(wrong)
            with pytest.raises(TypeError, match="is a handle, not an address"):
                scene.heap.realloc(wrong, 8)


def test_free_of_nothing_does_nothing(scene: Scene) -> None:
    """free(None) does nothing, as in C."""
    with nothing_changes(scene.heap):
        scene.heap.free(None)


def test_double_free_of_a_block(scene: Scene) -> None:
    """A block freed twice raises with its number and size, in this thread or another."""
    with nothing_changes(scene.heap):
        for call in (scene.freed_block.free, lambda: in_thread(scene.freed_block.free)):
            with pytest.raises(arenas.DoubleFreeError, match=r"#0\.2"):
                call()


def test_stale_handle_leaves_its_successor_alone(scene: Scene) -> None:
    """`b1.free(); b2 = alloc(); b1.free()` raises and leaves b2, in the same place, alone."""
    first = scene.heap.alloc(3000)
    place = first.address
    first.free()
    second = scene.heap.alloc(3000)
    assert second.address == place
    second.view[:] = b"2" * 3000
    with nothing_changes(scene.heap), pytest.raises(arenas.DoubleFreeError):
        first.free()
    assert bytes(second.view) == b"2" * 3000
    second.free()


def test_a_freed_address_is_a_double_free_only_while_unused(scene: Scene) -> None:
    """An address freed and given out again is the new owner's: it frees, once."""
    address = scene.heap.malloc(3000)
    scene.heap.free(address)
    assert scene.heap.malloc(3000) == address
    scene.heap.free(address)
    with pytest.raises(arenas.DoubleFreeError):
        scene.heap.free(address)


def test_address_of_a_region_that_went_back_is_foreign() -> None:
    """Once its region was given back, an address is in no region: refused as foreign."""
    heap = arenas.Heap(region_bytes=4096)
    address = heap.malloc(10_000)
    heap.free(address)
    heap.trim()
    with nothing_changes(heap), pytest.raises(arenas.ForeignAddressError, match=f"{address:#x}"):
        heap.free(address)


USES: dict[str, Callable[[arenas.Block], Any]] = {
    "size": lambda block: block.size,
    "capacity": lambda block: block.capacity,
    "tag": lambda block: block.tag,
    "view": lambda block: block.view,
    "address": lambda block: block.address,
    "offset": lambda block: block.offset,
    "resize": lambda block: block.resize(10),
    "with": lambda block: block.__enter__(),
}


@pytest.mark.parametrize("use", USES)
def test_use_of_a_released_block(scene: Scene, use: str) -> None:
    """Every use of a freed block raises BlockReleasedError with its number; it can still be named, and asked."""
    with nothing_changes(scene.heap), pytest.raises(arenas.BlockReleasedError, match=r"#0\.2"):
        USES[use](scene.freed_block)
    assert scene.freed_block.released
    assert scene.freed_block.heap is scene.heap
    assert "freed" in repr(scene.freed_block)


def test_array_over_a_released_block(scene: Scene) -> None:
    """block.ndarray of a freed block raises BlockReleasedError."""
    pytest.importorskip("numpy")
    with nothing_changes(scene.heap), pytest.raises(arenas.BlockReleasedError, match="100 bytes"):
        scene.freed_block.ndarray(10, "u1")
