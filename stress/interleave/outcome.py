"""What a search came to: to be shown, and written."""

from __future__ import annotations

import dataclasses
import shlex
import time
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ..errors import FOREIGN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .protocol import Protocol
    from .search import Search

HEADINGS: Final = ("protocol", "promise", "schedules\nplayed", "left out", "deepest\npreemptions", "seconds", "verdict")
TEXT_COLUMNS: Final = frozenset({"protocol", "promise", "verdict"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """The first schedule under which a promise was broken; JSON is made of exactly these fields."""

    schedule: str
    number: int
    """How many had been played then, this one included."""
    stops: tuple[str, ...]
    """Where it had stopped threads."""
    error: str
    """What was raised, with its traceback."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One protocol's search; JSON is made of exactly these fields."""

    name: str
    promise: str
    schedules: int
    left_out: int
    """Schedules with one preemption that were not played."""
    preemptions: int
    """Of the deepest schedule played."""
    seconds: float
    broken: Broken | None

    def row(self) -> Sequence[str]:
        """For the table."""
        numbers = (f"{self.schedules:,}", f"{self.left_out:,}", str(self.preemptions), f"{self.seconds:.1f}")
        return (self.name, self.promise or "–", *numbers, "holds" if self.broken is None else "BROKEN")

    def as_dict(self, program: str) -> dict[str, Any]:
        """For JSON."""
        found = dataclasses.asdict(self)
        if self.broken is not None:
            found["broken"]["replay"] = replay(program, self.name, self.broken.schedule)
        return {**found, "clean": self.broken is None}


def replay(program: str, name: str, schedule: str) -> str:
    """The command that plays one schedule again."""
    return f"{program} {shlex.join(['interleave', name, '--schedule', schedule])}"


def played(name: str, protocol: type[Protocol], search: Search, play: Callable[[], object]) -> Outcome:
    """What came of ``play``, which has the search play something."""
    begin = time.perf_counter()
    broken = None
    try:
        play()
    except FOREIGN as error:
        if search.failure is None:
            raise  # not of a schedule: ours
        text = "".join(traceback.format_exception(error)).rstrip()
        failure = search.failure
        broken = Broken(schedule=str(failure.schedule), number=failure.number, stops=failure.stops, error=text)
    return Outcome(
        name=name,
        promise=protocol.promise(),
        schedules=len(search.tried),
        left_out=search.left_out,
        preemptions=max((schedule.preemptions for schedule in search.tried), default=0),
        seconds=round(time.perf_counter() - begin, 3),
        broken=broken,
    )


def verdict(outcomes: Sequence[Outcome]) -> str:
    """One line: clean, or which promises are not kept."""
    schedules = sum(outcome.schedules for outcome in outcomes)
    run = f"{_count(len(outcomes), 'protocol')}, {_count(schedules, 'schedule')}"
    broken = [outcome.name for outcome in outcomes if outcome.broken is not None]
    if broken:
        return f"FAILED: {len(broken)} of {run}: {', '.join(broken)}"
    return f"clean: {run}: every promise kept, every block its own, all memory given back"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
