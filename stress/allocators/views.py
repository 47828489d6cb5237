"""A heap whose blocks are freed while a view of them is alive: the memory is parked, and must not be used again."""

from __future__ import annotations

import gc
from collections import deque
from typing import TYPE_CHECKING, Final

from .heap import OfHeap

if TYPE_CHECKING:
    import arenas

_OUTLIVE: Final = 16
"""So many views outlive their blocks at a time."""
_WATCHED: Final = 64
"""Bytes of each that are looked at when its view dies at last."""


class Seen:
    """A block, and a view of it."""

    __slots__ = ("block", "view")

    def __init__(self, block: arenas.Block) -> None:
        """Make the view."""
        self.block = block
        self.view: memoryview | None = block.view


class HeapViews(OfHeap):
    """Tokens hold a view of their block. It outlives the block for a while, and sees that its memory is left alone."""

    def _prepare(self) -> None:
        self._outliving: deque[tuple[memoryview, bytes]] = deque()  # with what they saw when the block was freed
        self._wrong: list[str] = []

    def allocate(self, size: int, alignment: int) -> Seen:
        """``heap.alloc``."""
        return Seen(self.heap.alloc(size, alignment=alignment or None))

    def zeroed(self, size: int) -> Seen:
        """``heap.alloc`` with ``zero=True``."""
        return Seen(self.heap.alloc(size, zero=True))

    def resize(self, token: Seen, size: int) -> Seen:
        """``block.resize``, which must refuse while the view is alive, and not once it is dropped."""
        before = token.block.size
        try:
            token.block.resize(size)
        except BufferError:
            pass
        else:
            self._wrong.append(f"{token.block!r}, of {before} bytes, was resized under a live view")
        token.view = None
        try:
            self._resize_unseen(token.block, size)
        finally:
            token.view = token.block.view
        return token

    @staticmethod
    def _resize_unseen(block: arenas.Block, size: int) -> None:
        try:
            block.resize(size)
        except BufferError:
            for _ in range(2):  # without the GIL: what another thread made goes with the first, what that held after
                gc.collect()
            block.resize(size)

    def free(self, token: Seen) -> None:
        """``block.free`` under a live view; the oldest view that outlives its block is let go instead."""
        view, token.view = token.view, None
        assert view is not None, "a block is used after it was freed"
        self._outliving.append((view, bytes(view[:_WATCHED])))
        token.block.free()
        self._let_go(_OUTLIVE)

    def _let_go(self, most: int) -> None:
        while len(self._outliving) > most:
            try:
                view, before = self._outliving.popleft()
            except IndexError:  # another thread was quicker
                return
            now = bytes(view[:_WATCHED])
            if now != before:
                self._wrong.append(
                    f"memory was used again under a live view: it showed {before.hex()}, now {now.hex()}"
                )

    def address(self, token: Seen) -> int:
        """``block.address``."""
        return token.block.address

    def check(self) -> str | None:
        """Also what the views have seen."""
        return "; ".join(self._wrong[:3]) or super().check()

    def audit(self) -> list[str]:
        """Let go of the last views before."""
        self._let_go(0)
        return self._wrong[:3] + super().audit()
