"""Two threads want the same block at the same moment: one wins, the other is told, and nothing is counted twice."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

import arenas
from tests.threads.helpers import PATIENCE_SECONDS, pattern, prove_whole, together

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 300
SIZE = 1000
pytestmark = pytest.mark.usefixtures("fast_switching")


def rounds(prepare: Callable[[int], object], *rivals: Callable[[int], object]) -> None:
    """``ROUNDS`` times: prepare, then let all rivals go at once, each in a thread of its own."""
    ready = threading.Barrier(len(rivals) + 1)

    def repeat(act: Callable[[int], object]) -> None:
        try:
            for number in range(ROUNDS):
                ready.wait(PATIENCE_SECONDS)
                act(number)
                ready.wait(PATIENCE_SECONDS)
        except BaseException:
            ready.abort()
            raise

    def lead() -> None:
        try:
            for number in range(ROUNDS):
                prepare(number)
                ready.wait(PATIENCE_SECONDS)
                ready.wait(PATIENCE_SECONDS)
        except BaseException:
            ready.abort()
            raise

    def unless_aborted(worker: Callable[[], object]) -> Callable[[], object]:
        def run() -> None:
            try:
                worker()
            except threading.BrokenBarrierError:
                broken.append(True)

        return run

    broken: list[bool] = []
    together(*map(unless_aborted, (lead, *(lambda act=act: repeat(act) for act in rivals))))
    assert not broken


@pytest.fixture(params=["thread", 1])
def heap(request: pytest.FixtureRequest) -> arenas.Heap:
    return arenas.Heap(arenas=request.param, region_bytes=1 << 16)


def test_one_of_three_frees_of_a_block_wins(heap: arenas.Heap) -> None:
    """Exactly one of simultaneous frees succeeds, the others get DoubleFreeError; the memory comes back once."""
    blocks: list[arenas.Block] = []
    wins: list[int] = []
    losses: list[int] = []

    def free(number: int) -> None:
        try:
            blocks[number].free()
        except arenas.DoubleFreeError:
            losses.append(number)
        else:
            wins.append(number)

    rounds(lambda _: blocks.append(heap.alloc(SIZE)), free, free, free)
    assert sorted(wins) == list(range(ROUNDS))
    assert len(losses) == 2 * ROUNDS
    assert heap.stats().frees == ROUNDS
    blocks.clear()
    prove_whole(heap)


def test_one_of_three_frees_of_an_address_wins(heap: arenas.Heap) -> None:
    """As for blocks: the losers are told that it was freed already, not that the address is a stranger's."""
    addresses: list[int] = []
    wins: list[int] = []
    losses: list[int] = []

    def free(number: int) -> None:
        try:
            heap.free(addresses[number])
        except arenas.DoubleFreeError:
            losses.append(number)
        else:
            wins.append(number)

    rounds(lambda _: addresses.append(heap.malloc(SIZE)), free, free, free)
    assert sorted(wins) == list(range(ROUNDS))
    assert len(losses) == 2 * ROUNDS
    prove_whole(heap)


def test_a_block_freed_while_it_is_dropped_ends_once(heap: arenas.Heap) -> None:
    """The free and the finalizer of one block at once: it is given back once, and its successor is left alone."""
    box: list[arenas.Block] = []
    keeper: list[arenas.Block] = []

    def free(_: int) -> None:
        try:
            box[0].free()
        except IndexError:
            keeper.append(heap.alloc(SIZE))  # dropped already; the successor in its place must survive
            keeper.pop().free()

    rounds(lambda _: box.append(heap.alloc(SIZE)), free, lambda _: box.clear(), lambda _: heap.stats())
    heap.check()
    assert heap.stats().frees == heap.stats().allocations
    prove_whole(heap)


def test_a_block_freed_while_the_heap_is_reset_ends_once(heap: arenas.Heap) -> None:
    """A reset and a free of one block at once: either may end it, and the loser gets DoubleFreeError."""
    blocks: list[arenas.Block] = []
    told: list[int] = []

    def free(number: int) -> None:
        try:
            blocks[number].free()
        except arenas.DoubleFreeError:
            told.append(number)

    rounds(lambda _: blocks.append(heap.alloc(SIZE)), free, lambda _: heap.reset())
    assert all(block.released for block in blocks)
    assert heap.stats().frees == ROUNDS
    prove_whole(heap)


def test_a_view_taken_while_the_block_is_freed_sees_only_that_block(heap: arenas.Heap) -> None:
    """View against free: a view that was handed out keeps its bytes, whoever allocates and writes meanwhile."""
    blocks: list[arenas.Block] = []
    views: list[memoryview] = []
    wrong: list[int] = []

    def prepare(number: int) -> None:
        views.clear()
        block = heap.alloc(SIZE)
        block.view[:] = pattern(number, SIZE)
        blocks.append(block)

    def look(number: int) -> None:
        try:
            view = blocks[number].view
        except arenas.BlockReleasedError:
            return
        views.append(view)
        wrong.extend(number for _ in range(3) if view != pattern(number, SIZE))

    def overwrite(_: int) -> None:
        for _ in range(3):
            heap.alloc(SIZE).view[:] = b"\xff" * SIZE

    def free(number: int) -> None:
        blocks[number].free()
        overwrite(number)

    rounds(prepare, look, free, overwrite)
    assert not wrong
    views.clear()
    prove_whole(heap)


@pytest.mark.parametrize("grown", [SIZE // 2, SIZE + 100, 8 * SIZE])
def test_a_view_taken_while_the_block_is_resized_has_its_bytes_and_its_size(heap: arenas.Heap, grown: int) -> None:
    """View against resize against free: every view is of the old size or the new, with the contents that were kept."""
    blocks: list[arenas.Block] = []
    fences: list[arenas.Block] = []
    wrong: list[object] = []
    common = min(SIZE, grown)

    def prepare(number: int) -> None:
        fences.clear()
        block = heap.alloc(SIZE)
        block.view[:] = pattern(number, SIZE)
        blocks.append(block)
        fences.append(heap.alloc(SIZE))  # behind it: growth has to move, unless there is room in the span

    def look(number: int) -> None:
        for _ in range(4):
            try:
                view = blocks[number].view
            except (arenas.BlockReleasedError, BufferError):
                continue
            if len(view) not in {SIZE, grown} or any(view[:common] != pattern(number, common) for _ in range(2)):
                wrong.append((number, len(view)))

    def resize(number: int) -> None:
        try:
            blocks[number].resize(grown)
        except (arenas.BlockReleasedError, BufferError):
            pass
        else:
            heap.alloc(SIZE).view[:] = b"\xff" * SIZE

    def free(number: int) -> None:
        if number % 2:
            blocks[number].free()
        heap.alloc(SIZE).view[:] = b"\xff" * SIZE

    rounds(prepare, look, resize, free)
    assert not wrong
    assert {block.size for block in blocks if not block.released} <= {SIZE, grown}
    fences.clear()
    for block in blocks:
        if not block.released:
            block.free()
    prove_whole(heap)


def test_two_resizes_and_a_free_at_once_end_the_block_once(heap: arenas.Heap) -> None:
    """A free always succeeds against resizes; they are told that the block is gone, or busy, and leak nothing."""
    blocks: list[arenas.Block] = []
    told: list[Exception] = []

    def resize(size: int) -> Callable[[int], object]:
        def act(number: int) -> None:
            try:
                blocks[number].resize(size)
            except (arenas.BlockReleasedError, BufferError) as error:
                told.append(error)

        return act

    rounds(lambda _: blocks.append(heap.alloc(SIZE)), resize(4 * SIZE), resize(9 * SIZE), lambda n: blocks[n].free())
    told.clear()
    assert all(block.released for block in blocks)
    assert heap.stats().live_blocks == 0
    prove_whole(heap)


def test_a_stale_handle_cannot_free_its_successor(heap: arenas.Heap) -> None:
    """After ``a.free(); b = alloc()`` at the same place, ``a`` is refused by every verb, and ``b`` is left alone."""
    stale = heap.alloc(SIZE)
    address = stale.address
    stale.free()
    block = heap.alloc(SIZE)
    assert block.address == address
    block.view[:] = pattern(1, SIZE)
    with pytest.raises(arenas.DoubleFreeError):
        stale.free()
    with pytest.raises(arenas.BlockReleasedError):
        stale.resize(1)
    with pytest.raises(arenas.BlockReleasedError):
        stale.view  # noqa: B018 - the access is what is refused
    del stale
    heap.check()
    assert heap.stats().live_blocks == 1
    assert block.view == pattern(1, SIZE)
    block.free()
    prove_whole(heap)
