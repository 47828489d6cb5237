"""Results as a table, and as JSON."""

from __future__ import annotations

import json
import platform
from typing import TYPE_CHECKING, Final

from . import table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .results import Result

_HEADINGS: Final = (
    "recording",
    "operations",
    "threads",
    "remote frees\n(heap's count)",
    "seconds",
    "peak live",
    "peak memory\n(of reserved)",
    "corruption",
    "check()",
    "leaked\nblocks",
)
_TEXT_COLUMNS: Final = frozenset({"recording", "corruption", "check()"})
_MEGABYTE: Final = 1e6


def show(results: Sequence[Result]) -> None:
    """Print the table."""
    table.show(_HEADINGS, [_row(result) for result in results], _TEXT_COLUMNS)


def verdict(results: Sequence[Result]) -> str:
    """One line: clean, or which recordings are not."""
    operations = sum(result.operations for result in results)
    run = f"{_recordings(len(results))}, {operations:,} operations"
    failed = [result.recording for result in results if not result.clean]
    if failed:
        return f"FAILED: {len(failed)} of {run}: {', '.join(failed)}"
    return f"clean: {run}: every byte as it was written, every block given back, every check passed"


def write_json(path: Path, command: str, seed: int, results: Sequence[Result]) -> None:
    """Write everything known about a run."""
    document = {
        "command": command,
        "seed": seed,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "clean": all(result.clean for result in results),
        "recordings": [result.as_dict() for result in results],
    }
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _recordings(count: int) -> str:
    return f"{count} recording" + ("" if count == 1 else "s")


def _row(result: Result) -> tuple[str, ...]:
    operations = f"{result.operations:,}"
    if result.total_operations != result.operations:
        operations += f" of {result.total_operations:,}"
    return (
        result.recording,
        operations,
        str(result.threads),
        f"{result.remote_frees:,} ({result.heap_remote_frees:,})",
        f"{result.seconds:.2f}",
        _megabytes(result.peak_live_bytes),
        f"{_megabytes(result.peak_committed_bytes)} ({_megabytes(result.peak_reserved_bytes)})",
        f"{result.corruptions:,}" if result.corruptions else "none",
        _check(result),
        "?" if result.leaked_blocks is None else str(result.leaked_blocks),
    )


def _check(result: Result) -> str:
    if result.failure:
        return "raised"
    if result.check != "ok":
        return "FAILED"
    return "books wrong" if result.accounting else "ok"


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / _MEGABYTE:,.1f} MB"
