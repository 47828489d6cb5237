"""Views are taken while blocks are freed and resized."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from ..protocol import Protocol, pattern
from .common import LARGER, SIZE, refused

if TYPE_CHECKING:
    from ..turns import Worker


class ViewAndFree(Protocol):
    """A view is taken while the block is freed: either it is refused, or the memory is not used again under it."""

    def a(self) -> Worker:
        yield
        with refused():
            self.views.append((self.block.view, 1))

    def b(self) -> Worker:
        self.block = self.alloc(SIZE)
        yield
        self.free(self.block)
        yield
        self.alloc(SIZE)


class FirstViews(Protocol):
    """Two threads take a block's first view, and one frees it: the memory is used again under neither."""

    def look(self) -> None:
        """Take a view, write, keep it."""
        with refused():
            view = self.block.view
            view[:] = pattern(99, SIZE)
            self.views.append((view, 99))

    def a(self) -> Worker:
        self.block = self.heap.alloc(SIZE)
        yield
        self.look()
        with refused():
            self.block.free()
        yield
        self.alloc(SIZE)

    def b(self) -> Worker:
        yield
        self.look()


class ViewAndMove(Protocol):
    """A view is taken while the block moves: it is refused, or it bars the move, or it sees the new place."""

    size = LARGER

    def a(self) -> Worker:
        yield
        with refused():
            self.views.append((self.block.view, 1))

    def b(self) -> Worker:
        self.block = self.alloc(SIZE)
        self.alloc(64)
        yield
        with refused():
            self.block.resize(self.size)
        yield
        self.alloc(SIZE)
        self.alloc(SIZE // 2)

    def verify(self) -> None:
        kept = min(SIZE, self.block.size)
        assert self.block.view[:kept] == pattern(1, SIZE)[:kept], "contents were lost"
        for view, _ in self.views:
            assert len(view) == self.block.size, "the block was resized under a view"
            view[0] ^= 0xFF
            assert view[0] == self.block.view[0], "the block is elsewhere"
            view[0] ^= 0xFF
        self.views = [(view[:kept], key) for view, key in self.views]


class ViewAndShrink(ViewAndMove):
    """A view is taken while the block shrinks in place: it is refused, or bars that, or has the new size."""

    size = SIZE // 4


class MoveAndFree(Protocol):
    """A block moves while it is freed: one of them is refused, or the free ends it where it is by then."""

    def a(self) -> Worker:
        yield
        with refused():
            self.block.resize(LARGER)

    def b(self) -> Worker:
        self.block = self.alloc(SIZE)
        self.alloc(64)
        yield
        with contextlib.suppress(BufferError):  # met in the middle of the move
            self.block.free()
        yield
        self.alloc(SIZE)

    def verify(self) -> None:
        if not self.block.released:
            self.block.free()


class TwoMoves(Protocol):
    """Two threads resize one block: it has one of the two sizes, its contents, and one place."""

    def a(self) -> Worker:
        self.block = self.alloc(SIZE)
        self.alloc(64)
        yield
        with refused():
            self.block.resize(LARGER)
        yield
        self.alloc(SIZE)

    def b(self) -> Worker:
        yield
        with refused():
            self.block.resize(2 * SIZE)
        yield
        self.alloc(SIZE)

    def verify(self) -> None:
        assert self.block.size in {2 * SIZE, LARGER}
        assert len(self.block.view) == self.block.size
