"""The verdict: one sentence, which a failure always changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from arenas.reports import units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .document import Results
    from .names import Shown
    from .searches import Searches

_NAMED: Final = 3


def is_clean(files: Sequence[Results], searches: Sequence[Searches]) -> bool:
    """Whether every file, every run in it and every promise says so."""
    runs = all(results.clean and all(run.clean for run in results.runs) for results in files)
    return runs and all(each.clean and not each.broken for each in searches)


def sentence(files: Sequence[Results], all_shown: Sequence[Shown], searches: Sequence[Searches]) -> str:
    """What was run and searched, and how it ended. Where something failed, only that."""
    if failed := [*_failed_runs(all_shown), *_broken_promises(searches)]:
        return " ".join(failed)
    if not is_clean(files, searches):
        unclean = [each.verdict for each in files if not each.clean]
        unclean += [each.verdict for each in searches if not each.clean]
        return next(filter(None, unclean), "Something failed, and the file does not say what.")
    return " ".join([_of_runs(files, all_shown)] * bool(files) + [_of_searches(searches)] * bool(searches))


def _failed_runs(all_shown: Sequence[Shown]) -> list[str]:
    failed = [f"{each.group} on {each.label}" for each in all_shown if not each.run.clean]
    return [f"{len(failed)} of {_plural(len(all_shown), 'run')} failed: {_listed(failed)}."] if failed else []


def _broken_promises(files: Sequence[Searches]) -> list[str]:
    broken = [protocol.name for searches in files for protocol in searches.broken]
    promises = _plural(sum(len(searches.protocols) for searches in files), "promise")
    return [f"{len(broken)} of {promises} broken: {_listed(broken)}."] if broken else []


def _of_searches(files: Sequence[Searches]) -> str:
    protocols = [protocol for searches in files for protocol in searches.protocols]
    if not protocols:
        return "Nothing was searched."
    schedules = _plural(sum(each.schedules for each in protocols), "schedule")
    return f"No promise broken: {_plural(len(protocols), 'protocol')}, {schedules}."


def _of_runs(files: Sequence[Results], all_shown: Sequence[Shown]) -> str:
    if not all_shown:
        recordings = len({footprint.name for results in files for footprint in results.footprints})
        return f"Memory measured for {_plural(recordings, 'recording')}." if recordings else "Nothing was run."
    operations = _plural(sum(each.run.operations for each in all_shown), "operation")
    allocators = _listed(list(dict.fromkeys(each.run.allocator for each in all_shown)))
    most = max(each.run.threads for each in all_shown)
    threads = "1 thread" if most == 1 else f"up to {most:,} threads"
    runs = _plural(len(all_shown), "run")
    return f"Every byte as it was written, every block given back: {runs} on {allocators}, {operations} by {threads}."


def _plural(value: int, noun: str) -> str:
    """Here lines may break anywhere."""
    return units.plural(value, noun).replace(units.SPACE, " ")


def _listed(names: Sequence[str]) -> str:
    """The first few, and how many more."""
    if len(names) > _NAMED + 1:
        names = [*names[:_NAMED], f"{len(names) - _NAMED} more"]
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
