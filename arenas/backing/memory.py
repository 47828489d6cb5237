"""A mapped range of real memory: what the anonymous and the file backing hand out."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

from .. import system

if TYPE_CHECKING:
    import mmap


class MappedMemory:
    """One range of an ``mmap``, and the source of every view into it.

    ``exporter`` is made once. Each block then has a root memoryview of its own: without the GIL, slicing one shared
    memoryview from several threads corrupts it (python/cpython#127716). Every root keeps the exporter, which keeps
    the ``mmap``; so the range is unmapped exactly when this object and the last view are gone, and never under a
    view.
    """

    __slots__ = ("_decommit_advice", "_mmap", "_start", "address", "exporter", "offset", "size")

    def __init__(
        self, source: mmap.mmap, *, offset: int, alignment: int, size: int, decommit_advice: int | None
    ) -> None:
        """Use ``size`` bytes of ``source`` from its first address that is a multiple of ``alignment``."""
        # One ctypes type a distinct length (3 KB each): region sizes come from a bounded set.
        self.exporter = (ctypes.c_ubyte * len(source)).from_buffer(source)
        base = ctypes.addressof(self.exporter)
        self._mmap = source
        self._start = -base % alignment
        self._decommit_advice = decommit_advice
        self.address: int | None = base + self._start
        self.offset = offset
        self.size = size

    def root(self, start: int, size: int) -> memoryview:
        """A memoryview of its own over ``size`` bytes from ``start``."""
        first = self._start + start
        return memoryview(self.exporter).cast("B")[first : first + size]

    def advise(self, advice: int) -> None:
        """``madvise`` over the whole range; raises ``OSError``."""
        self._mmap.madvise(advice, self._start, self.size)

    def decommit(self, start: int, size: int) -> bool:
        """Give pages back; False where this memory has no way to, or the system refuses. The pages then stay as they
        are.
        """
        if self._decommit_advice is None:
            return False
        try:
            self._mmap.madvise(self._decommit_advice, self._start + start, size)
        except OSError:
            return False
        return True

    def resident_bytes(self) -> int | None:
        """Bytes in memory now, by ``mincore``."""
        assert self.address is not None
        return system.resident_bytes(self.address, self.size)
