"""The format `arenas-trace 1`, a line at a time.

Header lines begin with ``#``, the first is ``# arenas-trace 1``; after them each line is one operation, in the order in
which they happened: ``T a ID SIZE [ALIGN]``, ``T c ID SIZE``, ``T r ID SIZE`` or ``T f ID``. An ID is given once.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from .blocks import Blocks, LineError, sized
from .lines import shown
from .operations import ALLOCATE, FREE, LETTERS, RESIZE

if TYPE_CHECKING:
    from .operations import Batch

MAGIC: Final = "# arenas-trace 1"

_OPERATION: Final = re.compile(
    r"(\d{1,9})\s+(?:([acr])\s+(\d{1,18})\s+(\d{1,18})(?:\s+(\d{1,18}))?|(f)\s+(\d{1,18}))\s*",
    re.ASCII,
)


class Native:
    """Takes line after line; knows which blocks are live, so that impossible operations are refused."""

    def __init__(self, declared: int | None) -> None:
        """``declared``: how many operations the header promises."""
        self.notes: list[str] = []
        self._declared = declared
        self._blocks = Blocks()
        self._taken = 0

    def take(self, line: str, batch: Batch) -> None:
        """Add a line's operation to a batch; a header line adds none.

        Raises:
            LineError: the line is no operation, or an impossible one.

        """
        if line.startswith("#"):
            return
        match = _OPERATION.fullmatch(line)
        if match is None:
            raise LineError(_complaint(line))
        self._taken += 1
        thread, letter, block, size, alignment, freeing, freed = match.groups()
        if freeing:
            batch.add(int(thread), FREE, self._blocks.died(int(freed)))
            return
        kind = LETTERS.index(letter)
        if alignment is not None:
            if kind != ALLOCATE:
                raise LineError(_complaint(line))
            if int(alignment).bit_count() != 1:
                raise LineError(f"alignment {alignment} is not a power of two")
        number = self._blocks.number(int(block)) if kind == RESIZE else self._born(int(block))
        batch.add(int(thread), kind, number, sized(size), int(alignment or 0))

    def finish(self) -> None:
        """Compare what was there with what the header promised."""
        if self._declared is not None and self._declared != self._taken:
            raise LineError(f"the recording ends after {self._taken} operations; its header declares {self._declared}")

    def _born(self, block: int) -> int:
        if self._blocks.is_live(block) or self._blocks.is_dead(block):
            raise LineError(f"block {block} is allocated a second time")
        return self._blocks.born(block)


def _complaint(line: str) -> str:
    """Why a line is no operation: only for the message, so it may be slow."""
    words = line.split()
    counts = {"a": (4, 5), "c": (4,), "r": (4,), "f": (3,)}
    if len(words) < 2 or words[1] not in counts:  # noqa: PLR2004 - a thread and a letter
        forms = "`T a ID SIZE [ALIGN]`, `T c ID SIZE`, `T r ID SIZE` or `T f ID`"
        return f"not an operation: {shown(line)} (expected {forms})"
    if len(words) not in counts[words[1]]:
        expected = " or ".join(str(count) for count in counts[words[1]])
        return f"`{words[1]}` takes {expected} fields, not {len(words)}: {shown(line)}"
    wrong = next((word for word in words if word != words[1] and not word.isdecimal()), line.strip()[:60])
    return f"not a number, or one too large: {wrong!r} in {shown(line)}"
