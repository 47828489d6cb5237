"""The referee: every allocation, resize and free of a run goes through it, and nothing wrong gets past.

Always on: contents that check themselves, before each free and across each resize; alignment; zeroes where zeroes were
asked for; no two live blocks on the same bytes; the allocator's books against ours.

A `Client` is one thread's way in. The blocks it hands out may be passed from thread to thread; each is freed or
resized by whoever holds it, through that thread's own client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic

from .allocators.protocol import Token
from .client import Client
from .faults import Faults, Kind
from .pattern import Blank, Noise
from .sweep import Sweep

if TYPE_CHECKING:
    from .allocators.protocol import Allocator
    from .client import Held
    from .sweep import Entry


class Referee(Generic[Token]):
    """What the clients of one run share."""

    def __init__(
        self, allocator: Allocator[Token], seed: int, *, may_refuse: bool = False, faults: Faults | None = None
    ) -> None:
        """``may_refuse``: ``MemoryError`` is part of the game; otherwise one ends the run.

        ``faults``: where to put them; a referee's own by default.
        """
        self.allocator = allocator
        self.may_refuse = may_refuse
        self.contents = Noise(seed) if allocator.has_memory else Blank()
        self.faults = Faults() if faults is None else faults
        self.sweep = Sweep(lambda description: self.faults.add(description, Kind.OVERLAP))
        self.clients: list[Client[Token]] = []
        self.sample_at_bytes = 0
        """Live bytes from which a client samples the allocator. Any client sets it: of two at once, either will do."""
        self.live_bytes: list[int] = []  # by client: allocated less freed there; only the sum means anything

    def client(self) -> Client[Token]:
        """A way in, for one thread at a time. To be called before the threads start, or under a lock."""
        client = Client(self, len(self.clients))
        self.live_bytes.append(0)
        self.clients.append(client)
        return client

    def live(self) -> list[Held[Token]]:
        """Every live block: all of them once the clients are done, roughly before."""
        return [held for client in list(self.clients) for held in list(client.mine)]

    def dead(self) -> list[Entry]:
        """The blocks that died last."""
        return [entry for client in list(self.clients) for entry in client.graves.copy()]

    def settle(self) -> None:
        """Once all clients are done, and before the last blocks are freed: compare the books with the allocator's."""
        self.sweep.finish()
        live = self.live()
        live_bytes = sum(held.size for held in live)
        memory = self.allocator.measure()
        for what, theirs, ours in (
            ("live blocks", memory.live_blocks, len(live)),
            ("live bytes", memory.live_bytes, live_bytes),
            ("allocations", memory.allocations, sum(client.allocations for client in self.clients)),
            ("frees", memory.frees, sum(client.frees for client in self.clients)),
        ):
            if theirs is not None and theirs != ours:
                self.faults.add(f"the allocator counts {theirs:,} {what}, and there are {ours:,}", Kind.BOOKS)

    def free_the_rest(self) -> int:
        """Check and free what the run leaves live, in the calling thread; how many blocks that were."""
        left = self.live()
        client = self.client()
        client.begin()
        for held in left:
            client.free(held)
        client.end()
        self.sweep.finish()
        return len(left)
