"""A recording from its file, batch after batch. Which format it is, its first line tells."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from ..errors import TraceError
from .blocks import LineError
from .lines import numbered, shown
from .native import MAGIC, Native
from .operations import BATCH_OPERATIONS, Batch
from .rep import Rep, counts, header_numbers

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

ENDINGS: Final = (".trace", ".trace.gz", ".rep", ".rep.gz")


class Format(Protocol):
    """What takes a file's operations, line after line."""

    notes: list[str]

    def take(self, line: str, batch: Batch) -> None:
        """Add a line's operation to a batch. Raises ``LineError``."""

    def finish(self) -> None:
        """The file has ended. Raises ``LineError``."""


@dataclass(slots=True)
class Trace:
    """A recording in a file, of which only the header was read. Any number of passes may be made over it."""

    path: Path
    format: str
    """``arenas-trace`` or ``malloc-lab``."""
    headers: dict[str, str] = field(default_factory=dict)
    numbers: list[int] = field(default_factory=list)
    """The header of a malloc-lab file."""
    notes: list[str] = field(default_factory=list)
    """What was not quite right and could be tolerated; known after a pass."""

    @property
    def name(self) -> str:
        """The file's name without its endings."""
        ending = next((ending for ending in reversed(ENDINGS) if self.path.name.endswith(ending)), "")
        return self.path.name.removesuffix(ending)

    @property
    def program(self) -> str:
        """The recorded program, as the header has it."""
        return self.headers.get("program", self.name)

    @property
    def declared_operations(self) -> int | None:
        """Operations of the whole recording, by its header; None where that does not say."""
        if self.format == "malloc-lab":
            return counts(self.numbers)[0][1]
        declared = header_numbers(self.headers.get("ops", ""))
        return declared[0] if declared is not None and len(declared) == 1 else None

    def batches(self, limit: int | None = None, size: int = BATCH_OPERATIONS) -> Generator[Batch, None, None]:
        """Yield the first ``limit`` operations, or all, in batches of ``size``: a pass over the file.

        Raises:
            TraceError: something in the file is not what its format says.
            OSError: the file cannot be read.

        """
        with contextlib.closing(numbered(self.path)) as lines:
            yield from self._batches(lines, limit, size)

    def _batches(self, lines: Iterator[tuple[int, str]], left: int | None, size: int) -> Iterator[Batch]:
        reader, line_number = self._reader(), 0
        batch, in_header = Batch(), True
        for line_number, line in lines:
            in_header = in_header and self._is_header(line)
            if in_header:
                continue
            if left == 0:
                break
            try:
                reader.take(line, batch)
            except LineError as error:
                raise TraceError(self.path, line_number, str(error)) from None
            if len(batch) == min(size, size if left is None else left):
                yield batch
                left = None if left is None else left - len(batch)
                batch = Batch(batch.first + len(batch))
        else:
            self._finish(reader, line_number)
        if len(batch):
            yield batch

    def _reader(self) -> Format:
        return Rep(self.numbers) if self.format == "malloc-lab" else Native(self.declared_operations)

    def _is_header(self, line: str) -> bool:
        if self.format == "malloc-lab":
            return header_numbers(line) is not None
        return line.startswith("#")

    def _finish(self, reader: Format, line_number: int) -> None:
        try:
            reader.finish()
        except LineError as error:
            raise TraceError(self.path, line_number, str(error)) from None
        self.notes = reader.notes


def open_trace(path: Path) -> Trace:
    """Read a recording's header.

    Raises:
        TraceError: it is no recording.
        OSError: the file cannot be read.

    """
    with contextlib.closing(numbered(path)) as lines:
        line_number, first = next(lines, (0, ""))
        if not first:
            raise TraceError(path, 1, f"the file is empty; a recording begins with {MAGIC!r}")
        if first.strip() == MAGIC:
            return Trace(path, "arenas-trace", headers=_native_headers(lines))
        numbers = header_numbers(first)
        if numbers is None:
            why = f"the first line must be {MAGIC!r}, or a number where it is a malloc-lab file, not {shown(first)}"
            raise TraceError(path, line_number, why)
        for number, line in lines:
            line_number, more = number, header_numbers(line)
            if more is None:
                break
            numbers += more
    try:
        Rep(numbers)
    except LineError as error:
        raise TraceError(path, line_number, str(error)) from None
    return Trace(path, "malloc-lab", numbers=numbers)


def _native_headers(lines: Iterator[tuple[int, str]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for _, line in lines:
        if not line.startswith("#"):
            break
        key, _, value = line[1:].partition(":")
        headers.setdefault(key.strip(), value.strip())
    return headers
