"""The placements that the conformance suite runs over. A new policy: one more entry in `CASES`."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from arenas import BestFit
from arenas.placement import WholeFit
from arenas.placement.best_fit import POSITION_BITS

if TYPE_CHECKING:
    from collections.abc import Callable

    from arenas import Placement


def aligned(position: int, alignment: int) -> int:
    """By trying one after the other: nothing of the package's own arithmetic."""
    return next(number for number in range(position, position + alignment) if number % alignment == 0)


def anywhere(start: int, length: int, size: int, alignment: int) -> bool:
    """The contract without restriction: whatever can hold the request must be found."""
    return aligned(start, alignment) + size <= start + length


def whole(start: int, length: int, size: int, alignment: int) -> bool:
    """Only from the span's very start, and only if no more than half of the request is wasted."""
    return start % alignment == 0 and size <= length <= size * 3 // 2


def drop_key(placement: Any) -> None:
    del placement._index[-1]


def invent_key(placement: Any) -> None:
    placement._index.add((3 << POSITION_BITS) | 999_983)


def resize_key(placement: Any) -> None:
    placement._index.add(placement._index.pop() + (1 << POSITION_BITS))


def drop_start(placement: Any) -> None:
    placement._size_at.popitem()


def invent_start(placement: Any) -> None:
    placement._size_at[999_983] = 3


def resize_start(placement: Any) -> None:
    placement._size_at[next(iter(placement._size_at))] += 1


def drop_end(placement: Any) -> None:
    placement._start_before.popitem()


def invent_end(placement: Any) -> None:
    placement._start_before[999_983] = 999_980


def move_end(placement: Any) -> None:
    placement._start_before[next(iter(placement._start_before))] += 1


def miscount(placement: Any) -> None:
    placement._free_bytes += 1


def touch(placement: Any) -> None:
    """All indexes agree, but two spans were not joined."""
    position, size = max(placement)
    placement.add(position + size, 5)


def overlap(placement: Any) -> None:
    """All indexes agree, but a position is in two spans."""
    position, size = max(placement)
    placement.add(position + size - 1, 5)


OF_BEST_FIT = (
    drop_key,
    invent_key,
    resize_key,
    drop_start,
    invent_start,
    resize_start,
    drop_end,
    invent_end,
    move_end,
    miscount,
    touch,
    overlap,
)


@dataclass(frozen=True)
class Case:
    """A placement, what of the contract it narrows, and how each of its indexes can be corrupted."""

    name: str
    factory: Callable[[], Placement]
    fits: Callable[[int, int, int, int], bool] = anywhere
    splits_at: int | None = 1  # the smallest remainder that must be split off; None: spans are taken whole
    corruptions: tuple[Callable[[Any], None], ...] = field(default=OF_BEST_FIT)

    def carved(self, start: int, length: int, size: int, alignment: int) -> tuple[int, int]:
        """What taking the request from this free span must carve."""
        if self.splits_at is None:
            return start, length
        position = aligned(start, alignment)
        rest = start + length - position - size
        return position, size if rest >= self.splits_at else size + rest

    def __str__(self) -> str:
        return self.name


CASES = (
    Case("BestFit", BestFit),
    Case("BestFit-split-64", partial(BestFit, split_bytes=64), splits_at=64),
    Case("WholeFit", WholeFit, fits=whole, splits_at=None),
)
