"""The table of mutants, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.mutants.mutant import Edit, Mutant
    from tests.mutants.run import Verdict

WIDTHS = (9, 34, 32, 60)


def header() -> str:
    """What the columns are."""
    return _row("kind", "function", "file:line", "removed", "noticed by", "seconds")


def row(mutant: Mutant, edit: Edit, verdict: Verdict) -> str:
    """One mutant."""
    return _row(
        mutant.kind,
        mutant.function,
        f"{mutant.file}:{edit.first}",
        " ".join(mutant.removed.split()),
        "SURVIVED" if verdict.killed_by is None else verdict.killed_by.removeprefix("tests/"),
        f"{verdict.seconds:.1f}",
    )


def _row(kind: str, function: str, place: str, removed: str, noticed_by: str, seconds: str) -> str:
    cells = (kind, function, place, removed)
    fitted = (_fit(cell, width) for cell, width in zip(cells, WIDTHS, strict=True))
    return "  ".join((*fitted, f"{seconds:>7}", noticed_by))


def _fit(cell: str, width: int) -> str:
    return cell.ljust(width) if len(cell) <= width else f"{cell[: width - 1]}…"
