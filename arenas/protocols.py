"""The seams: what a backing, its mappings and a placement must offer. The rest is written against these."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol, runtime_checkable

#: Builds one arena's placement; parameters are bound with ``functools.partial``.
PlacementFactory = Callable[[], "Placement"]

#: Builds one lock. A tool that searches interleavings brings its own.
LockFactory = Callable[[], Any]

#: Seconds, monotonic. A test brings its own.
Clock = Callable[[], float]


@runtime_checkable
class Mapping(Protocol):
    """One region's range of a backing. Dropping the last reference, views included, gives the range back."""

    offset: int
    """Where the range begins in its backing."""
    size: int
    """Length of the range."""
    address: int | None
    """Where the range begins in this process; None where there is no memory."""

    def owner(self, start: int, size: int) -> Any:  # noqa: ANN401 - any exporter of a buffer
        """A new object that exports, as a writable buffer, at least ``size`` bytes from ``start``, and keeps the range.

        Nothing but what is made of its buffer, and the caller, may refer to it: its reference count is the proof that
        nobody sees the memory. From any thread, also without the GIL.
        """

    def decommit(self, start: int, size: int) -> bool:
        """Give whole pages back to the system; whether it did. Bounds are multiples of the backing's ``page_bytes``.

        An ``OSError`` or ``MemoryError`` counts as False.
        """

    def resident_bytes(self) -> int | None:
        """Bytes that are in memory now, measured; None where that cannot be told."""


@runtime_checkable
class Backing(Protocol):
    """Where memory comes from."""

    page_bytes: int
    """What is committed and decommitted at once; 0 where there are no pages to commit."""
    growable: bool
    """Whether ``map`` can be called again and again; otherwise there is one region, ``size_bytes`` long."""
    size_bytes: int | None
    """Length of the one region; None where the backing is growable."""
    has_memory: bool
    """Whether there is memory behind the integers."""
    fresh_is_zero: bool
    """Whether a page that was never handed out reads as zeros."""
    decommit_zeroes: bool
    """Whether a page that was decommitted reads as zeros again."""
    fork_private: bool
    """Whether a forked child gets a copy of its own."""
    alignment: int
    """The heap's alignment where none is given."""

    def map(self, size: int, alignment: int) -> Mapping:
        """A range of ``size`` units aligned to ``alignment``. Raises ``OSError`` or ``MemoryError`` when there is
        none.
        """


@runtime_checkable
class Placement(Protocol):
    """The index of one arena's free spans, and the rule that picks one. Integers only; the caller holds the arena's
    lock.

    A span is ``(position, size)``. Regions never touch, so spans of two regions never merge.
    """

    def add(self, position: int, size: int) -> None:
        """Take in a region's range, wholly free."""

    def take(self, size: int, alignment: int) -> tuple[int, int] | None:
        """Carve a free span of at least ``size`` at a multiple of ``alignment``; None where none fits."""

    def take_at(self, position: int, size: int) -> bool:
        """Carve exactly ``[position, position + size)``; False, and nothing changed, unless all of it is free."""

    def give(self, position: int, size: int) -> tuple[int, int]:
        """Take back (a part of) a carved span, joined with its free neighbours; the free span it is part of now."""

    def remove(self, position: int, size: int) -> None:
        """Forget a region's range, which must be wholly free."""

    def clear(self) -> None:
        """Forget everything; the arena adds its free spans anew."""

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Every free span, in order of position."""

    def check(self) -> None:
        """Prove the placement's own indexes consistent, else raise ``CorruptionError``."""

    @property
    def free_bytes(self) -> int:
        """Sum of the free spans."""

    @property
    def largest_bytes(self) -> int:
        """Size of the largest free span; 0 where there is none."""

    @property
    def metadata_bytes(self) -> int:
        """Python memory of the indexes, counted."""
