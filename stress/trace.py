"""Recordings of real programs: the format ``arenas-trace 1``, read and validated.

A recording is text, usually compressed by gzip. Header lines begin with ``#``; after them each line is one operation,
in the order in which they happened: ``T a ID SIZE [ALIGN]``, ``T c ID SIZE``, ``T r ID SIZE`` or ``T f ID``.

A replay trusts a recording blindly (a block freed twice *there* would look like a fault of the allocator), so
everything that could mislead it is refused here, by file and line.
"""

from __future__ import annotations

import gzip
import re
import zlib
from array import array
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Final

from .errors import TraceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ALLOCATE: Final = 0
ZEROED: Final = 1
RESIZE: Final = 2
FREE: Final = 3
LETTERS: Final = "acrf"

_MAGIC: Final = "# arenas-trace 1"
_GZIP_MAGIC: Final = b"\x1f\x8b"
_OPERATION: Final = re.compile(
    r"(\d{1,9})\s+(?:([acr])\s+(\d{1,18})\s+(\d{1,18})(?:\s+(\d{1,18}))?|(f)\s+(\d{1,18}))\s*",
    re.ASCII,
)


@dataclass(slots=True)
class Recording:
    """One recording, as columns: half a million operations fit in a few megabytes.

    Blocks are numbered from 0 in the order in which they are allocated, whatever numbers the file gives them.
    """

    path: Path
    headers: dict[str, str] = field(default_factory=dict)
    threads: array[int] = field(default_factory=lambda: array("L"))
    kinds: array[int] = field(default_factory=lambda: array("B"))
    blocks: array[int] = field(default_factory=lambda: array("L"))
    sizes: array[int] = field(default_factory=lambda: array("Q"))
    alignments: array[int] = field(default_factory=lambda: array("Q"))
    block_count: int = 0

    @property
    def name(self) -> str:
        """The file's name without its endings."""
        return self.path.name.removesuffix(".gz").removesuffix(".trace")

    @property
    def program(self) -> str:
        """The recorded program, as the header has it."""
        return self.headers.get("program", self.name)

    @property
    def total_operations(self) -> int:
        """Operations of the whole recording: more than were read if reading stopped at a limit."""
        declared = self.headers.get("ops", "")
        return int(declared) if declared.isdecimal() else len(self.kinds)

    def describe(self, index: int) -> str:
        """One operation in the words of the format, with blocks as numbered here."""
        kind = self.kinds[index]
        size = "" if kind == FREE else f" {self.sizes[index]}"
        alignment = f" {self.alignments[index]}" if self.alignments[index] else ""
        return f"{self.threads[index]} {LETTERS[kind]} {self.blocks[index]}{size}{alignment}"


def read(path: Path, limit: int | None = None) -> Recording:
    """Read the first ``limit`` operations of a recording, or all of it.

    Raises:
        TraceError: something in the file is not what the format says.
        OSError: the file cannot be opened.

    """
    reader = _Reader(path)
    with _open(path) as text:
        for line_number, line in _numbered(path, text):
            if limit is not None and len(reader.recording.kinds) >= limit:
                return reader.recording
            reader.line_number = line_number
            reader.take(line)
    reader.finish()
    return reader.recording


def _open(path: Path) -> IO[str]:
    """Open as text; undecodable bytes become characters that no line may hold, so they are named with their line."""
    with path.open("rb") as raw:
        compressed = raw.read(2) == _GZIP_MAGIC
    if compressed:
        return gzip.open(path, "rt", encoding="ascii", errors="replace")
    return path.open(encoding="ascii", errors="replace")


def _numbered(path: Path, text: IO[str]) -> Iterator[tuple[int, str]]:
    line_number = 0
    try:
        for line_number, line in enumerate(text, start=1):
            if not line.isspace():
                yield line_number, line
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise TraceError(path, line_number + 1, f"the compressed data is damaged or cut short ({error})") from error


class _Reader:
    """Takes line after line; knows which blocks are live, so that impossible operations are refused."""

    def __init__(self, path: Path) -> None:
        self.recording = Recording(path)
        self.line_number = 0
        self._begun = False
        self._number_of: dict[int, int] = {}  # a block's ID in the file: its number here; dead blocks stay in it
        self._live = bytearray()  # by number: 1 while the block is live

    def refuse(self, why: str) -> TraceError:
        return TraceError(self.recording.path, self.line_number, why)

    def take(self, line: str) -> None:
        if not self._begun:
            if line.strip() != _MAGIC:
                raise self.refuse(f"the first line must be {_MAGIC!r}, not {line.strip()[:60]!r}")
            self._begun = True
        elif line.startswith("#"):
            key, _, value = line[1:].partition(":")
            self.recording.headers.setdefault(key.strip(), value.strip())
        else:
            self._operation(line)

    def _operation(self, line: str) -> None:
        match = _OPERATION.fullmatch(line)
        if match is None:
            raise self.refuse(_complaint(line))
        thread, letter, block, size, alignment, freeing, freed = match.groups()
        if freeing:
            self._append(int(thread), FREE, self._die(int(freed)), 0, 0)
            return
        kind = LETTERS.index(letter)
        if alignment is not None:
            if kind != ALLOCATE:
                raise self.refuse(_complaint(line))
            if int(alignment).bit_count() != 1:
                raise self.refuse(f"alignment {alignment} is not a power of two")
        number = self._existing(int(block)) if kind == RESIZE else self._born(int(block))
        self._append(int(thread), kind, number, int(size), int(alignment or 0))

    def _append(self, thread: int, kind: int, block: int, size: int, alignment: int) -> None:
        recording = self.recording
        recording.threads.append(thread)
        recording.kinds.append(kind)
        recording.blocks.append(block)
        recording.sizes.append(size)
        recording.alignments.append(alignment)

    def _born(self, block: int) -> int:
        number = len(self._live)
        if self._number_of.setdefault(block, number) != number:
            raise self.refuse(f"block {block} is allocated a second time")
        self._live.append(1)
        self.recording.block_count = len(self._live)
        return number

    def _existing(self, block: int) -> int:
        number = self._number_of.get(block)
        if number is None:
            raise self.refuse(f"block {block} was never allocated")
        if not self._live[number]:
            raise self.refuse(f"block {block} was freed before")
        return number

    def _die(self, block: int) -> int:
        number = self._existing(block)
        self._live[number] = 0
        return number

    def finish(self) -> None:
        recording = self.recording
        if not self._begun:
            self.line_number += 1
            raise self.refuse(f"the file is empty; its first line must be {_MAGIC!r}")
        if recording.total_operations != len(recording.kinds):
            held, declared = len(recording.kinds), recording.total_operations
            raise self.refuse(f"the recording ends after {held} operations; its header declares {declared}")


def _complaint(line: str) -> str:
    """Why a line is no operation: only for the message, so it may be slow."""
    words = line.split()
    counts = {"a": (4, 5), "c": (4,), "r": (4,), "f": (3,)}
    shown = line.strip()[:60]
    if len(words) < 2 or words[1] not in counts:  # noqa: PLR2004 - a thread and a letter
        return f"not an operation: {shown!r} (expected `T a ID SIZE [ALIGN]`, `T c ID SIZE`, `T r ID SIZE` or `T f ID`)"
    if len(words) not in counts[words[1]]:
        expected = " or ".join(str(count) for count in counts[words[1]])
        return f"`{words[1]}` takes {expected} fields, not {len(words)}: {shown!r}"
    wrong = next((word for word in words if word != words[1] and not word.isdecimal()), shown)
    return f"not a number, or one too large: {wrong!r} in {shown!r}"
