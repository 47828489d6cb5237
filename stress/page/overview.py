"""What belongs to all of it: key figures, how to repeat it, where it ran."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arenas.reports import Code, Facts, Figure, Figures, Section, units

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from arenas.reports import Part

    from .document import Results, Run
    from .searches import Searches


def figures(files: Sequence[Results], searches: Sequence[Searches]) -> list[Part]:
    """The key figures of all runs and all searches; none where there is neither."""
    items = [*(_of_runs(files) if files else ()), *(_of_searches(searches) if searches else ())]
    return [Figures(items)] if items else []


def _of_runs(files: Sequence[Results]) -> list[Figure]:
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
    return items


def _of_searches(files: Sequence[Searches]) -> list[Figure]:
    protocols = [protocol for searches in files for protocol in searches.protocols]
    broken = sum(len(searches.broken) for searches in files)
    return [
        Figure("Promises", units.count(len(protocols))),
        Figure("Schedules played", units.count(sum(each.schedules for each in protocols))),
        Figure("Promises broken", units.count(broken) if broken else "none"),
    ]


def origin(commands: Sequence[str], machines: Sequence[tuple[str, Mapping[str, str]]]) -> Section | None:
    """How to repeat it, and where it ran; None where the files say neither."""
    parts = [*_repeat(commands), *_machine(machines)]
    return Section("How it was run", parts, "origin") if parts else None


def _repeat(commands: Sequence[str]) -> list[Part]:
    """What to type to do it all again."""
    distinct = list(dict.fromkeys(filter(None, commands)))
    title = "To repeat it" if len(distinct) == 1 else "To repeat them"
    return [Code(title, "\n".join(distinct), is_command=True)] if distinct else []


def _machine(described: Sequence[tuple[str, Mapping[str, str]]]) -> list[Part]:
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
