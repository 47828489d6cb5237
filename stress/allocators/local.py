"""A heap through façades: each thread has one of its own, as it would in a hot loop."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from .heap import HeapBlocks

if TYPE_CHECKING:
    import arenas


class HeapLocal(HeapBlocks):
    """Allocates through ``heap.local()``; a block may be freed by any thread."""

    def _prepare(self) -> None:
        self._here = threading.local()

    def _mine(self) -> arenas.Local:
        here = self._here
        try:
            facade: arenas.Local = here.facade
        except AttributeError:
            facade = here.facade = self.heap.local()
        return facade

    def allocate(self, size: int, alignment: int) -> arenas.Block:
        """``alloc`` of this thread's façade."""
        return self._mine().alloc(size, alignment=alignment or None)

    def zeroed(self, size: int) -> arenas.Block:
        """The same with ``zero=True``."""
        return self._mine().alloc(size, zero=True)
