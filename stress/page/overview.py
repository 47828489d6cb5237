"""What stands below the verdict: key figures, how to repeat it, where it ran."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arenas.reports import Code, Facts, Figure, Figures, units

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from arenas.reports import Part

    from .document import Results, Run


def figures(files: Sequence[Results]) -> Part:
    """The key figures of all runs."""
    runs = [run for results in files for run in results.runs]
    items = [Figure("Runs", units.count(len(runs)), _kinds(runs))]
    if runs:
        items += [
            Figure("Operations", units.count(sum(run.operations for run in runs))),
            Figure("Threads at most", units.count(max(run.threads for run in runs))),
            Figure("Freed by another thread", units.count(sum(run.counts.get("remote_frees", 0) for run in runs))),
            Figure("Most live at once", units.size(max(run.peak_live_bytes for run in runs))),
            Figure("Faults found", _faults(runs)),
        ]
    recordings = {footprint.name for results in files for footprint in results.footprints}
    if recordings:
        items.append(Figure("Recordings measured", units.count(len(recordings))))
    if seconds := sum(results.seconds for results in files):
        items.append(Figure("Took", units.duration(seconds)))
    return Figures(items)


def repeat(commands: Sequence[str]) -> list[Part]:
    """What to type to do it all again."""
    distinct = list(dict.fromkeys(filter(None, commands)))
    title = "To repeat it" if len(distinct) == 1 else "To repeat them"
    return [Code(title, "\n".join(distinct), is_command=True)] if distinct else []


def machine(described: Sequence[tuple[str, Mapping[str, str]]]) -> list[Part]:
    """Where it ran, from each file's name and words; where the files differ, with their names."""
    facts = {name: _said(name, described) for _file, words in described for name in words}
    return [Facts("Machine", list(facts.items()))] if facts else []


def _said(name: str, described: Sequence[tuple[str, Mapping[str, str]]]) -> str:
    files: dict[str, list[str]] = {}
    for file, words in described:
        files.setdefault(words.get(name, "not said"), []).append(file)
    return "; ".join(value if len(files) == 1 else f"{value} ({', '.join(names)})" for value, names in files.items())


def _kinds(runs: Sequence[Run]) -> str:
    workloads = len({run.name for run in runs if run.kind != "recording"})
    recordings = len({run.name for run in runs if run.kind == "recording"})
    parts = [(workloads, "workload"), (recordings, "recording")]
    return ", ".join(units.plural(number, noun) for number, noun in parts if number)


def _faults(runs: Sequence[Run]) -> str:
    faults = sum(run.faults for run in runs)
    return units.count(faults) if faults else "none"
