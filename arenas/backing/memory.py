"""A mapped range of real memory: what the anonymous and the file backing hand out."""

from __future__ import annotations

import contextlib
import ctypes
import functools
from typing import TYPE_CHECKING

from .. import system
from ..sizes import round_down, size_class

if TYPE_CHECKING:
    import mmap


@functools.lru_cache(maxsize=1024)
def _owner_type(length: int) -> type[ctypes.Array[ctypes.c_ubyte]]:
    # 3 KB each: lengths come from a bounded set, but for the last block of a range.
    names = {"_type_": ctypes.c_ubyte, "_length_": length, "__slots__": ("mapping",)}
    return type("MemoryOwner", (ctypes.Array,), names)


class MappedMemory:
    """One range of an ``mmap``, and the source of every view into it.

    ``exporter`` is made once, and keeps the ``mmap``. Each block then has an owner of its own, which keeps the
    exporter, and every view a buffer of its own over that: without the GIL, slicing one shared memoryview from several
    threads corrupts it (python/cpython#127716). So the range is unmapped exactly when this object and the last view are
    gone, and never under a view.
    """

    __slots__ = (
        "_decommit_advice",
        "_huge_pages",
        "_length",
        "_mmap",
        "_partly_huge",
        "_start",
        "address",
        "exporter",
        "offset",
        "size",
    )

    def __init__(
        self,
        source: mmap.mmap,
        *,
        offset: int,
        alignment: int,
        size: int,
        decommit_advice: int | None,
        huge_pages: bool = False,
    ) -> None:
        """Use ``size`` bytes of ``source`` from its first address that is a multiple of ``alignment``."""
        self._length = len(source)
        self.exporter = (ctypes.c_ubyte * self._length).from_buffer(source)
        base = ctypes.addressof(self.exporter)
        self._mmap = source
        self._start = -base % alignment
        self._decommit_advice = decommit_advice
        self._huge_pages = huge_pages
        self._partly_huge = False  # under its arena's lock
        if huge_pages:
            self.advise(system.MADV_HUGEPAGE, 0, size)
        self.address: int | None = base + self._start
        self.offset = offset
        self.size = size

    def owner(self, start: int, size: int) -> ctypes.Array[ctypes.c_ubyte]:
        """An exporter of its own over ``size`` bytes from ``start``: an array type of one of few lengths, so it may be
        somewhat longer.
        """
        length = size_class(max(size, 1))
        owner = _owner_type(length if start + length <= self.size else max(size, 1)).from_address(
            self.address + start if self.address is not None else 0
        )
        owner.mapping = self.exporter  # type: ignore[attr-defined]  # keeps the range mapped
        return owner

    def prefer_huge_pages(self, size: int) -> None:
        """Ask for those that lie wholly within the first ``size`` bytes, until they are given back; ordinary ones where
        the system has none.
        """
        if not self._huge_pages:
            self._partly_huge = True
            self.advise(system.MADV_HUGEPAGE, 0, round_down(size, system.PAGE_BYTES))

    def advise(self, advice: int | None, start: int, size: int) -> None:
        """``madvise`` about huge pages, which are an optimisation: a system without them says EINVAL."""
        if advice is not None:
            with contextlib.suppress(OSError):
                self._mmap.madvise(advice, self._start + start, size)

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
        if self._partly_huge:
            # A page of it that is used again would bring in the 2 MiB around it, which nobody was handed.
            self.advise(system.MADV_NOHUGEPAGE, start, size)
        return True

    def resident_bytes(self) -> int | None:
        """Bytes in memory now, by ``mincore``."""
        assert self.address is not None
        return system.resident_bytes(self.address, self.size)
