"""The promises of the design, one by one, at their most basic; the other files prove what follows from them."""

from __future__ import annotations

import ctypes
import functools
import gc
import re
from typing import TYPE_CHECKING, Any

import pytest

import arenas
from tests.heap._support import RELIEF_MAY_CHANGE, assert_whole, books, nothing_changes

if TYPE_CHECKING:
    from collections.abc import Callable

VIEWS: dict[str, Callable[[memoryview], Any]] = {
    "view": lambda view: view,
    "slice": lambda view: view[10:20],
    "cast": lambda view: view.cast("I"),
    "slice of a cast": lambda view: view.cast("H")[4:8],
    "ctypes": lambda view: (ctypes.c_ubyte * len(view)).from_buffer(view),
    "iterator": iter,
    "read-only": lambda view: view.toreadonly(),
}


@pytest.mark.parametrize("kind", VIEWS)
def test_1_never_recycled_under_a_view(kind: str) -> None:
    """Never recycled under a view: whatever was made from a view keeps its span parked, and its death gives it back."""
    heap = arenas.Heap(region_bytes=16384)
    block = heap.alloc(4096)
    place = block.address
    view = block.view
    view[:] = b"kept" * 1024
    witness = VIEWS[kind](view)
    del view
    block.free()
    stats = books(heap)
    assert (stats.parked_bytes, stats.live_blocks) == (4096, 0)
    others = [heap.alloc(4096) for _ in range(20)]
    for other in others:
        other.view[:] = b"\xff" * 4096
        assert not place <= other.address < place + 4096
    assert ctypes.string_at(place, 4096) == b"kept" * 1024
    assert re.search(r"parked", " ".join(span.state for span in heap.snapshot().spans))
    del witness
    assert books(heap).parked_bytes == 0
    del others, other
    assert_whole(heap)


def test_1_an_object_about_to_be_finalized_still_sees_its_memory() -> None:
    """Never recycled under a view: a finalizer in a dying cycle still reads what it wrote."""
    heap = arenas.Heap(region_bytes=4096)
    seen = []

    class Holder:
        def __init__(self, view: memoryview) -> None:
            self.view = view
            self.itself = self  # only the collector can end it

        def __del__(self) -> None:
            heap.stats()  # looks at what is parked
            seen.append(bytes(heap.alloc(1000, zero=True).view))
            seen.append(bytes(self.view))

    gc.collect()
    block = heap.alloc(1000)
    holder = Holder(block.view)
    holder.view[:] = b"x" * 1000
    block.free()
    del holder
    gc.collect()
    assert seen == [bytes(1000), b"x" * 1000]
    assert_whole(heap)


def test_2_every_byte_accounted_for() -> None:
    """Every byte accounted for: the parts add up to what is reserved, each of the size it must be."""
    heap = arenas.Heap(arenas=1, region_bytes=1 << 18)
    live, parked = heap.alloc(1000), heap.alloc(5000)
    view = parked.view
    parked.free()
    scope = heap.scope()
    scope.alloc(100)
    stats = books(heap)
    assert stats.live_bytes == 1100
    assert stats.rounding_bytes == live.capacity - 1000 + 128 - 100
    assert stats.parked_bytes == 5056
    assert stats.cached_bytes == (64 << 10) - 128
    assert (stats.guard_bytes, stats.mailbox_bytes, stats.quarantined_bytes) == (0, 0, 0)
    assert stats.free_bytes == stats.reserved_bytes - live.capacity - 5056 - (64 << 10)
    # The spans themselves, added up by state, say the same.
    states = {one.key: one.size for one in heap.snapshot().statistics("state")}
    assert states == {
        "live": live.capacity + 128,
        "parked": 5056,
        "scope": stats.cached_bytes,
        "free": stats.free_bytes,
    }
    scope.close()
    live.free()
    del view
    assert_whole(heap)


def test_2_check_finds_books_that_do_not_add_up() -> None:
    """Every byte accounted for: check() fails, with the state in its message, when a byte is miscounted or lost."""
    spoilers: list[Callable[[Any], None]] = [
        lambda table: setattr(table, "scope_bytes", table.scope_bytes + 1),
        lambda table: setattr(table, "carved_bytes", table.carved_bytes - 16),
        lambda table: setattr(table, "committed_bytes", table.committed_bytes + 4096),
        lambda table: table.placement.take(64, 64),
        lambda table: table.carved.pop(next(iter(table.carved))),
        lambda table: setattr(next(iter(table.carved.values())), "span", 32),
    ]
    for spoil in spoilers:
        heap = arenas.Heap(arenas=1, region_bytes=8192)
        kept = [heap.alloc(50) for _ in range(3)]
        heap.check()
        spoil(heap._manager.arenas[0].table)
        with pytest.raises(arenas.CorruptionError, match=r"arena 0.*carved .*free "):
            heap.check()
        del kept


def test_3_nothing_in_user_writable_memory_is_trusted() -> None:
    """Nothing in user-writable memory is trusted: overruns over every neighbour leave the books alone."""
    heap = arenas.Heap(arenas=1, region_bytes=65536)
    blocks = [heap.alloc(200) for _ in range(60)]
    addresses = [heap.malloc(100) for _ in range(60)]
    for block in blocks[::2]:
        block.free()
    for address in addresses[1::3]:
        heap.free(address)
    spans = heap.snapshot().spans
    for span in spans:
        assert span.address is not None
        ctypes.memset(span.address, 0xA5, span.span)
    assert heap.snapshot().spans == spans
    books(heap)
    for more in (*blocks[1::2], *(heap.alloc(500) for _ in range(20))):
        more.free()
    for index, address in enumerate(addresses):
        if index % 3 != 1:
            heap.free(address)
    assert_whole(heap)


def test_4_a_failed_operation_changes_nothing() -> None:
    """A failed operation changes nothing: whatever refused it, every block stays as it was."""
    heap = arenas.Heap(region_bytes=16384, limit_bytes=65536)
    block, address = heap.alloc(20_000), heap.malloc(20_000)
    block.view[:] = b"b" * 20_000
    ctypes.memset(address, ord("a"), 20_000)
    failures: list[tuple[Callable[[], Any], type[Exception]]] = [
        (lambda: heap.alloc(70_000), arenas.OutOfMemoryError),
        (lambda: heap.alloc(30_000), arenas.OutOfMemoryError),
        (functools.partial(block.resize, 50_000), arenas.OutOfMemoryError),
        (functools.partial(block.resize, -1), arenas.InvalidRequestError),
        (lambda: heap.realloc(address, 50_000), arenas.OutOfMemoryError),
        (lambda: heap.realloc(address + 16, 50_000), arenas.InteriorAddressError),
        (lambda: heap.calloc(1 << 40, 1 << 40), arenas.InvalidRequestError),
        (lambda: heap.free(address + 16), arenas.InteriorAddressError),
    ]
    for attempt, error in failures:
        with nothing_changes(heap, RELIEF_MAY_CHANGE | {"allocations", "frees"}), pytest.raises(error):
            attempt()
        assert (block.size, bytes(block.view)) == (20_000, b"b" * 20_000)
        assert ctypes.string_at(address, 20_000) == b"a" * 20_000
    block.free()
    heap.free(address)
    assert_whole(heap)
