"""The heap is reset by another thread, or closed by a handler, in the middle of a request."""

from __future__ import annotations

import pytest

import arenas
from tests.threads._interleave import interleave
from tests.threads.helpers import elsewhere, prove_whole
from tests.threads.points import Points

SIZE = 3000
DIRT = b"\xff" * SIZE


class Request:
    """A request, and a reset followed by somebody else's request at one of its points."""

    def __init__(self, *, zero: bool) -> None:
        self.heap = arenas.Heap(arenas=1, region_bytes=1 << 16, cache_bytes=0, clock=lambda: 100.0)
        dirty = self.heap.alloc(2 * SIZE)
        dirty.view[:] = 2 * DIRT
        dirty.free()
        self.zero = zero
        self.others: list[arenas.Block] = []

    def at(self, index: int | None) -> Points:
        """Both; what either holds afterwards is its own."""
        lock = self.heap._manager.arenas[0].lock
        points = Points(index, lambda: elsewhere(self._strike), open_to_others=lambda _: not lock.locked())
        blocks: list[arenas.Block] = []
        points.run(lambda: blocks.append(self.heap.alloc(SIZE, zero=self.zero)))
        self.retried = bool(self.heap.stats().allocations > 2 + len(self.others))
        (self.block,) = blocks
        assert all(other.view == DIRT for other in self.others)
        assert self.block.released or not self.zero or self.block.view == bytes(SIZE)
        return points

    def end(self) -> None:
        """Nothing is left."""
        for block in (self.block, *self.others):
            if not block.released:
                block.free()
        del block
        prove_whole(self.heap)

    def _strike(self) -> None:
        self.heap.reset()
        self.others.append(self.heap.alloc(SIZE))
        self.others[0].view[:] = DIRT


@pytest.mark.usefixtures("quick_collections")
@pytest.mark.parametrize("zero", [False, True])
def test_a_request_survives_a_reset(zero: bool) -> None:
    """What it was given before the reset is gone, and left alone: it is served again, as if it had come after."""
    Request(zero=zero).at(None)
    served_again = 0
    for index in interleave.worth_trying(Request(zero=zero).at(None).seen):
        request = Request(zero=zero)
        request.at(index)
        served_again += request.retried and not request.block.released
        request.end()
    assert served_again


class Closing(arenas.BestFit):
    """Best fit with a handler in the middle of taking a span: it closes the heap."""

    __slots__ = ()
    heap: arenas.Heap | None = None

    def take(self, size: int, alignment: int) -> tuple[int, int] | None:
        found = super().take(size, alignment)
        heap, Closing.heap = Closing.heap, None
        if heap:
            heap.close()
        return found


def test_a_closed_heap_gives_nothing() -> None:
    """The handler cannot wait for the request that it interrupted, whose block goes back then."""
    heap = arenas.Heap(placement=Closing)
    heap.alloc(SIZE).free()
    Closing.heap = heap
    with pytest.raises(arenas.HeapClosedError):
        heap.alloc(2 * SIZE)
    assert heap.closed
    heap.close()
    assert heap.stats().reserved_bytes == 0
