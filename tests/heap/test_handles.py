"""Handles: what a block shows, what it is not, and what becomes of memory whose handle or heap goes."""

from __future__ import annotations

import copy
import ctypes
import gc
import pickle
import warnings
from typing import TYPE_CHECKING, Any

import pytest

import arenas
from tests.heap._support import assert_whole, books, in_thread, nothing_changes

if TYPE_CHECKING:
    from collections.abc import Callable


def test_what_a_block_shows() -> None:
    """size, capacity, alignment, arena, heap, tag, offset and address say what was asked and given."""
    heap = arenas.Heap()
    block = heap.alloc(100, alignment=256, tag="mine")
    assert (block.size, block.capacity, block.alignment, block.tag, block.heap) == (100, 128, 256, "mine", heap)
    assert (block.address % 256, block.released, block.arena) == (0, False, 0)
    assert heap.alloc(5).tag is None
    for name in ("size", "capacity", "alignment", "arena", "heap", "tag", "offset", "address", "view"):
        with pytest.raises(AttributeError):
            setattr(block, name, 1)


def test_its_repr() -> None:
    """A block's repr has its number, size, tag and state, and never fails."""
    heap = arenas.Heap()
    block, other = heap.alloc(100, tag="mine"), heap.alloc(0)
    assert repr(block) == "<Block #0.1 of 100 bytes, tag 'mine', live>"
    assert repr(other) == "<Block #0.2 of 0 bytes, live>"
    address = block.address
    block.free()
    assert repr(block) == "<Block #0.1 of 100 bytes, freed>"
    # Its record serves the next block of that size: nothing of that one is told as this one's.
    again = heap.alloc(70)
    assert again.address == address
    assert repr(block) == "<Block #0.1, freed>"
    heap.close()
    assert "freed" in repr(other)


@pytest.mark.parametrize("use", [memoryview, bytes, bytearray, ctypes.c_ubyte.from_buffer])
def test_a_block_is_no_buffer(use: Callable[[Any], Any]) -> None:
    """A block offers no buffer: what would keep only the handle alive is a TypeError."""
    block = arenas.Heap().alloc(8)
    assert not hasattr(block, "__buffer__")
    with pytest.raises(TypeError):
        use(block)


def test_no_array_over_a_handle() -> None:
    """np.ndarray(buffer=block) is a TypeError; block.ndarray is the way."""
    np = pytest.importorskip("numpy")
    with pytest.raises(TypeError):
        np.ndarray(8, "u1", buffer=arenas.Heap().alloc(8))


@pytest.mark.parametrize("use", [copy.copy, copy.deepcopy, pickle.dumps])
def test_handles_are_not_copied(use: Callable[[Any], Any]) -> None:
    """A second handle of one allocation would free it under the first: copying and pickling are TypeErrors."""
    heap = arenas.Heap()
    block = heap.alloc(8)
    with nothing_changes(heap), pytest.raises(TypeError):
        use(block)
    block.view[:] = b"12345678"


def test_each_view_is_its_own() -> None:
    """Each access gives a fresh writable memoryview of the whole block; releasing one leaves the others."""
    block = arenas.Heap().alloc(100)
    first, second = block.view, block.view
    assert first is not second
    assert (first.nbytes, first.format, first.readonly, first.c_contiguous) == (100, "B", False, True)
    first[:] = b"x" * 100
    first.release()
    assert bytes(second) == b"x" * 100
    assert len(arenas.Heap().alloc(0).view) == 0


def test_a_released_view_still_counts_while_a_slice_lives() -> None:
    """view.release() does not fool the heap: a slice made before still sees the memory, which stays parked."""
    heap = arenas.Heap(region_bytes=4096)
    block = heap.alloc(1000)
    view = block.view
    view[:] = b"x" * 1000
    part = view[:10]
    view.release()
    block.free()
    assert books(heap).parked_bytes == 1024
    heap.alloc(1000).view[:] = b"y" * 1000
    assert bytes(part) == b"x" * 10
    del part, view
    assert_whole(heap)


def test_zero_bytes_are_a_block() -> None:
    """alloc(0) and malloc(0) give something distinct each time, freed like any other."""
    heap = arenas.Heap()
    blocks = [heap.alloc(0) for _ in range(5)]
    addresses = [heap.malloc(0) for _ in range(5)]
    assert len({block.address for block in blocks} | set(addresses)) == 10
    assert (books(heap).live_blocks, heap.stats().live_bytes) == (10, 0)
    for block in blocks:
        block.free()
    for address in addresses:
        heap.free(address)
    del block
    assert_whole(heap)


def test_dropping_gives_back() -> None:
    """A block whose last reference goes is freed, also in another thread and in a cycle; each is counted as dropped."""
    heap = arenas.Heap()
    place = heap.alloc(3000).address
    assert heap.alloc(3000).address == place
    in_thread(lambda: heap.alloc(100).size)
    cycle: list[Any] = [heap.alloc(100)]
    cycle.append(cycle)
    del cycle
    gc.collect()
    stats = books(heap)
    assert (stats.live_blocks, stats.dropped) == (0, 4)
    assert_whole(heap)


def test_a_dropped_block_with_a_view_is_parked() -> None:
    """Dropping the handle leaves the view readable; its end gives the memory back."""
    heap = arenas.Heap()
    view = heap.alloc(1000).view
    view[:] = b"x" * 1000
    stats = books(heap)
    assert (stats.live_blocks, stats.parked_bytes, stats.dropped) == (0, 1024, 1)
    others = [heap.alloc(1000) for _ in range(10)]
    for other in others:
        other.view[:] = b"y" * 1000
    assert bytes(view) == b"x" * 1000
    del view, others, other
    assert_whole(heap)


def test_what_a_last_view_showed_serves_the_next_request() -> None:
    """The end of the view sends word, where memory may be awaited: however many others would be looked at before."""
    heap = arenas.Heap(limit_bytes=1 << 20)
    blocks = [heap.alloc(1000) for _ in range(100)]
    views = [block.view for block in blocks]
    address = blocks[-1].address
    for block in blocks:
        block.free()
    views.pop()
    assert heap.alloc(1000).address == address


def test_what_a_last_slice_showed_is_found_before_the_heap_grows() -> None:
    """The end of a slice that outlives its view sends none: it is looked for before more memory is asked for."""
    heap = arenas.Heap(region_bytes=1 << 17)
    for _ in range(10):
        block = heap.alloc(50_000)
        view = block.view
        part = view[1:]
        del view
        block.free()
        del part
    assert heap.stats().reserved_bytes == 1 << 17


def test_with_frees_and_lets_exceptions_pass() -> None:
    """`with block:` frees at its end, whatever happened inside; freed inside already, it ends quietly."""
    heap = arenas.Heap()
    with heap.alloc(10) as block:
        assert heap.stats().live_blocks == 1
    assert block.released
    blocks: dict[str, arenas.Block] = {}
    with pytest.raises(KeyError, match="mine"), heap.alloc(10) as blocks["theirs"]:
        blocks.pop("mine")
    assert blocks["theirs"].released
    with heap.alloc(10) as block:
        block.free()
    assert (books(heap).live_blocks, heap.stats().dropped) == (0, 0)


def test_a_warning_where_asked_for() -> None:
    """warn_on_drop=True: a dropped block gives a ResourceWarning with its number, size and tag."""
    heap = arenas.Heap(warn_on_drop=True)
    heap.alloc(100, tag="leaky")
    with pytest.warns(ResourceWarning, match=r"#0\.1 of 100 bytes, tag 'leaky' was dropped without free"):
        heap.stats()
    assert books(heap).live_blocks == 0


def test_no_warning_otherwise() -> None:
    """No warning by default, for what was freed, for addresses and scopes, nor where a view outlived the handle."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        quiet = arenas.Heap()
        quiet.alloc(100)
        books(quiet)
        heap = arenas.Heap(warn_on_drop=True)
        heap.alloc(100).free()
        with heap.alloc(100):
            pass
        with heap.scope() as scope:
            scope.alloc(100)
        heap.free(heap.malloc(100))
        view = heap.alloc(100).view
        books(heap)
        del view
        books(heap)
        outlived = heap.alloc(5)
        heap.close()
        del outlived
        heap.stats()


def test_no_warning_for_arrays() -> None:
    """An array without a handle is meant to be dropped: no warning."""
    pytest.importorskip("numpy")
    heap = arenas.Heap(warn_on_drop=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        heap.zeros(100)
        assert books(heap).live_blocks == 0


def test_views_of_a_closed_heap() -> None:
    """After close() views stay readable and writable, each other's neighbours apart, until they die."""
    heap = arenas.Heap(region_bytes=1 << 17)
    views = [heap.alloc(1000).view for _ in range(50)]
    for number, view in enumerate(views):
        view[:] = bytes([number]) * 1000
    heap.close()
    assert books(heap).reserved_bytes == 0
    again = arenas.Heap(region_bytes=1 << 17)
    others = [again.alloc(1000) for _ in range(50)]
    for other in others:
        other.view[:] = b"\xff" * 1000
    assert [bytes(view) for view in views] == [bytes([number]) * 1000 for number in range(50)]
    views[3][:] = b"!" * 1000
    assert bytes(views[4]) == bytes([4]) * 1000


def test_reset() -> None:
    """reset() frees everything and keeps the memory: handles and addresses are dead, what is seen is parked."""
    heap = arenas.Heap(region_bytes=1 << 17)
    blocks = [heap.alloc(1000) for _ in range(100)]
    large, address, theirs = heap.alloc(1 << 20), heap.malloc(100), in_thread(lambda: heap.alloc(100))
    view = blocks[50].view
    view[:] = b"x" * 1000
    before = books(heap)
    heap.reset()
    stats = books(heap)
    assert (stats.live_blocks, stats.live_bytes, stats.parked_bytes) == (0, 0, 1024)
    assert (stats.reserved_bytes, stats.committed_bytes) == (before.reserved_bytes, before.committed_bytes)
    assert (stats.frees, stats.dropped) == (103, 0)
    for block in (*blocks, large, theirs):
        with pytest.raises(arenas.DoubleFreeError):
            block.free()
    with pytest.raises(arenas.InvalidFreeError):
        heap.free(address)
    others = [heap.alloc(1000) for _ in range(99)]
    for other in others:
        other.view[:] = b"y" * 1000
    assert bytes(view) == b"x" * 1000
    assert heap.stats().reserved_bytes == before.reserved_bytes
    del view, others, other
    assert_whole(heap)


def test_the_heaps_repr() -> None:
    """A heap's repr has its name, its backing and its state."""
    heap = arenas.Heap(name="pictures")
    assert "'pictures'" in repr(heap)
    assert "AnonymousMemory" in repr(heap)
    heap.close()
    assert repr(heap).endswith("closed>")
