"""How much memory an allocator takes for how much payload, looked at when it is worst."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from ..stage import Stage

_MEGABYTE: Final = 1e6


class Yardstick:
    """Of one run. Any thread may look.

    What it says is the *blowup* of the literature: the most memory ever held ÷ the most payload ever live.
    """

    def __init__(self, stage: Stage[Any]) -> None:
        """Nothing seen yet."""
        self._stage = stage
        self._seen: list[tuple[int, int]] = []  # payload and memory; only ever appended to

    def look(self) -> None:
        """Look now."""
        memory_bytes = self._stage.allocator.measure().committed_bytes
        if memory_bytes is not None:
            self._seen.append((sum(self._stage.referee.live_bytes), memory_bytes))

    def tell(self) -> None:
        """Say what it came to, if the allocator tells what it holds."""
        if not self._seen:
            return
        payload_bytes, memory_bytes = (max(column) for column in zip(*self._seen, strict=True))
        if not memory_bytes:
            return
        self._stage.note(
            f"payload ÷ memory {payload_bytes / memory_bytes:.1%}: at their peaks {payload_bytes / _MEGABYTE:,.2f} MB "
            f"and {memory_bytes / _MEGABYTE:,.2f} MB"
        )
