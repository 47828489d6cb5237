"""Protocols between threads, searched schedule by schedule: first all with one preemption, then some with more."""

from __future__ import annotations

import gc
import os
import random
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from arenas.system import FREE_THREADED
from tests.threads.points import place, worth_trying
from tests.threads.protocol import NAMES
from tests.threads.stand_ins import standing_in
from tests.threads.tracing import watching
from tests.threads.turns import Turn, Turns, watch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.threads.protocol import Protocol
    from tests.threads.turns import Played

# How many schedules with one preemption a protocol is worth at most, and where choosing begins; of those with more, a
# quarter as many. Without the GIL each takes ten times as long.
SCHEDULES = int(os.environ.get("ARENAS_SEARCH", "40" if FREE_THREADED else "500"))
SEED = int(os.environ.get("ARENAS_SEED", "1"))
_DEEPEST = 3  # preemptions


@dataclass(frozen=True)
class Schedule:
    """Who runs when: ``A37 B C12 A`` stops A after 37 steps, then B runs as far as it gets, then C for 12 steps, …"""

    turns: tuple[Turn, ...] = ()

    @classmethod
    def read(cls, text: str) -> Schedule:
        """From what ``str`` makes of one."""
        found = re.findall(r"([A-D])(\d*)", text)
        return cls(tuple(Turn(NAMES.index(name), int(steps) if steps else None) for name, steps in found))

    def __str__(self) -> str:
        return " ".join(NAMES[turn.thread] + ("" if turn.steps is None else str(turn.steps)) for turn in self.turns)

    @property
    def preemptions(self) -> int:
        """How many turns are stopped by the schedule, not by the thread's end or a wait."""
        return sum(turn.steps is not None for turn in self.turns)


@dataclass
class Run:
    """What was played to a schedule, and so where another can differ from it."""

    schedule: Schedule
    played: list[Played]

    def orders(self) -> Iterator[Schedule]:
        """The same, with another thread where one ended or waited and more than one could go on."""
        for index, turn in self._open():
            for other in turn.choices:
                if index >= len(self.schedule.turns) and other != turn.thread:
                    yield Schedule((*self._before(index), Turn(other, None)))

    def preempted(self) -> Iterator[Schedule]:
        """The same, with one preemption more, after each step, in favour of each thread that has not ended."""
        for index, turn in self._open():
            going_on = {later.thread for later in self.played[index + 1 :]} - {turn.thread}
            for step in worth_trying(turn.path) if not turn.stopped else ():
                for other in sorted(going_on):
                    yield Schedule((*self._before(index), Turn(turn.thread, step + 1), Turn(other, None)))

    def _open(self) -> Iterator[tuple[int, Played]]:
        # Turns that the schedule does not settle: those before its last were settled by the run that it came from.
        first = max(len(self.schedule.turns) - 1, 0)
        return ((index, self.played[index]) for index in range(first, len(self.played)))

    def _before(self, index: int) -> list[Turn]:
        return [Turn(turn.thread, len(turn.path) if turn.stopped else None) for turn in self.played[:index]]


class Search:
    """Looks for a schedule under which a protocol fails; raises what it fails with, and how to replay it."""

    def __init__(self, protocol: type[Protocol], *, schedules: int = SCHEDULES, seed: int = SEED) -> None:
        self._protocol = protocol
        self._schedules = schedules
        self._random = random.Random(f"{seed} {protocol.__name__}")
        self.tried: list[Schedule] = []
        self.left_out = 0  # schedules with one preemption that were not tried

    def run(self) -> None:
        """Every order of the threads; one preemption, everywhere; then at random one more in what was played so far."""
        with _undisturbed():
            runs = [self.play(Schedule())]
            for run in runs:  # which grows meanwhile
                runs += map(self.play, run.orders())
            once = [schedule for run in runs for schedule in run.preempted()]
            self.left_out = max(0, len(once) - self._schedules)
            runs += map(self.play, self._random.sample(once, self._schedules) if self.left_out else once)
            for _ in range(self._schedules // 4):
                run = self._random.choice(runs)
                further = list(run.preempted()) if run.schedule.preemptions < _DEEPEST else []
                if further:
                    runs.append(self.play(self._random.choice(further)))

    def replay(self, schedule: Schedule) -> Run:
        """Play one schedule."""
        with _undisturbed():
            return self.play(schedule)

    def play(self, schedule: Schedule) -> Run:
        """Play one schedule; whoever calls sees to the stand-ins."""
        self.tried.append(schedule)
        gc.freeze()  # so that a collection, where the heap asks for one, looks at this run only
        turns = Turns(list(schedule.turns))
        try:
            protocol = self._protocol(turns)
            turns.run(protocol.workers())
            protocol.end()
        except BaseException as error:
            self._explain(error, schedule, turns)
            raise
        return Run(schedule, turns.played)

    def _explain(self, error: BaseException, schedule: Schedule, turns: Turns) -> None:
        stops = [f"{NAMES[turn.thread]} stopped at {place(turn.path[-1])}" for turn in turns.played if turn.stopped]
        error.add_note(f"{self._protocol.__name__} under the schedule '{schedule}', number {len(self.tried)}")
        error.add_note("\n".join(stops) or "nobody was stopped")
        module = self._protocol.__module__.rpartition(".")[2]
        file = module if module.startswith("test_") else "test_search"
        command = f"python -m pytest tests/threads/{file}.py -k '[{self._protocol.__name__}]'"
        error.add_note(f"replay: ARENAS_SCHEDULE='{schedule}' {command}")


@contextmanager
def _undisturbed() -> Iterator[None]:
    """The collector strikes where it likes, and never twice at the same place."""
    gc.collect()
    gc.disable()
    try:
        with standing_in(), watching(watch):
            yield
    finally:
        gc.enable()
        gc.unfreeze()
