"""Arrays in a heap's memory: plain numpy.ndarray objects, recycled when the last view of them has died."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

import arenas
from tests.heap._support import assert_whole, books, nothing_changes

np = pytest.importorskip("numpy")

SHAPES: list[Any] = [(), 0, 7, (7,), (3, 4), (2, 3, 5), (0,), (4, 0, 3), [2, 2], (1, 1, 1, 1, 1)]


@pytest.fixture
def heap() -> arenas.Heap:
    return arenas.Heap(region_bytes=1 << 18)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(
    "dtype", ["u1", "<i2", ">f8", "c16", "?", "S5", "U3", "M8[s]", [("a", "u1"), ("b", "f8", (2,))]], ids=str
)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_plain_arrays(heap: arenas.Heap, shape: Any, dtype: Any, order: Any) -> None:
    """ndarray, zeros, full and array give plain writable arrays, with all that NumPy's own have."""
    mine = [heap.ndarray(shape, dtype, order=order), heap.zeros(shape, dtype, order=order)]
    theirs = [np.zeros(shape, dtype, order)] * 2
    value = np.ones((), dtype)[()]
    mine += [heap.full(shape, value, dtype, order=order), heap.array(theirs[0], order=order)]
    theirs += [np.full(shape, value, dtype, order), theirs[0]]
    mine[0][...] = np.zeros((), dtype)
    for array, wanted in zip(mine, theirs, strict=True):
        assert type(array) is np.ndarray
        assert (array.shape, array.dtype) == (wanted.shape, wanted.dtype)
        assert array.size == 0 or array.strides == wanted.strides
        assert array.flags.writeable
        assert array.flags.aligned
        np.testing.assert_array_equal(array, wanted)
    stats = books(heap)
    assert (stats.live_blocks, stats.live_bytes) == (4, 4 * theirs[0].nbytes)
    del mine, array
    assert_whole(heap)


def test_what_dtype_they_get(heap: arenas.Heap) -> None:
    """Without a dtype ndarray and zeros are float64, full has its value's, array its source's; a named one converts."""
    assert heap.ndarray(3).dtype == heap.zeros(3).dtype == np.float64
    assert heap.full(3, 7).dtype == np.full(3, 7).dtype
    assert heap.full(3, 1.5, "i4").tolist() == [1, 1, 1]
    assert heap.full((2, 2), [1, 2]).tolist() == [[1, 2], [1, 2]]
    array: Any = None
    for source in ([[1, 2], [3, 4]], 5, b"abc", (True, False), np.arange(6)[::2], range(4), np.float32(2)):
        array, wanted = heap.array(source), np.array(source)
        assert (array.dtype, array.shape, array.tolist()) == (wanted.dtype, wanted.shape, wanted.tolist())
        assert heap.find(array.ctypes.data) is not None
    assert heap.array([1, 2], "f4").dtype == np.float32
    del array
    assert_whole(heap)


def test_a_copy_is_a_copy(heap: arenas.Heap) -> None:
    """array() copies: writing to it leaves the source alone."""
    source = np.arange(5)
    heap.array(source)[:] = 9
    assert source.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("shape", "dtype", "error"),
    [
        (3, "O", TypeError),
        (3, [("a", "O")], TypeError),
        (3, "no such type", TypeError),
        (1.5, "u1", TypeError),
        ("ab", "u1", TypeError),
        (None, "u1", TypeError),
        (-1, "u1", arenas.InvalidRequestError),
        ((2, -3), "u1", arenas.InvalidRequestError),
        ((1 << 40, 1 << 40), "u1", arenas.InvalidRequestError),
    ],
    ids=str,
)
def test_arrays_that_cannot_be(heap: arenas.Heap, shape: Any, dtype: Any, error: type[Exception]) -> None:
    """Objects, unknown types, negative and absurd shapes are refused, and nothing is allocated."""
    block = heap.alloc(100)
    with nothing_changes(heap):
        for make in (heap.ndarray, heap.zeros, heap.scope().ndarray, block.ndarray):
            with pytest.raises(error):
                make(shape, dtype)


def test_objects_are_refused_with_the_reason(heap: arenas.Heap) -> None:
    """An array of objects would hold references nobody sees: a TypeError says so, copied or filled too."""
    with nothing_changes(heap):
        for make in (heap.array, heap.zeros, heap.ndarray):
            with pytest.raises(TypeError, match="references to objects"):
                make(3, object)
        with pytest.raises(TypeError, match="references to objects"):
            heap.full(3, None)


@pytest.mark.parametrize(
    "derive",
    [
        lambda array: array,
        lambda array: array[2:5],
        lambda array: array[::-2],
        lambda array: array.reshape(2, -1),
        lambda array: array.view("u4"),
        lambda array: array.T,
        memoryview,
        lambda array: array.base,
        lambda array: np.asarray(memoryview(array)[4:8]),
        lambda array: np.frombuffer(array, "u2"),
        lambda array: np.lib.stride_tricks.as_strided(array, (3,), (1,)),
        lambda array: np.broadcast_to(array, (3, 1000)),
        np.from_dlpack,
        lambda array: array.flat,
        iter,
        np.nditer,
    ],
    ids=lambda _: "",
)
def test_memory_is_used_again_when_the_last_view_dies(heap: arenas.Heap, derive: Any) -> None:
    """Whatever sees an array's memory keeps it; when the last of it has died the memory is free, without any call."""
    array = heap.zeros(1000, "u1")
    place = array.ctypes.data
    witness = derive(array)
    del array
    assert books(heap).live_bytes == 1000
    others = [heap.full(1000, 255, "u1") for _ in range(10)]
    assert place not in {other.ctypes.data for other in others}
    del witness
    assert books(heap).live_blocks == 10
    assert heap.zeros(1000, "u1").ctypes.data == place
    del others
    assert_whole(heap)


def test_at_once(heap: arenas.Heap) -> None:
    """An array that died is found by the very next call, whatever that is; nobody has to look for it."""
    place = heap.zeros(50_000, "u1").ctypes.data
    assert heap.stats().live_blocks == 0
    assert heap.ndarray(50_000, "u1").ctypes.data == place
    assert heap.full((100, 5), 7).base is not None
    assert heap.alloc(50_000).address == place
    books(heap)


def test_an_array_in_a_cycle(heap: arenas.Heap) -> None:
    """Held by a cycle, an array's memory is free once that was collected."""

    class Node:
        pass

    node = Node()
    node.itself, node.array = node, heap.zeros(1000, "u1")  # type: ignore[attr-defined]
    gone = weakref.ref(node)
    del node
    gc.collect()
    assert gone() is None
    assert_whole(heap)


def test_arrays_survive_their_heap() -> None:
    """After heap.close(), and after the heap is gone, an array is readable and writable as before."""
    heap = arenas.Heap()
    small, large = heap.full((10, 10), 3, "i4"), heap.full(3 << 20, 7, "u1")
    part = large[100:200]
    heap.close()
    del large, heap
    gc.collect()
    small += 1
    part += 1
    assert small.tolist() == [[4] * 10] * 10
    assert part.tolist() == [8] * 100


def test_arrays_survive_a_reset(heap: arenas.Heap) -> None:
    """reset() parks what an array still shows; nobody else gets it before the array has died."""
    array = heap.full(1000, 7, "u1")
    heap.reset()
    assert (books(heap).parked_bytes, heap.stats().live_blocks) == (1024, 0)
    others = [heap.full(1000, 255, "u1") for _ in range(10)]
    assert (array == 7).all()
    del array, others
    assert_whole(heap)


def test_the_array_over_a_block(heap: arenas.Heap) -> None:
    """block.ndarray shows the block's memory from its start, counts as a view, and must fit."""
    block = heap.alloc(100)
    array = block.ndarray((5, 5), "i4")
    array[...] = np.arange(25).reshape(5, 5)
    assert bytes(block.view) == np.arange(25, dtype="i4").tobytes()
    assert array.ctypes.data == block.address
    assert block.ndarray(12).dtype == np.float64
    too_large: list[Any] = [((5, 6), "i4"), (13, float), (101, "u1")]
    for shape, dtype in too_large:
        with nothing_changes(heap), pytest.raises(arenas.InvalidRequestError, match="bytes"):
            block.ndarray(shape, dtype)
    with pytest.raises(BufferError):
        block.resize(200)
    block.free()
    assert books(heap).parked_bytes == 128
    del array
    assert_whole(heap)


def test_tags_and_timeouts() -> None:
    """The makers pass tag and timeout on: out of memory names the arrays' tag, and waits before it does."""
    heap = arenas.Heap(limit_bytes=1 << 16, region_bytes=1 << 16)
    kept = [heap.ndarray(20_000, "u1", tag="frames"), heap.zeros(20_000, "u1", tag="frames")]
    kept += [heap.full(5_000, 1, "u1", tag="masks"), heap.array(np.zeros(5_000, "u1"), tag="masks")]
    for make in (heap.ndarray, heap.zeros):
        with pytest.raises(arenas.OutOfMemoryError, match="held by frames: 40000, masks: 10000"):
            make(60_000, "u1", timeout=0.01)
    del kept
    assert_whole(heap)


def test_an_overlooked_failure_frees_the_memory(heap: arenas.Heap) -> None:
    """A value that cannot be stored raises NumPy's own error, and no memory stays behind."""
    with pytest.raises(ValueError, match="invalid literal"):
        heap.full(1000, "x", "i4")
    with pytest.raises(ValueError, match="broadcast"):
        heap.full(3, [1, 2])
    gc.collect()
    assert_whole(heap)


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(TypeError, match="colour"):
        arenas.Heap().ndarray(3, colour="red")  # type: ignore[call-arg]
