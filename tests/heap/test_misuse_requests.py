"""Requests that no heap can serve: each is refused by name, with numbers, and changes nothing."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

import arenas
from tests.heap._support import RELIEF_MAY_CHANGE, assert_whole, books, in_thread, nothing_changes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HUGE = sys.maxsize + 1


@pytest.fixture
def heap() -> Iterator[arenas.Heap]:
    with arenas.Heap(region_bytes=8192) as heap:
        kept = heap.alloc(100), heap.malloc(100)
        yield heap
        kept[0].free()
        heap.free(kept[1])
        assert_whole(heap)


# What is asked, what it is called, and the numbers its message shows.
REFUSED: dict[str, tuple[Callable[[arenas.Heap], Any], str]] = {
    "alloc negative": (lambda heap: heap.alloc(-1), "-1"),
    "alloc absurd": (lambda heap: heap.alloc(HUGE), f"{HUGE}"),
    "alloc beyond words": (lambda heap: heap.alloc(1 << 200), f"{1 << 200}"),
    "malloc negative": (lambda heap: heap.malloc(-5), "-5"),
    "malloc absurd": (lambda heap: heap.malloc(HUGE), f"{HUGE}"),
    "calloc negative size": (lambda heap: heap.calloc(2, -3), "-3"),
    "calloc negative count": (lambda heap: heap.calloc(-2, 3), "count.*-2"),
    "calloc two negatives": (lambda heap: heap.calloc(-2, -3), "count.*-2"),
    "calloc overflow": (lambda heap: heap.calloc(1 << 33, 1 << 33), f"{1 << 66}"),
    "realloc negative": (lambda heap: heap.realloc(None, -1), "-1"),
    "realloc absurd": (lambda heap: heap.realloc(None, HUGE), f"{HUGE}"),
    "alignment zero": (lambda heap: heap.alloc(8, alignment=0), "power of two: 0"),
    "alignment negative": (lambda heap: heap.alloc(8, alignment=-16), "power of two: -16"),
    "alignment odd": (lambda heap: heap.alloc(8, alignment=3), "power of two: 3"),
    "alignment 48": (lambda heap: heap.alloc(8, alignment=48), "power of two: 48"),
    "alignment too large": (lambda heap: heap.alloc(8, alignment=1 << 31), f"{1 << 31}.*{1 << 30}"),
    "aligned_alloc odd": (lambda heap: heap.aligned_alloc(3, 8), "power of two: 3"),
    "aligned_alloc too large": (lambda heap: heap.aligned_alloc(1 << 40, 8), f"{1 << 40}"),
    "adopt without a lasting place": (lambda heap: heap.adopt(0, 8), "AnonymousMemory"),
    "adopt negative": (lambda heap: heap.adopt(-8, 8), "offset.*-8"),
    "resize negative": (lambda heap: heap.alloc(8).resize(-1), "-1"),
    "resize absurd": (lambda heap: heap.alloc(8).resize(HUGE), f"{HUGE}"),
}

TEXT: Any = "soon"
NUMBER: Any = 5

WRONG_TYPES: dict[str, Callable[[arenas.Heap, Any], Any]] = {
    "alloc": lambda heap, value: heap.alloc(value),
    "malloc": lambda heap, value: heap.malloc(value),
    "calloc count": lambda heap, value: heap.calloc(value, 8),
    "calloc size": lambda heap, value: heap.calloc(8, value),
    "realloc size": lambda heap, value: heap.realloc(None, value),
    "alignment": lambda heap, value: heap.alloc(8, alignment=value if value is not None else TEXT),
    "aligned_alloc": lambda heap, value: heap.aligned_alloc(value, 8),
    "tag": lambda heap, value: heap.alloc(8, tag=NUMBER if value is None or isinstance(value, str) else value),
    "scope": lambda heap, value: heap.scope().alloc(value),
    "adopt": lambda heap, value: heap.adopt(value, 8),
    "timeout": lambda heap, value: heap.alloc(8, timeout=TEXT if value in (None, 1.5) else value),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_requests(heap: arenas.Heap, name: str) -> None:
    """A request that cannot be is an InvalidRequestError with its number, and no memory out of memory."""
    request, message = REFUSED[name]
    before = books(heap)
    with pytest.raises(arenas.InvalidRequestError, match=message):
        request(heap)
    change = books(heap) - before
    if "resize" not in name:  # which needs a block first
        assert (change.allocations, change.frees) == (0, 0)
    assert (change.live_bytes, change.live_blocks, change.reserved_bytes, change.committed_bytes) == (0, 0, 0, 0)


@pytest.mark.parametrize("call", WRONG_TYPES)
@pytest.mark.parametrize("value", [1.5, "8", None, [8]], ids=repr)
def test_wrong_types(heap: arenas.Heap, call: str, value: Any) -> None:
    """What is no integer (or no text, no seconds, where that is wanted) is a TypeError, and nothing changes."""
    with nothing_changes(heap), pytest.raises(TypeError):
        WRONG_TYPES[call](heap, value)


@pytest.mark.parametrize("timeout", [float("nan"), -1, -0.5])
def test_a_timeout_that_is_none(heap: arenas.Heap, timeout: float) -> None:
    """A negative timeout, or one that is no number, is refused at once, not only when memory is short."""
    with nothing_changes(heap), pytest.raises(arenas.InvalidRequestError, match="timeout"):
        heap.alloc(8, timeout=timeout)


def test_whatever_has_index_is_a_size(heap: arenas.Heap) -> None:
    """Anything with __index__ is a size, an alignment, an address."""

    class Number:
        def __init__(self, value: int) -> None:
            self.value = value

        def __index__(self) -> int:
            return self.value

    block = heap.alloc(Number(10), alignment=Number(4096))
    assert (block.size, block.address % 4096) == (10, 0)
    address = heap.realloc(Number(heap.malloc(Number(5))), Number(7))
    heap.free(Number(address or 0))


def test_more_than_there_is_is_out_of_memory(heap: arenas.Heap) -> None:
    """A size that an address space can hold but this machine cannot give is OutOfMemoryError, a MemoryError."""
    size = sys.maxsize - 4096
    with nothing_changes(heap, RELIEF_MAY_CHANGE), pytest.raises(MemoryError, match=f"{size}") as caught:
        heap.alloc(size)
    assert isinstance(caught.value, arenas.OutOfMemoryError)
    assert heap.stats().out_of_memory == 1


def test_a_failed_request_leaves_the_reserve_alone() -> None:
    """A request that the limit forbids reserves no address space either, however often it is made."""
    heap = arenas.Heap(region_bytes=1 << 20, limit_bytes=65536)
    kept = heap.alloc(60_000)
    reserved = books(heap).reserved_bytes
    for _ in range(5):
        with pytest.raises(arenas.OutOfMemoryError):
            heap.alloc(30_000)
        assert books(heap).reserved_bytes == reserved
    kept.free()
    assert_whole(heap)


SPACE: dict[str, Callable[[arenas.Heap], Any]] = {
    "view": lambda heap: heap.alloc(8).view,
    "address": lambda heap: heap.alloc(8).address,
    "malloc": lambda heap: heap.malloc(8),
    "calloc": lambda heap: heap.calloc(1, 8),
    "aligned_alloc": lambda heap: heap.aligned_alloc(8, 8),
    "realloc": lambda heap: heap.realloc(None, 8),
    "zero": lambda heap: heap.alloc(8, zero=True),
    "zero in a scope": lambda heap: heap.scope().alloc(8, zero=True),
}


@pytest.mark.parametrize("use", SPACE)
def test_address_space_has_no_memory(use: str) -> None:
    """What needs memory is an InvalidRequestError over an AddressSpace, which says so; no allocation comes of it."""
    heap = arenas.Heap(backing=arenas.AddressSpace(100))
    with pytest.raises(arenas.InvalidRequestError, match="AddressSpace"):
        SPACE[use](heap)
    stats = books(heap)
    assert stats.live_blocks == 0
    assert stats.allocations == (use in {"view", "address"})


def test_address_space_has_no_arrays() -> None:
    """An array over an AddressSpace is an InvalidRequestError, and no allocation is left of it."""
    pytest.importorskip("numpy")
    heap = arenas.Heap(backing=arenas.AddressSpace(100))
    for make in (heap.ndarray, heap.zeros, heap.scope().ndarray):
        with pytest.raises(arenas.InvalidRequestError, match="AddressSpace"):
            make(4, "u1")
    assert books(heap).live_blocks == 0


def test_adopt_refuses_what_is_not_free(tmp_path: Path) -> None:
    """adopt of a taken, misaligned or outside range raises with its numbers and changes nothing."""
    heap = arenas.Heap(backing=arenas.FileMemory(tmp_path / "file", 8192))
    kept = heap.adopt(1024, 100)
    for offset, size, message in [
        (1024, 10, r"\[1024, 1088\)"),
        (960, 128, r"\[960, 1088\)"),
        (8128, 128, r"\[8128, 8256\)"),
        (1 << 40, 1, f"{1 << 40}"),
        (100, 8, "100 is not a multiple of the alignment, 64"),
    ]:
        with nothing_changes(heap), pytest.raises(arenas.InvalidRequestError, match=message):
            heap.adopt(offset, size)
    kept.free()


def test_a_scope_belongs_to_its_thread() -> None:
    """Another thread that allocates in, enters or closes a scope is refused, and nothing changes."""
    heap = arenas.Heap()
    scope = heap.scope()
    scope.alloc(10)
    with nothing_changes(heap):
        for use in (lambda: scope.alloc(10), scope.close, scope.__enter__):
            with pytest.raises(arenas.InvalidRequestError, match="thread"):
                in_thread(use)
    scope.close()
    assert_whole(heap)
