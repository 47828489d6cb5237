"""What concerns all of a heap: its end, and pages that are given back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from arenas.backing import Budget

from ..protocol import PAGE, Protocol, pattern
from .common import LARGER, SIZE, refused

if TYPE_CHECKING:
    from ..turns import Worker


class CloseAndAlloc(Protocol):
    """A heap is closed under a request: it is refused, or its memory is its own for as long as a view lives."""

    def a(self) -> Worker:
        yield
        with refused():
            block = self.heap.alloc(SIZE)
            view = block.view
            view[:] = pattern(1, SIZE)
            self.views.append((view, 1))

    def b(self) -> Worker:
        yield
        self.heap.close()

    def end(self) -> None:
        assert self.heap.closed
        super().end()


class CloseAndFree(CloseAndAlloc):
    """A heap is closed under a free, a view and a resize of its blocks: each is done, or told that it was too late."""

    def prepare(self) -> None:
        self.block, self.other = self.alloc(SIZE), self.alloc(SIZE)

    def a(self) -> Worker:
        yield
        with refused():
            self.views.append((self.other.view, 2))
            self.block.resize(LARGER)
            self.block.free()


class Trim(Protocol):
    """Pages are given back under a request for zeros: the block is all zeros, and stays its own."""

    options: ClassVar[dict[str, Any]] = {"arenas": 1}

    def prepare(self) -> None:
        block = self.heap.alloc(2 * PAGE)
        block.view[:] = b"\xff" * 2 * PAGE
        block.free()

    def give_back(self) -> None:
        self.heap.trim()

    def a(self) -> Worker:
        yield
        block = self.heap.alloc(PAGE + SIZE, zero=True)
        yield
        assert not any(block.view), "not zeros"
        self.hold(block)

    def b(self) -> Worker:
        yield
        self.give_back()
        yield
        self.alloc(SIZE)


class Decay(Trim):
    """As ``Trim``, by the first call after ``decay_seconds``."""

    def give_back(self) -> None:
        self.turns.now += 100.0
        self.heap.alloc(1).free()


class ResetAndZeros(Protocol):
    """A heap is reset under a request for zeros: that is served after all, and no zero is written over a successor."""

    options: ClassVar[dict[str, Any]] = {"arenas": 1}

    def prepare(self) -> None:
        self.heap.alloc(SIZE).view[:] = b"\xff" * SIZE

    def a(self) -> Worker:
        yield
        block = self.heap.alloc(SIZE, zero=True)
        yield
        if not block.released:
            assert not any(block.view), "not zeros"

    def b(self) -> Worker:
        yield
        self.heap.reset()
        self.alloc(SIZE)


class LastPage(Protocol):
    """Two arenas want the last page under the limit: exactly one gets it."""

    def prepare(self) -> None:
        self.budget = Budget(PAGE)
        self.granted: list[bool] = []

    def a(self) -> Worker:
        yield
        self.granted.append(self.budget.grant(1, PAGE))

    def b(self) -> Worker:
        yield
        self.granted.append(self.budget.grant(2, PAGE))

    def verify(self) -> None:
        assert sorted(self.granted) == [False, True]
