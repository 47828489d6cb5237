"""Searched interleavings: the same few threads again and again, taking turns in another way each time.

The parts, lowest first; a module imports only from those above it::

    points             where a thread can be stopped
    steps, tracing     which instructions matter to another thread; being told of each
    turns, stand_ins   threads that run one at a time; locks, queues and a clock that know whose turn it is
    protocol           a small heap, and what threads do with it
    schedule, search   who runs when; every order, every preemption, some with more
    protocols          those that come with this, a theme a module
    finding, outcome   a protocol by its name; what a search of it came to

A protocol of your own is a class with a promise, its docstring, and two to four threads, ``a`` to ``d``. Each is a
generator: what comes before its first ``yield`` is done before the other threads begin, and after a second one it is
not stopped any more. At the end ``verify`` looks whether the promise was kept::

    # mine.py
    from arenas_stress.interleave import Protocol

    class Tickets(Protocol):
        "No two threads draw the same ticket."

        def prepare(self):
            self.last = 0
            self.drawn = []

        def a(self):
            yield
            self.last += 1
            self.drawn.append(self.last)

        b = a

        def verify(self):
            assert len(set(self.drawn)) == 2

``arenas-stress interleave mine:Tickets`` finds a schedule that breaks it. Threads are stopped in the code of ``arenas``
and in the files of the protocol's classes, nowhere else. What threads wait for must be ``Lock``, ``RLock`` or
``SimpleQueue`` of this module, or ``self.heap``: a real lock knows of no turns, and a run that waits for one is stuck.
"""

from __future__ import annotations

from .points import Point, place, worth_trying
from .protocol import Protocol
from .protocols import PROTOCOLS
from .schedule import Schedule
from .search import Search
from .stand_ins import Lock, RLock, SimpleQueue, standing_in
from .steps import Steps
from .turns import NAMES, DeadlockError, StuckError, Worker

__all__ = [
    "NAMES",
    "PROTOCOLS",
    "DeadlockError",
    "Lock",
    "Point",
    "Protocol",
    "RLock",
    "Schedule",
    "Search",
    "SimpleQueue",
    "Steps",
    "StuckError",
    "Worker",
    "place",
    "standing_in",
    "worth_trying",
]
