"""A recording into its file, an operation at a time.

The header comes first and holds totals that are known last. So the operations go to a temporary file beside the
recording, and when they are complete the header is written and they are copied after it: compressed ones as they are,
since a gzip file may have several members (RFC 1952, 2.2).
"""

from __future__ import annotations

import gzip
import shutil
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING

from .facts import Facts
from .native import MAGIC
from .operations import line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

    from .operations import Batch


class Writer:
    """Writes the format `arenas-trace 1`, compressed where the name ends in ``.gz``. One thread.

    A context manager: the file appears, whole, at the end of a ``with`` that raised nothing, and not otherwise.
    """

    def __init__(self, path: Path, headers: Mapping[str, str]) -> None:
        """``headers``: ``program`` and the like; the counts are added. Cost: an entry a live block."""
        self.facts = Facts()
        self._path = path
        self._headers = headers
        self._folder = tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent)
        self._body_path = Path(self._folder.name, "body")
        self._body = self._open(self._body_path)

    def add(self, thread: int, kind: int, block: int, size: int = 0, alignment: int = 0) -> None:
        """Write one operation. ``block`` is a number never given to another block."""
        self.facts.take(thread, kind, block, size)
        self._body.write(line(thread, kind, block, size, alignment) + "\n")

    def write(self, batch: Batch) -> None:
        """Write a batch."""
        for index in range(len(batch)):
            self.add(
                batch.threads[index],
                batch.kinds[index],
                batch.blocks[index],
                batch.sizes[index],
                batch.alignments[index],
            )

    def __enter__(self) -> Self:
        """The writer."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trail: TracebackType | None
    ) -> None:
        """Put the file in its place, or remove what was written."""
        with self._folder:  # removed whatever happens
            self._body.close()
            if kind is None:
                self._assemble(Path(self._folder.name, "whole"))

    def _assemble(self, whole_path: Path) -> None:
        with self._open(whole_path) as text:
            text.write(MAGIC + "\n")
            for key, value in {**self._headers, **self.facts.headers()}.items():
                text.write(f"# {key}: {' '.join(value.split())}\n")
        with whole_path.open("ab") as whole, self._body_path.open("rb") as body:
            shutil.copyfileobj(body, whole)
        whole_path.replace(self._path)

    def _open(self, path: Path) -> IO[str]:
        if self._path.name.endswith(".gz"):
            return gzip.open(path, "wt", encoding="ascii", errors="backslashreplace")
        return path.open("w", encoding="ascii", errors="backslashreplace")
