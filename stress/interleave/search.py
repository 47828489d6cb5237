"""Protocols between threads, searched schedule by schedule: first all with one preemption, then some with more."""

from __future__ import annotations

import gc
import random
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .points import place, worth_trying
from .schedule import Schedule
from .stand_ins import standing_in
from .steps import Steps
from .tracing import Tracer
from .turns import NAMES, Turn, Turns
from .turns import watch as watch_turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .protocol import Protocol
    from .turns import Played

_DEEPEST: Final = 3  # preemptions


@dataclass
class Run:
    """What was played to a schedule, and so where another can differ from it."""

    schedule: Schedule
    played: list[Played]

    @property
    def followed(self) -> bool:
        """Whether every preemption of the schedule came about: one that was found with other code may ask for more."""
        return sum(turn.stopped for turn in self.played) == self.schedule.preemptions

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


@dataclass(frozen=True)
class Failure:
    """A schedule under which a promise was broken, how many had been played then, and where it had stopped threads."""

    schedule: Schedule
    number: int
    stops: tuple[str, ...]


class Search:
    """Looks for a schedule under which a protocol fails, and raises what it fails with.

    Plays at most ``schedules`` with one preemption, a quarter as many with more, and those without any; which ones
    follows from ``seed``. Tells ``watch`` after each how many it has played. One search at a time in a process.
    """

    def __init__(
        self,
        protocol: type[Protocol],
        *,
        schedules: int,
        seed: int,
        watch: Callable[[int], object] = lambda _: None,
    ) -> None:
        self._protocol = protocol
        self._schedules = schedules
        self._watch = watch
        self._random = random.Random(f"{seed} {protocol.__name__}")  # noqa: S311 - to be repeated, not to be kept secret
        self._tracer = Tracer(Steps(protocol.files()), watch_turns)
        self.tried: list[Schedule] = []
        self.left_out = 0  # schedules with one preemption that were not tried
        self.failure: Failure | None = None

    def run(self) -> None:
        """Every order of the threads; one preemption, everywhere; then at random one more in what was played so far."""
        with self._undisturbed():
            runs = [self._play(Schedule())]
            for run in runs:  # which grows meanwhile
                runs += map(self._play, run.orders())
            once = [schedule for run in runs for schedule in run.preempted()]
            self.left_out = max(0, len(once) - self._schedules)
            runs += map(self._play, self._random.sample(once, self._schedules) if self.left_out else once)
            for _ in range(self._schedules // 4):
                run = self._random.choice(runs)
                further = list(run.preempted()) if run.schedule.preemptions < _DEEPEST else []
                if further:
                    runs.append(self._play(self._random.choice(further)))

    def replay(self, schedule: Schedule) -> Run:
        """Play one schedule."""
        with self._undisturbed():
            return self._play(schedule)

    def _play(self, schedule: Schedule) -> Run:
        self.tried.append(schedule)
        gc.freeze()  # so that a collection, where the heap asks for one, looks at this run only
        turns = Turns(list(schedule.turns), self._tracer)
        try:
            protocol = self._protocol(turns)
            turns.run(protocol.workers())
            protocol.end()
        except BaseException as error:
            self._explain(error, schedule, turns)
            raise
        self._watch(len(self.tried))
        return Run(schedule, turns.played)

    def _explain(self, error: BaseException, schedule: Schedule, turns: Turns) -> None:
        stops = [f"{NAMES[turn.thread]} stopped at {place(turn.path[-1])}" for turn in turns.played if turn.stopped]
        self.failure = Failure(schedule, len(self.tried), tuple(stops or ["nobody was stopped"]))
        error.add_note(f"{self._protocol.__name__} under the schedule '{schedule}', number {len(self.tried)}")
        error.add_note("\n".join(self.failure.stops))

    @contextmanager
    def _undisturbed(self) -> Iterator[None]:
        """The collector strikes where it likes, and never twice at the same place."""
        gc.collect()
        gc.disable()
        try:
            with self._protocol.around(), standing_in(), self._tracer.watching():
                yield
        finally:
            gc.enable()
            gc.unfreeze()
