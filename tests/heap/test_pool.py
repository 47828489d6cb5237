"""Pools: so many arrays and no more, each ready again when nothing can see it."""

from __future__ import annotations

import ctypes
import gc
from typing import TYPE_CHECKING, Any

import pytest

import arenas
from tests.heap._support import assert_whole, books

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

np = pytest.importorskip("numpy")

SHAPE = (8, 16)
BYTES = 128


@pytest.fixture
def heap() -> Iterator[arenas.Heap]:
    heap = arenas.Heap()
    yield heap
    gc.collect()
    assert_whole(heap)


def address(array: Any) -> int:
    number: int = array.ctypes.data
    return number


def test_what_a_pool_hands_out(heap: arenas.Heap) -> None:
    """Plain arrays of the shape and dtype asked for, writable, in C order, aligned; none overlaps another."""
    with heap.pool(SHAPE, "<u2", 4, alignment=256, tag="frames") as pool:
        arrays = [pool.get() for _ in range(4)]
        for number, array in enumerate(arrays):
            assert type(array) is np.ndarray
            assert (array.shape, array.dtype) == (SHAPE, np.dtype("<u2")) == (pool.shape, pool.dtype)
            assert array.flags.c_contiguous
            assert array.flags.writeable
            assert address(array) % 256 == 0
            array.flags.writeable = False
            array.flags.writeable = True
            array[:] = number
        assert [int(array.max()) for array in arrays] == [int(array.min()) for array in arrays] == [0, 1, 2, 3]
        assert [span.tag for span in heap.snapshot().spans if span.state == "live"] == ["frames"] * 4
        del array
        arrays.clear()


def test_what_a_pool_says_of_itself(heap: arenas.Heap) -> None:
    """How many arrays there are, how many are ready, and what they are."""
    pool = heap.pool(SHAPE, "u1", 3)
    assert (len(pool), pool.count, pool.free, pool.closed) == (3, 3, 3, False)
    kept = pool.get()
    assert (len(pool), pool.free) == (3, 2)
    assert repr(pool) == "<Pool of 3 arrays, each (8, 16) uint8 (128 bytes)>"
    del kept
    assert pool.free == 3
    pool.close()
    assert (len(pool), pool.free, pool.closed) == (3, 0, True)
    assert repr(pool).endswith(", closed>")


@pytest.mark.parametrize("timeout", [0, 0.01])
def test_a_pool_is_a_bound(heap: arenas.Heap, timeout: float) -> None:
    """With all arrays out there is no further one, in time or ever; the error says how many, and how long it took."""
    with heap.pool(SHAPE, "u1", 3) as pool:
        kept = [pool.get(timeout) for _ in range(3)]
        with pytest.raises(arenas.PoolTimeoutError, match=rf"{timeout} s: all 3 of \(8, 16\) uint8 \(128 bytes\)"):
            pool.get(timeout)
        assert books(heap).live_blocks == 3
        kept.clear()


def test_its_timeout_is_a_timeout() -> None:
    """Callers catch it as Python's own."""
    assert issubclass(arenas.PoolTimeoutError, TimeoutError)


def test_the_array_used_last_is_handed_out_first(heap: arenas.Heap) -> None:
    """Its memory is warm."""
    with heap.pool(SHAPE, "u1", 3) as pool:
        arrays: list[Any] = [pool.get() for _ in range(3)]
        addresses = [address(array) for array in arrays]
        for number in (1, 0, 2):
            arrays[number] = None
        arrays.clear()
        arrays = [pool.get() for _ in range(3)]
        assert [address(array) for array in arrays] == [addresses[number] for number in (2, 0, 1)]
        arrays.clear()


# Whatever can see an array's memory keeps it out.
SEES: dict[str, Callable[[Any], Any]] = {
    "the array": lambda array: array,
    "slice": lambda array: array[2:4, 3:],
    "slice of a slice": lambda array: array[2:4][1:][:1],
    "reshaped": lambda array: array.reshape(-1),
    "transposed": lambda array: array.T,
    "other dtype": lambda array: array.view("u2"),
    "subclass": lambda array: array.view(np.ma.MaskedArray),
    "array over it": lambda array: np.ndarray(4, "u1", buffer=array, offset=8),
    "array from its buffer": lambda array: np.frombuffer(array, "u1"),
    "strided": lambda array: np.lib.stride_tricks.as_strided(array, (4,), (2,)),
    "dlpack": np.from_dlpack,
    "memoryview": memoryview,
    "slice of a memoryview": lambda array: memoryview(array)[2:],
    "cast": lambda array: memoryview(array).cast("B"),
    "iterator": lambda array: array.flat,
    "ctypes over it": (ctypes.c_ubyte * BYTES).from_buffer,
    "its ctypes": lambda array: array.ctypes,
    "its base": lambda array: array.base,
    "array over its base": lambda array: np.frombuffer(array.base, "u1"),
    "slice of a memoryview of its base": lambda array: memoryview(array.base)[2:],
    "ctypes over its base": lambda array: (ctypes.c_ubyte * BYTES).from_buffer(array.base),
    "what its base keeps": lambda array: array.base.view,
    "slice of what its base keeps": lambda array: array.base.view[2:],
    "owner": lambda array: array.base.view.obj,
    "array over the owner": lambda array: np.frombuffer(array.base.view.obj, "u1"),
}


@pytest.mark.parametrize("name", SEES)
def test_whatever_sees_an_array_keeps_it_out(heap: arenas.Heap, name: str) -> None:
    """As long as it lives the array is not handed out; once it is gone it is."""
    with heap.pool(SHAPE, "u1", 1) as pool:
        array = pool.get()
        place = address(array)
        kept = [SEES[name](array)]
        del array
        assert pool.free == 0
        with pytest.raises(arenas.PoolTimeoutError):
            pool.get(0)
        kept.clear()
        assert pool.free == 1
        array = pool.get(0)
        assert address(array) == place
        del array


class Node:
    """In a cycle with itself, with a finalizer that still reads."""

    def __init__(self, seen: Any, pool: arenas.Pool) -> None:
        self.me = self
        self.seen = seen
        self.pool = pool
        self.read: list[Any] = []

    def __del__(self) -> None:
        try:
            self.pool.get(0)[...] = 0  # must not be the same memory
        except arenas.PoolTimeoutError:
            self.read.append(bytes(self.seen))


@pytest.mark.parametrize(
    "name", ["the array", "slice of a memoryview", "slice of a memoryview of its base", "its base"]
)
def test_garbage_in_a_cycle_keeps_it_out_until_its_finalizers_have_run(heap: arenas.Heap, name: str) -> None:
    """A finalizer in a dying cycle may still read the array; after that it is ready."""
    with heap.pool(SHAPE, "u1", 1) as pool:
        array = pool.get()
        array[:] = 7
        node = Node(SEES[name](array), pool)
        read = node.read
        del array, node
        gc.collect()
        assert [set(found) for found in read] == [{7}]
        assert pool.free == 1
        pool.get(0)


def test_an_array_of_no_bytes(heap: arenas.Heap) -> None:
    """There are so many of them and no more, like of others."""
    with heap.pool((0, 3), float, 2) as pool:
        kept = [pool.get(0), pool.get(0)]
        with pytest.raises(arenas.PoolTimeoutError):
            pool.get(0)
        kept.pop()
        kept.append(pool.get(0))
        assert kept[1].shape == (0, 3)
        kept.clear()


def test_all_memory_is_allocated_at_once_and_no_more(heap: arenas.Heap) -> None:
    """A pool never grows, however often it is used."""
    with heap.pool(SHAPE, "u1", 4) as pool:
        before = books(heap)
        for number in range(200):
            kept = [pool.get(0) for _ in range(number % 5)]
            kept.clear()
        after = books(heap)
        assert (after.allocations, after.live_blocks, after.reserved_bytes) == (4, 4, before.reserved_bytes)
