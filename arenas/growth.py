"""How long an arena's next region is: one rule a class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from .sizes import size_class

if TYPE_CHECKING:
    from .protocols import Placement

# An arena's first region is at least this long, unless the heap's `region_bytes` is less.
FIRST_REGION_BYTES = 128 << 10


class Growth(Protocol):
    """Decides the length of regions. Under the arena's lock."""

    def lengths(self, span: int) -> tuple[int, ...]:
        """What to ask the backing for when ``span`` does not fit: one after the other, until it has one."""

    def grew(self) -> None:
        """A region was mapped, and is of use."""

    def hoards(self, placement: Placement, carved_bytes: int) -> bool:
        """Whether idle regions should go back before another is mapped."""


class Doubling:
    """Each region twice as long as the one before, up to ``region_bytes``: few regions, and a small one to begin
    with.
    """

    def __init__(self, region_bytes: int) -> None:
        self._longest = region_bytes
        self._next = min(FIRST_REGION_BYTES, region_bytes)

    def lengths(self, span: int) -> tuple[int, ...]:
        """The next length; for a request that is longer, or a system that has not so much, the request's own."""
        return max(span, self._next), span

    def grew(self) -> None:
        """The next one is twice as long."""
        self._next = min(2 * self._next, self._longest)

    def hoards(self, placement: Placement, carved_bytes: int) -> bool:
        """Never: any free span serves some request."""
        del placement, carved_bytes
        return False


class Exact:
    """Each region as long as the request, rounded up to one of eight lengths a doubling."""

    def lengths(self, span: int) -> tuple[int, ...]:
        """The request's length."""
        return size_class(span), span

    def grew(self) -> None:
        """The next one is as long as the next request."""

    def hoards(self, placement: Placement, carved_bytes: int) -> bool:
        """When more is idle than in use: regions of lengths that were asked for once."""
        return placement.free_bytes > carved_bytes
