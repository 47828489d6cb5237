"""The verdict: one sentence, which a failure always changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from arenas.reports import units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .document import Results
    from .names import Shown

_NAMED: Final = 3


def is_clean(files: Sequence[Results]) -> bool:
    """Whether every file, every run in it and every measurement says so."""
    return all(results.clean and all(run.clean for run in results.runs) for results in files)


def sentence(files: Sequence[Results], all_shown: Sequence[Shown]) -> str:
    """What was run, and how it ended."""
    failed = [each for each in all_shown if not each.run.clean]
    runs = _plural(len(all_shown), "run")
    if failed:
        ran = f"{len(failed)} of {runs} failed"
        return f"{ran}: {_listed([f'{each.group} on {each.label}' for each in failed])}."
    if not is_clean(files):
        return next(results.verdict for results in files if not results.clean) or "Something failed outside the runs."
    if not all_shown:
        recordings = len({footprint.name for results in files for footprint in results.footprints})
        return f"Memory measured for {_plural(recordings, 'recording')}." if recordings else "Nothing was run."
    operations = _plural(sum(each.run.operations for each in all_shown), "operation")
    allocators = _listed(list(dict.fromkeys(each.run.allocator for each in all_shown)))
    most = max(each.run.threads for each in all_shown)
    threads = "1 thread" if most == 1 else f"up to {most:,} threads"
    return f"Every byte as it was written, every block given back: {runs} on {allocators}, {operations} by {threads}."


def _plural(value: int, noun: str) -> str:
    """Here lines may break anywhere."""
    return units.plural(value, noun).replace(units.SPACE, " ")


def _listed(names: Sequence[str]) -> str:
    """The first few, and how many more."""
    if len(names) > _NAMED + 1:
        names = [*names[:_NAMED], f"{len(names) - _NAMED} more"]
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
