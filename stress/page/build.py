"""The page of one results file, or of several side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arenas.reports import Page

from . import failures, footprints, overview, promises, ratios, runs, throughput, verdict
from .costs import Costs
from .document import Results
from .names import shown
from .searches import Searches

if TYPE_CHECKING:
    from collections.abc import Sequence


def page(files: Sequence[Results | Costs | Searches]) -> Page:
    """Build the page. What failed stands right below the verdict and its figures: on a telephone's first screen."""
    results = [each for each in files if isinstance(each, Results)]
    costs = [each for each in files if isinstance(each, Costs)]
    searches = [each for each in files if isinstance(each, Searches)]
    all_shown = shown([run for each in results for run in each.runs])
    memory, others = runs.memory_sections(all_shown)
    sections = [
        failures.section(results, all_shown, searches),
        overview.origin([each.command for each in files], [(each.path.name, each.machine) for each in files]),
        throughput.section(all_shown),
        memory,
        footprints.section(results),
        runs.table_section(all_shown) if all_shown else None,
        others,
        promises.section(searches),
    ]
    for number, each in enumerate(costs):
        sections += ratios.sections(each, number)
    checked = bool(results or searches)
    good = verdict.is_clean(results, searches)
    return Page(
        title="arenas stress report",
        good=good,
        mark=("Clean" if checked else "Measured") if good else "Failed",
        verdict=verdict.sentence(results, all_shown, searches) if checked else f"{costs[0].summary}.",
        lead=overview.figures(results, searches),
        sections=[section for section in sections if section is not None],
        note=_started(results),
    )


def _started(results: Sequence[Results]) -> str:
    """When the first of them began, to the minute, in the words of the file."""
    moments = sorted(each.started for each in results if each.started)
    if not moments:
        return ""
    date, _, time = moments[0].partition("T")
    zone = " UTC" if time.endswith(("+00:00", "Z")) else ""
    return f"{date} {time[:5]}{zone}".strip()
