"""Two threads end one allocation: one of them wins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import arenas

from ..protocol import Protocol
from .common import SIZE, refused

if TYPE_CHECKING:
    from ..turns import Worker


class OneOfTwoFrees(Protocol):
    """Two threads free one block: exactly one succeeds, the other gets ``DoubleFreeError``."""

    def prepare(self) -> None:
        self.told: list[str] = []

    def begin(self) -> None:
        """Make what is freed, in the thread that shall own it."""
        self.block = self.heap.alloc(SIZE)

    def end_it(self) -> None:
        """Free, and note the outcome."""
        try:
            self.block.free()
        except arenas.DoubleFreeError:
            self.told.append("freed already")
        else:
            self.told.append("freed")

    def a(self) -> Worker:
        self.begin()
        yield
        self.end_it()
        yield
        self.alloc(SIZE)
        self.alloc(SIZE)

    def b(self) -> Worker:
        yield
        self.end_it()

    def verify(self) -> None:
        assert sorted(self.told) == ["freed", "freed already"]


class OneOfTwoAddressFrees(OneOfTwoFrees):
    """Two threads free one address: exactly one succeeds, the other gets ``DoubleFreeError``."""

    def begin(self) -> None:
        self.address = self.heap.malloc(SIZE)

    def end_it(self) -> None:
        try:
            self.heap.free(self.address)
        except arenas.DoubleFreeError:
            self.told.append("freed already")
        else:
            self.told.append("freed")


class FreeAndReset(Protocol):
    """A free and a reset of the heap: one of them ends the block, and its memory comes back once."""

    def a(self) -> Worker:
        self.block = self.alloc(SIZE)
        yield
        with refused():
            self.block.free()
        yield
        self.alloc_unless_reset()

    def b(self) -> Worker:
        yield
        self.heap.reset()
        yield
        self.alloc_unless_reset()

    def alloc_unless_reset(self) -> None:
        """One more block; the reset may end it before it is filled."""
        with refused():
            self.alloc(SIZE)

    def verify(self) -> None:
        assert self.block.released
