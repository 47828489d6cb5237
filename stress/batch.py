"""Several recordings replayed in a row, whichever command asked for it: announce, replay, report."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from . import progress, report, trace
from .replay import replay
from .table import say

if TYPE_CHECKING:
    from pathlib import Path

    from .allocators import OpenAllocator
    from .recordings import Found
    from .results import Result

CLEAN: Final = 0
FAILED: Final = 1
USAGE: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What to run, and how. `run` may be called once or often: it keeps nothing."""

    program: str
    found: Found
    open_allocator: OpenAllocator
    arenas: str | int
    api: str
    serial: bool
    limit: int | None
    seed: int
    json: Path | None

    def command(self) -> str:
        """The command that does exactly this again, but for the order in which the system runs threads."""
        words = ["replay", f"--seed={self.seed}", f"--arenas={self.arenas}", f"--api={self.api}"]
        words += ["--serial"] if self.serial else []
        words += [f"--limit-ops={self.limit}"] if self.limit is not None else []
        return f"{self.program} {shlex.join(words + [str(path) for path in self.found.paths])}"

    def run(self) -> int:
        """Replay everything; the exit status.

        Raises:
            UsageError: a recording is malformed.

        """
        say(self.command())
        say(f"recordings: {self.found.told}")
        with progress.bar() as begin:
            results = [self._replay(path, begin) for path in self.found.paths]
        report.show(results)
        for result in results:
            for complaint in result.complaints():
                say(f"{result.recording}: {complaint}")
        if self.json is not None:
            report.write_json(self.json, self.command(), self.seed, results)
        say(report.verdict(results))
        return CLEAN if all(result.clean for result in results) else FAILED

    def _replay(self, path: Path, begin: progress.Begin) -> Result:
        recording = trace.read(path, self.limit)
        allocator = self.open_allocator(self.api, self.arenas, recording.name)
        watch = begin(recording.name, len(recording.kinds))
        return replay(recording, allocator, seed=self.seed, serial=self.serial, watch=watch)
