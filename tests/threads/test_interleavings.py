"""Two threads at one block, in every order: one stands still at each of its points while the other acts."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import arenas
from tests.threads._interleave import interleave
from tests.threads.helpers import elsewhere, pattern
from tests.threads.points import Points

if TYPE_CHECKING:
    from types import CodeType

pytestmark = pytest.mark.usefixtures("quick_collections")
SIZE = 1024
LARGER = 3 * SIZE
LIMIT = 1 << 14
CHUNK = 1 << 16  # a scope's
REFUSALS = (arenas.BlockReleasedError, arenas.InvalidFreeError, arenas.HeapClosedError, BufferError)


class Case:
    """A block, filled, with a fence behind it, in a heap whose locks are known."""

    def __init__(self, first: str) -> None:
        self.first = first
        scoped = first == "bump"
        self.locks: list[threading.Lock] = []
        limit = LIMIT + CHUNK if scoped else LIMIT
        self.heap = arenas.Heap(
            arenas=1, region_bytes=2 * limit, limit_bytes=limit, lock_factory=self.new_lock, clock=lambda: 100.0
        )
        self.block = self.heap.alloc(SIZE)
        self.block.view[:] = pattern(1, SIZE)
        self.fence = self.heap.alloc(64)
        self.views: list[memoryview] = []
        self.others: list[arenas.Block] = []
        self.frees: list[bool] = []
        self.resized = 0
        self.kept = SIZE  # of its contents, wherever it goes
        self.ended = False  # the block, by a free that was asked for, or with its heap
        self.scope = self.heap.scope()
        self.pieces = [self.scope.alloc(8)] if scoped else []

    def new_lock(self) -> threading.Lock:
        """A lock that can be asked whether it is held."""
        self.locks.append(threading.Lock())
        return self.locks[-1]

    def unlocked(self) -> bool:
        """Whether nobody would wait."""
        return not any(lock.locked() for lock in self.locks)

    def view(self) -> None:
        """A view, which is kept."""
        self.views.append(self.block.view)

    def free(self) -> None:
        """The end of the block: by this or by another that was first."""
        before, self.ended = self.ended, True
        try:
            self.block.free()
        except BufferError:  # only without the GIL: met between two stores of a move that never goes on
            self.ended = before
            raise
        self.frees.append(True)

    def grow(self) -> None:
        """A resize that has to move."""
        self.block.resize(LARGER)
        self.resized += 1

    def shrink(self) -> None:
        """A resize in place."""
        self.block.resize(SIZE // 2)
        self.resized += 1
        self.kept = SIZE // 2

    def grow_and_view(self) -> None:
        """What a resize in progress refuses, and what it bars."""
        with contextlib.suppress(*REFUSALS):
            self.grow()
        self.view()

    def bump(self) -> None:
        """Another piece of the scope's chunk."""
        self.pieces.append(self.scope.alloc(8))

    def reset(self) -> None:
        """The end of all blocks."""
        self.ended = True
        self.heap.reset()

    def close(self) -> None:
        """The end of the heap."""
        self.ended = True
        self.heap.close()

    def check(self) -> None:
        """A look at the books."""
        self.heap.check()

    def try_it(self, name: str) -> None:
        """The operation of that name; that it is refused is no failure."""
        with contextlib.suppress(*REFUSALS):
            getattr(self, name)()

    def strike(self, name: str) -> None:
        """What the other thread does."""
        self.try_it(name)
        if self.unlocked():
            taken = self.overwrite(b"\xff")
            self.others += [block for block in taken if block.size == SIZE][:1]

    def overwrite(self, byte: bytes) -> list[arenas.Block]:
        """Take all memory there is, and write over it."""
        taken = []
        for size in (CHUNK // 4, SIZE, 64):
            with contextlib.suppress(arenas.OutOfMemoryError, arenas.HeapClosedError):
                while True:
                    taken.append(self.heap.alloc(size))
                    taken[-1].view[:] = byte * size
        return taken

    def verify(self) -> None:
        """Every view has the size and the bytes of its block; the block ended once at most; what others took meanwhile
        is theirs; nothing is left.
        """
        while self.others:
            other = self.others.pop()
            if not other.released or self.first != "reset":
                assert other.view == b"\xff" * SIZE
                other.free()
        assert all(len(view) in {SIZE, LARGER, SIZE // 2} for view in self.views)
        assert all(view[: self.kept] == pattern(1, min(len(view), self.kept)) for view in self.views)
        assert len(self.frees) <= 1
        assert self.block.released == self.ended
        self.scope.close()
        self.pieces.clear()
        if not self.block.released:
            assert not self.frees
            assert self.block.view[: SIZE // 2] == pattern(1, SIZE // 2)
            # A block with a view alive has not moved: what is written into the one is in the other.
            for number in range(len(self.views)):
                self.views[number][0] ^= 0xFF
                assert self.views[number][0] == self.block.view[0]
            self.views.clear()
            self.block.free()
        self.views.clear()
        if not self.heap.closed:
            if not self.fence.released:
                self.fence.free()
            self.heap.check()
            stats = self.heap.stats()
            assert (stats.live_blocks, stats.parked_bytes, stats.mailbox_bytes) == (0, 0, 0), stats
            assert stats.allocations == stats.frees, stats
            self.heap.trim()
        self.heap.check()
        assert self.heap.stats().reserved_bytes == 0


FIRST = ["view", "free", "grow", "shrink", "bump", "reset"]
SECOND = ["view", "free", "grow", "shrink", "grow_and_view", "reset", "close", "check"]
WAITS_FOR_NOBODY = {"view", "free"}
# Modules whose objects only the holder of the lock looks at.
PRIVATE = {"best_fit.py", "region.py", "sizes.py", "sortedlist.py"}


@pytest.mark.parametrize("second", SECOND)
@pytest.mark.parametrize("first", FIRST)
def test_one_operation_at_any_point_of_another(first: str, second: str) -> None:
    """Whatever one thread does between two steps of another, both are right: each wins or is told why not."""
    run(first, second, None)  # what is cached for ever is cached now
    points = interleave.worth_trying(run(first, second, None).seen)
    reached = sum(run(first, second, index).reached for index in points)
    assert reached > 5


def run(first: str, second: str, index: int | None) -> Points:
    """A case from beginning to end."""
    case = Case(first)

    # Where a lock is held the other thread would wait, and come after; unless it never waits.
    def open_to_others(code: CodeType) -> bool:
        return case.unlocked() or (second in WAITS_FOR_NOBODY and Path(code.co_filename).name not in PRIVATE)

    points = Points(index, lambda: elsewhere(lambda: case.strike(second)), open_to_others=open_to_others)
    try:
        points.run(lambda: case.try_it(first))
        assert case.block.released == case.ended  # before anything else finds what was forgotten
        case.overwrite(b"\xee")
        case.verify()
    except BaseException as error:
        error.add_note(f"at point {index}: {interleave.place(points.seen[-1])}")
        raise
    return points
