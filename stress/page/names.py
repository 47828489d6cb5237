"""What to call each run: by what sets it apart from the others on the page, and by nothing more."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .document import Run


@dataclass(frozen=True, slots=True)
class Shown:
    """A run with its names."""

    run: Run
    label: str
    """Among those of its workload: ``blocks``, ``malloc WholeFit``."""
    group: str
    """What it did: the same for all that can be compared with it."""
    note: str
    """With how many threads."""
    anchor: str

    @property
    def title(self) -> str:
        """Among all."""
        return f"{self.group} · {self.label}"


def shown(runs: Sequence[Run]) -> list[Shown]:
    """Name each run. Those of one workload are compared if their threads and scale are the same."""
    labels = [_label(run, runs) for run in runs]
    for distinguish in (_file, _seed):
        labels = _set_apart(labels, runs, distinguish)
    labels = _numbered(labels, runs)
    return [
        Shown(run, label, run.name, _note(run), f"run-{number}")
        for number, (run, label) in enumerate(zip(runs, labels, strict=True), 1)
    ]


def grouped(all_shown: Sequence[Shown]) -> list[tuple[str, str, list[Shown]]]:
    """What can be compared, together: name, note and runs, in the order in which they come first."""
    groups: dict[tuple[str, str], list[Shown]] = {}
    for each in all_shown:
        groups.setdefault((each.group, each.note), []).append(each)
    return [(name, note, members) for (name, note), members in groups.items()]


def _label(run: Run, runs: Sequence[Run]) -> str:
    """The allocator; how it is set up only where others of the same are set up differently."""
    ours = [each for each in runs if each.arenas is not None]
    words = [run.allocator]
    if run.placement is not None and len({each.placement for each in ours}) > 1:
        words.append(run.placement)
    if run.arenas is not None and len({each.arenas for each in ours}) > 1:
        words.append(f"arenas={run.arenas}")
    return " ".join(words)


def _note(run: Run) -> str:
    threads = "1 thread" if run.threads == 1 else f"{run.threads:,} threads"
    return threads if run.scale == 1 else f"{threads}, scale {run.scale:g}"


def _file(run: Run) -> str:
    return run.source.stem


def _seed(run: Run) -> str:
    return "" if run.seed is None else f"seed {run.seed}"


def _set_apart(labels: Sequence[str], runs: Sequence[Run], distinguish: Callable[[Run], str]) -> list[str]:
    """Add a word to those that would be called the same, where it makes a difference."""
    words: dict[tuple[str, str, str], set[str]] = {}
    for label, run in zip(labels, runs, strict=True):
        words.setdefault((run.name, _note(run), label), set()).add(distinguish(run))
    return [
        f"{label}, {distinguish(run)}" if len(words[run.name, _note(run), label]) > 1 else label
        for label, run in zip(labels, runs, strict=True)
    ]


def _numbered(labels: Sequence[str], runs: Sequence[Run]) -> list[str]:
    """What is still called the same was done several times."""
    seen: Counter[tuple[str, str, str]] = Counter()
    numbered = []
    for label, run in zip(labels, runs, strict=True):
        key = run.name, _note(run), label
        seen[key] += 1
        numbered.append(label if seen[key] == 1 else f"{label} #{seen[key]}")
    return numbered
