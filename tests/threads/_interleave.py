"""Searched schedules in tests. What searches is part of the package: ``stress`` in a checkout, ``arenas_stress`` where
the wheel is installed.

``ARENAS_SEARCH=20000`` tries so many schedules of each protocol, ``ARENAS_SEED=2`` others where not all are tried. One
that failed is played again by ``ARENAS_SCHEDULE='A37 B' python -m pytest tests/threads/test_search.py -k '[Park]'``.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING

from arenas.system import FREE_THREADED

if TYPE_CHECKING:
    from stress import interleave
else:
    try:
        interleave = import_module("stress.interleave")
    except ModuleNotFoundError:
        interleave = import_module("arenas_stress.interleave")

__all__ = ["interleave", "search"]

# How many schedules with one preemption a protocol is worth at most, and where choosing begins; of those with more, a
# quarter as many. Without the GIL each takes ten times as long.
_SCHEDULES = int(os.environ.get("ARENAS_SEARCH", "40" if FREE_THREADED else "500"))
_SEED = int(os.environ.get("ARENAS_SEED", "1"))
_SCHEDULE = os.environ.get("ARENAS_SCHEDULE")


def search(protocol: type[interleave.Protocol], file: str) -> None:
    """As much as the environment asks for; raises what the protocol fails with, and how ``file`` replays it."""
    sought = interleave.Search(protocol, schedules=_SCHEDULES, seed=_SEED)
    try:
        if _SCHEDULE is None:
            sought.run()
        else:
            _replay(sought, _SCHEDULE)
            return
    except BaseException as error:
        if sought.failure is not None:
            command = f"python -m pytest tests/threads/{file} -k '[{protocol.__name__}]'"
            error.add_note(f"replay: ARENAS_SCHEDULE='{sought.failure.schedule}' {command}")
        raise
    print(f"{len(sought.tried)} schedules; {sought.left_out} with one preemption were left out")
    assert len(sought.tried) > 40


def _replay(sought: interleave.Search, schedule: str) -> None:
    run = sought.replay(interleave.Schedule.read(schedule))
    for turn in run.played:
        stop = interleave.place(turn.path[-1]) if turn.stopped else ""
        print(f"{interleave.NAMES[turn.thread]}: {len(turn.path)} steps", stop)
    assert run.followed, "other code, or another Python, was stopped at these steps"
