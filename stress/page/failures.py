"""What failed, before all else: every complaint, as it was made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arenas.reports import Cell, Code, Heading, Section, Table, Text, units

from . import promises

if TYPE_CHECKING:
    from collections.abc import Sequence

    from arenas.reports import Part

    from .document import Footprint, Results
    from .names import Shown
    from .searches import Searches


def section(files: Sequence[Results], all_shown: Sequence[Shown], searches: Sequence[Searches]) -> Section | None:
    """All that failed; None where nothing did."""
    failed = [each for each in all_shown if not each.run.clean]
    unmeasured = [each for results in files for each in results.footprints if each.failure]
    parts = [part for each in failed for part in _of_run(each)]
    parts += [Text(results.verdict) for results in files if _is_vague(results)]
    parts += promises.complaints(searches)
    bad = bool(parts)
    if unmeasured:
        parts.append(_of_footprints(unmeasured))
    return Section("What failed", parts, "failures", bad=bad) if parts else None


def _is_vague(results: Results) -> bool:
    """Whether the file says that something failed, and no run in it does."""
    return not results.clean and bool(results.verdict) and all(run.clean for run in results.runs)


def _of_run(each: Shown) -> list[Part]:
    """What is one line stands first: nobody should have to scroll past a traceback to it."""
    complaints = sorted(each.run.complaints, key=_is_long) or ["The file says that it failed, and not why."]
    return [
        Code(
            f"{each.title}, {each.note}: {units.plural(len(complaints), 'complaint')}",
            "\n\n".join(complaints),
            bad=True,
        )
    ]


def _is_long(complaint: str) -> bool:
    return "\n" in complaint.strip()


def _of_footprints(footprints: Sequence[Footprint]) -> Table:
    headings = [
        Heading(text, is_number=False) for text in ("Recording", "Allocator", "Why its memory was not measured")
    ]
    rows = [
        [Cell(each.name), Cell(" ".join(filter(None, (each.allocator, each.placement)))), Cell(each.failure or "")]
        for each in footprints
    ]
    return Table("Memory not measured", headings, rows)
