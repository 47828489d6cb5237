"""Results as a table, and as JSON."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from . import machine, table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .results import Result

FORMAT: Final = "arenas-stress-results"
VERSION: Final = 1

_HEADINGS: Final = (
    "run",
    "allocator",
    "operations",
    "threads",
    "remote frees\n(its own count)",
    "seconds",
    "peak live",
    "peak memory\n(of reserved)",
    "faults",
    "check()",
    "leaked\nblocks",
)
_TEXT_COLUMNS: Final = frozenset({"run", "allocator", "faults", "check()"})
_MEGABYTE: Final = 1e6


@dataclass(frozen=True, slots=True)
class Document:
    """Everything known about a run of the program."""

    command: str
    seed: int
    started: float
    """Seconds since the epoch."""
    runs: Sequence[Result]
    footprints: Sequence[dict[str, object]] = ()

    @property
    def clean(self) -> bool:
        """Whether there is nothing to complain of."""
        return all(result.clean for result in self.runs)

    @property
    def empty(self) -> bool:
        """Whether all that was asked for was left out: then nothing is proven, and that must not pass for clean."""
        return bool(self.runs) and all(result.left_out for result in self.runs)

    @property
    def verdict(self) -> str:
        """One line: clean, or which runs are not, and whose fault it is."""
        ran = [result for result in self.runs if not result.left_out]
        total = f"{_counted(len(ran), 'run')}, {sum(result.operations for result in ran):,} operations"
        failed = [result for result in ran if not result.clean]
        if failed:
            names = ", ".join(f"{allocator} in {_listed(failed, allocator)}" for allocator in _allocators(failed))
            return f"FAILED: {len(failed)} of {total}: {names}"
        if self.empty:
            return "nothing was run: all that was asked for was left out"
        return f"clean: {total}: every byte as it was written, every block given back, every check passed"

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        document = {
            "format": FORMAT,
            "version": VERSION,
            "command": self.command,
            "seed": self.seed,
            "started": dt.datetime.fromtimestamp(self.started, dt.UTC).isoformat(timespec="seconds"),
            "seconds": round(time.time() - self.started, 3),
            "clean": self.clean,
            "verdict": self.verdict,
            "machine": machine.describe(),
            "runs": [result.as_dict() for result in self.runs],
            "footprints": list(self.footprints),
        }
        path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def show(results: Sequence[Result]) -> None:
    """Print the table."""
    table.show(_HEADINGS, [_row(result) for result in results], _TEXT_COLUMNS)


def _allocators(results: Sequence[Result]) -> list[str]:
    return list(Counter(result.allocator for result in results))


def _listed(results: Sequence[Result], allocator: str) -> str:
    return ", ".join(result.name for result in results if result.allocator == allocator)


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def _row(result: Result) -> tuple[str, ...]:
    operations = f"{result.operations:,}"
    if result.total_operations not in {None, result.operations}:
        operations += f" of {result.total_operations:,}"
    return (
        result.name,
        result.allocator,
        operations,
        str(result.threads),
        f"{result.remote_frees:,} ({result.heap_remote_frees:,})",
        f"{result.seconds:.2f}",
        _megabytes(result.peak_live_bytes),
        f"{_megabytes(result.peak_committed_bytes)} ({_megabytes(result.peak_reserved_bytes)})",
        f"{result.faults:,}" if result.faults else "none",
        _check(result),
        "?" if result.leaked_blocks is None else str(result.leaked_blocks),
    )


def _check(result: Result) -> str:
    if result.left_out:
        return "left out"
    if result.failure:
        return "raised"
    if result.check != "ok":
        return "FAILED"
    return "books wrong" if result.accounting else "ok"


def _megabytes(size_bytes: int | None) -> str:
    return "?" if size_bytes is None else f"{size_bytes / _MEGABYTE:,.1f} MB"
