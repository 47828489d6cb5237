"""The table of mutants, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.mutants.mutant import Edit, Mutant
    from tests.mutants.run import Verdict

# Of the columns but the last.
_WIDTHS = (8, 34, 27, 60, 7)


def header() -> str:
    """What the columns are."""
    return _line("mutant", "in", "file:line", "removed", "seconds", "noticed by")


def row(mutant: Mutant, edit: Edit, verdict: Verdict) -> str:
    """One mutant."""
    return _line(
        mutant.kind,
        mutant.function,
        f"{mutant.file}:{edit.first}",
        " ".join(mutant.removed.split()),
        f"{verdict.seconds:7.1f}",
        verdict.killed_by or f"NOBODY: {mutant.why}",
    )


def _line(*cells: str) -> str:
    *fitted, last = cells
    return "  ".join((*map(_fit, fitted, _WIDTHS), last))


def _fit(cell: str, width: int) -> str:
    return cell.ljust(width) if len(cell) <= width else f"{cell[: width - 1]}…"
