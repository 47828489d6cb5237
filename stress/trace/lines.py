"""A file as numbered lines, compressed or not."""

from __future__ import annotations

import gzip
import zlib
from typing import IO, TYPE_CHECKING, Final

from ..errors import TraceError

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

_GZIP_MAGIC: Final = b"\x1f\x8b"


def numbered(path: Path) -> Generator[tuple[int, str], None, None]:
    """Yield each line that is not blank, with its number. To be closed, or walked to the end.

    Raises:
        TraceError: the file is compressed and damaged.
        OSError: the file cannot be read.

    """
    line_number = 0
    with _open(path) as text:
        try:
            for line_number, line in enumerate(text, start=1):
                if not line.isspace():
                    yield line_number, line
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            why = f"the compressed data is damaged or cut short ({error})"
            raise TraceError(path, line_number + 1, why) from error


def shown(line: str) -> str:
    """The beginning of a line, for a message."""
    return repr(line.strip()[:60])


def _open(path: Path) -> IO[str]:
    """Open as text; undecodable bytes become characters that no line may hold, so they are named with their line."""
    with path.open("rb") as raw:
        compressed = raw.read(2) == _GZIP_MAGIC
    if compressed:
        return gzip.open(path, "rt", encoding="ascii", errors="replace")
    return path.open(encoding="ascii", errors="replace")
