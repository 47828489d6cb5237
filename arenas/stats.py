"""Statistics: frozen values that can be added and subtracted, taken of an arena or of a whole heap."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, fields
from operator import add, sub
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """What one arena, or all of a heap, holds at one moment. Sizes in bytes (in the caller's unit over an
    ``AddressSpace``).

    ``parts_bytes`` is always the sum of the eight parts of ``reserved_bytes``; the two are equal, that of a heap
    whenever it is quiet.
    """

    reserved_bytes: int = 0
    """Length of all regions."""
    live_bytes: int = 0
    """Asked for by live allocations."""
    rounding_bytes: int = 0
    """Given beyond what was asked: granules and alignment."""
    guard_bytes: int = 0
    """Red zones and guard pages."""
    cached_bytes: int = 0
    """Carved but not handed out: thread caches, scope remainders, empty slab slots."""
    mailbox_bytes: int = 0
    """Freed, on the way to the owning arena."""
    parked_bytes: int = 0
    """Freed, but still visible through a view."""
    quarantined_bytes: int = 0
    """Freed, held back to catch late writes."""
    free_bytes: int = 0
    """In the index, ready to be taken."""

    committed_bytes: int = 0
    """Pages handed out at least once and not since returned."""
    resident_bytes: int | None = None
    """Pages in memory now, measured; None where that cannot be told."""
    largest_free_bytes: int = 0
    """The largest single free span."""
    live_blocks: int = 0
    """Live allocations."""
    regions: int = 0
    """Ranges obtained from the backing."""
    metadata_bytes: int = 0
    """Python objects that keep the books, counted."""
    peak_live_bytes: int = 0
    """Highest ``live_bytes`` seen; sampled on slow paths, so a lower bound."""

    allocations: int = 0
    """Spans handed out, ever."""
    frees: int = 0
    """Allocations ended, ever, parked ones included: ``allocations - frees == live_blocks`` when quiet."""
    remote_frees: int = 0
    """Frees that came through the mailbox."""
    dropped: int = 0
    """Frees of blocks that were collected without ``free()``."""
    resizes_in_place: int = 0
    """Resizes that kept the position."""
    resizes_moved: int = 0
    """Resizes that copied to another position."""
    out_of_memory: int = 0
    """Requests refused for want of memory."""
    contended: int = 0
    """Times a thread found the arena's lock taken."""
    returned_bytes: int = 0
    """Committed pages given back to the system, ever."""

    arenas: tuple[Stats, ...] = ()
    """The same for each arena; empty in an arena's own."""

    @property
    def parts_bytes(self) -> int:
        """The sum of the eight parts into which ``reserved_bytes`` falls."""
        return (
            self.live_bytes + self.rounding_bytes + self.guard_bytes + self.cached_bytes + self.mailbox_bytes
            + self.parked_bytes + self.quarantined_bytes + self.free_bytes
        )  # fmt: skip

    def __sub__(self, earlier: Stats) -> Self:
        """The change since ``earlier``, field by field; arenas are paired by number."""
        if not isinstance(earlier, Stats):
            return NotImplemented
        return self._combine(earlier, sub)

    def __add__(self, other: Stats) -> Self:
        """The sum, field by field; the largest free span is the larger of the two."""
        if not isinstance(other, Stats):
            return NotImplemented
        total = self._combine(other, add)
        return dataclasses.replace(total, largest_free_bytes=max(self.largest_free_bytes, other.largest_free_bytes))

    def _combine(self, other: Stats, operation: Callable[[Any, Any], Any]) -> Self:
        values: dict[str, int | tuple[Stats, ...] | None] = {}
        for name in _NUMBERS:
            mine, theirs = getattr(self, name), getattr(other, name)
            values[name] = None if mine is None or theirs is None else operation(mine, theirs)
        empty = Stats(resident_bytes=0)
        longest = max(len(self.arenas), len(other.arenas))
        pairs = zip(_padded(self.arenas, longest, empty), _padded(other.arenas, longest, empty), strict=True)
        values["arenas"] = tuple(operation(mine, theirs) for mine, theirs in pairs)
        return type(self)(**values)  # type: ignore[arg-type]

    @classmethod
    def total(cls, arenas: Iterable[Stats]) -> Stats:
        """A heap's statistics: the sum over its arenas, with the parts kept beside it."""
        parts = tuple(arenas)
        return dataclasses.replace(sum(parts, Stats(resident_bytes=0)), arenas=parts)


_NUMBERS = tuple(field.name for field in fields(Stats) if field.name != "arenas")


def _padded(stats: tuple[Stats, ...], length: int, filler: Stats) -> tuple[Stats, ...]:
    return stats + (filler,) * (length - len(stats))
