"""Private anonymous memory: the default backing."""

from __future__ import annotations

from .. import system
from ..sizes import round_up
from .memory import MappedMemory


class AnonymousMemory:
    """Memory that belongs to this process alone; a forked child gets a copy of it.

    Address space is reserved without being committed: a page costs memory once it is touched. Blocks of 2 MiB and more,
    which have a range of their own, ask for huge pages (``MADV_HUGEPAGE``; where the system has none, ordinary pages
    are used). With ``huge_pages=True`` all ranges are aligned to huge pages and ask for them; pages are then committed
    and given back 2 MiB at a time.

    Stateless, so any number of heaps may share one; callable from any thread.
    """

    growable = True
    size_bytes: int | None = None
    has_memory = True
    fresh_is_zero = True
    fork_private = True
    alignment = 64

    def __init__(self, *, huge_pages: bool = False) -> None:
        """Cost: none until the first ``map``."""
        self.huge_pages = huge_pages
        self.page_bytes = system.HUGE_PAGE_BYTES if huge_pages else system.PAGE_BYTES
        self.decommit_zeroes = system.MADV_DONTNEED is not None

    def map(self, size: int, alignment: int) -> MappedMemory:
        """``size`` bytes aligned to ``alignment``, whole pages. Raises ``OSError``, or ``OverflowError`` for what no
        address can name.

        The slack that alignment needs is reserved with it, never touched, and goes with the range.
        """
        size = round_up(size, self.page_bytes)
        alignment = max(alignment, self.page_bytes)
        slack = alignment - system.PAGE_BYTES
        source = system.map_anonymous(size + slack)
        advice = system.MADV_DONTNEED
        memory = MappedMemory(
            source, offset=0, alignment=alignment, size=size, decommit_advice=advice, huge_pages=self.huge_pages
        )
        memory.offset = memory.address or 0
        return memory

    def __repr__(self) -> str:
        return f"AnonymousMemory(huge_pages={self.huge_pages})"
