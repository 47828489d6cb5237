"""Everything that must not be done to an allocator, each of which has to be caught by name.

The parts, lowest first::

    case        one kind of misuse, and the scene it is played in
    handles     misuse of a heap's blocks
    addresses   misuse of a heap's addresses
    planted     writing where one must not: nothing that an allocator can see, so the referee has to
    peers       what other allocators say to it, each in a process of its own

On an arenas heap each thread plays every case, in an order of its own, on a heap of its own like the one under test:
whatever is freed early or late there is nobody else's, and what is to be expected is certain. All the while other
blocks live, there and in the heap that all threads share: afterwards they must be intact, the books as before, and
``check()`` content. A case not caught, or caught under another name, is a fault.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import arenas

from ...allocators.heap import HeapBlocks
from ...errors import UnavailableError
from ...faults import Kind
from ...referee import Referee
from .. import alone
from ..model import Workload
from . import addresses, handles, peers, planted
from .case import Scene

if TYPE_CHECKING:
    import random

    from ...client import Client
    from ...stage import Stage
    from .case import Case

CASES: Final[tuple[Case, ...]] = handles.CASES + addresses.CASES + planted.CASES
BYSTANDERS: Final = 16
"""Blocks of each thread that live through it."""
LARGEST: Final = 4000
"""Bytes of one of them."""


def play(stage: Stage[Any]) -> None:
    """Play every case on a heap, in each thread; of another allocator tell how it behaves."""
    if not isinstance(getattr(stage.allocator, "heap", None), arenas.Heap):
        peers.play(stage)
        return
    if not stage.allocator.has_memory:
        raise UnavailableError("there is no memory behind the addresses: nothing can be overrun")
    players = [_Player(stage, stage.random("misuse", number)) for number in range(stage.threads)]
    stage.play(*(alone.body(stage, player.play_round) for player in players))
    played = sum(player.played for player in players)
    missed: Counter[str] = sum((player.missed for player in players), Counter())
    stage.note(f"{len(CASES)} kinds of misuse, played {played:,} times")
    if missed:
        stage.note(f"could not be played each time: {', '.join(sorted(missed))}")


class _Player:
    """One thread."""

    def __init__(self, stage: Stage[Any], numbers: random.Random) -> None:
        self.played = 0
        self.missed: Counter[str] = Counter()
        self._stage = stage
        self._numbers = numbers

    def play_round(self, client: Client[Any]) -> None:
        """Every case once."""
        allocator: Any = self._stage.another()
        try:
            shared = self._stage.referee
            # Handles, whatever the face: the books must stand still, and what was let go in cycles comes home late.
            referee = Referee(HeapBlocks(allocator.heap), seed=0, may_refuse=shared.may_refuse, faults=shared.faults)
            bystander = referee.client()
            for case in self._numbers.sample(CASES, len(CASES)):
                self._stage.go_on()
                for each in (client, bystander):
                    self._replace_one(each)
                with Scene(self._stage, allocator.heap) as scene:
                    self._play(case, scene)
                for held in bystander.mine:
                    bystander.check(held, f"is looked at after {case.name!r}")
            referee.free_the_rest()
            for complaint in allocator.audit():
                shared.faults.add(f"after every misuse once: {complaint}", Kind.BOOKS)
        finally:
            allocator.close()

    def _replace_one(self, client: Client[Any]) -> None:
        client.allocate(self._numbers.randint(0, LARGEST))
        if len(client.mine) > BYSTANDERS:
            client.free(next(iter(client.mine)))

    def _play(self, case: Case, scene: Scene) -> None:
        complaints = scene.play(case)
        for complaint in complaints or ():
            self._stage.referee.faults.add(f"{case.name}: {complaint}", Kind.MISUSE)
        if complaints is None:
            self.missed[case.name] += 1
        else:
            self.played += 1


WORKLOAD: Final = Workload(
    "misuse",
    "double, invalid, interior and late frees, writes out of bounds, absurd sizes: each caught by name",
    "CWE-415, CWE-416, CWE-590, CWE-761, CWE-787, CWE-124 and CWE-190 of cwe.mitre.org",
    play,
    threads=2,
)
