"""What a heap should hold, kept in plain lists: the model of `test_model.py`."""

from __future__ import annotations

import ctypes
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import arenas


def pattern(seed: int, size: int) -> bytes:
    """Bytes that differ from seed to seed."""
    return random.Random(seed).randbytes(size)


@dataclass
class Entry:
    """A block, what it should hold, and the views kept of it. Freed, it is a ghost for as long as it has views."""

    block: arenas.Block
    data: bytes
    in_scope: bool = False
    views: list[Any] = field(default_factory=list)
    span: int = field(init=False)

    def __post_init__(self) -> None:
        self.span = self.block.capacity


@dataclass
class Ghost:
    """A block that was freed, or whose handle was dropped, under views."""

    data: bytes
    span: int
    views: list[Any]


@dataclass
class Raw:
    """An address, and what should lie there."""

    address: int
    data: bytes

    def holds(self) -> bool:
        return ctypes.string_at(self.address, len(self.data)) == self.data


@dataclass
class Array:
    """An array without a handle."""

    array: Any
    data: bytes
    span: int


@dataclass
class OpenScope:
    """A scope, and what was allocated in it."""

    scope: arenas.Scope
    entries: list[Entry] = field(default_factory=list)


@dataclass
class Model:
    """All of it."""

    entries: list[Entry] = field(default_factory=list)
    ghosts: list[Ghost] = field(default_factory=list)
    raws: list[Raw] = field(default_factory=list)
    arrays: list[Array] = field(default_factory=list)
    scopes: list[OpenScope] = field(default_factory=list)
    # Handles of freed blocks: whatever is asked of them is refused.
    dead: list[arenas.Block] = field(default_factory=list)

    @property
    def live_entries(self) -> list[Entry]:
        return self.entries + [entry for one in self.scopes for entry in one.entries]

    @property
    def live_sizes(self) -> list[int]:
        live: list[Entry | Raw | Array] = [*self.live_entries, *self.raws, *self.arrays]
        return [len(one.data) for one in live]

    @property
    def parked_bytes(self) -> int:
        return sum(ghost.span for ghost in self.ghosts)

    def bury(self, entry: Entry, *, keep_handle: bool = True) -> None:
        """The entry's block was freed: what views it has keep its bytes."""
        if keep_handle:
            self.dead.append(entry.block)
        if entry.views:
            self.ghosts.append(Ghost(entry.data, entry.span, entry.views))

    def bury_all(self) -> None:
        """The heap was reset."""
        for entry in self.live_entries:
            self.bury(entry)
        self.ghosts += [Ghost(one.data, one.span, [one.array]) for one in self.arrays]
        self.entries, self.raws, self.arrays = [], [], []
        for scope in self.scopes:
            scope.entries = []

    def let_go(self, heap: arenas.Heap) -> None:
        """End and forget everything."""
        for scope in self.scopes:
            scope.scope.close()
        for raw in self.raws:
            heap.free(raw.address)
        self.entries, self.ghosts, self.raws, self.arrays, self.scopes, self.dead = [], [], [], [], [], []

    def verify_contents(self) -> None:
        """Every byte is what was written last, in live blocks and in what views of dead ones show."""
        for entry in self.live_entries:
            assert bytes(entry.block.view) == entry.data
        seen: list[Entry | Ghost] = [*self.live_entries, *self.ghosts]
        for one in seen:
            assert all(bytes(view) == one.data for view in one.views)
        for array in self.arrays:
            assert array.array.tobytes() == array.data
        assert all(raw.holds() for raw in self.raws)
