"""A part of a mapping: what each arena gets of a backing that has only one region."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .system import resident_bytes

if TYPE_CHECKING:
    from .protocols import Mapping


class MappingSlice:
    """``size`` units of a mapping from ``start``, with the mapping's own surface."""

    __slots__ = ("_start", "_whole", "address", "offset", "size")

    def __init__(self, whole: Mapping, start: int, size: int) -> None:
        self._whole = whole
        self._start = start
        self.offset = whole.offset + start
        self.size = size
        self.address = None if whole.address is None else whole.address + start

    def owner(self, start: int, size: int) -> Any:  # noqa: ANN401 - any exporter of a buffer
        """An exporter of its own over part of the slice."""
        return self._whole.owner(self._start + start, size)

    def decommit(self, start: int, size: int) -> bool:
        """Give pages back."""
        return self._whole.decommit(self._start + start, size)

    def resident_bytes(self) -> int | None:
        """Bytes in memory now; the slice begins at a page."""
        return None if self.address is None else resident_bytes(self.address, self.size)
