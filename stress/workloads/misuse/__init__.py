"""Everything that must not be done to an allocator, each of which has to be caught by name.

The parts, lowest first::

    case        one kind of misuse, and the scene it is played in
    handles     misuse of a heap's blocks
    addresses   misuse of a heap's addresses
    planted     writing where one must not: nothing that an allocator can see, so the referee has to
    peers       what other allocators say to it, each in a process of its own

On an arenas heap the threads take turns, case by case, among blocks that live through it all: afterwards these must be
intact, the books as before, and ``check()`` content. A case not caught, or caught under another name, is a fault.
"""

from __future__ import annotations

import threading
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import arenas

from ...errors import UnavailableError
from ...faults import Kind
from .. import alone
from ..model import Workload
from . import addresses, handles, peers, planted
from .case import Scene

if TYPE_CHECKING:
    import random

    from ...client import Client, Held
    from ...stage import Stage
    from .case import Case

CASES: Final[tuple[Case, ...]] = handles.CASES + addresses.CASES + planted.CASES
BYSTANDERS: Final = 16
"""Blocks of each thread that live through it."""
LARGEST: Final = 4000
"""Bytes of one of them."""


def play(stage: Stage[Any]) -> None:
    """Play every case on a heap, in each thread; of another allocator tell how it behaves."""
    heap = getattr(stage.allocator, "heap", None)
    if not isinstance(heap, arenas.Heap):
        peers.play(stage)
        return
    if not stage.allocator.has_memory:
        raise UnavailableError("there is no memory behind the addresses: nothing can be overrun")
    players = [_Player(stage, heap, stage.random("misuse", number)) for number in range(stage.threads)]
    turn = threading.Lock()
    stage.play(*(alone.body(stage, partial(player.play_round, turn)) for player in players))
    played = sum(player.played for player in players)
    stage.note(f"{len(CASES)} kinds of misuse, {played:,} cases: {len(stage.referee.faults):,} not caught by name")


class _Player:
    """One thread."""

    def __init__(self, stage: Stage[Any], heap: arenas.Heap, numbers: random.Random) -> None:
        self.played = 0
        self._stage = stage
        self._heap = heap
        self._numbers = numbers
        self._bystanders: deque[Held[Any] | None] = deque()

    def play_round(self, turn: threading.Lock, client: Client[Any]) -> None:
        """Every case once, in an order of its own. The other threads wait meanwhile: what is freed early or late must
        not be theirs, and the books be told apart.
        """
        self._bystanders.clear()
        for case in self._numbers.sample(CASES, len(CASES)):
            self._stage.go_on()
            with turn:
                self._bystanders.append(client.allocate(self._numbers.randint(0, LARGEST)))
                if len(self._bystanders) > BYSTANDERS:
                    client.free(self._bystanders.popleft())
                self._play(case, client)
            self.played += 1

    def _play(self, case: Case, client: Client[Any]) -> None:
        scene = Scene(self._stage, self._heap)
        for complaint in scene.play(case):
            self._stage.referee.faults.add(f"{case.name}: {complaint}", Kind.MISUSE)
        for held in client.mine:
            client.check(held, f"is looked at after the misuse {case.name!r}")


WORKLOAD: Final = Workload(
    "misuse",
    "double, invalid, interior and late frees, writes out of bounds, absurd sizes: each caught by name",
    "CWE-415, CWE-416, CWE-590, CWE-761, CWE-787, CWE-124 and CWE-190 of cwe.mitre.org",
    play,
    threads=2,
)
