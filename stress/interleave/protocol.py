"""What threads do to each other in a small heap, and the proof that they left it whole."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

import arenas

from .stand_ins import Lock
from .turns import NAMES

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from .turns import Turns, Worker

PAGE: Final = 4096
_COMMON: Final = str(Path(__file__).parent / "protocols") + os.sep  # the protocols that come with this share code


def pattern(key: int, size: int) -> bytes:
    """``size`` bytes that no other key has."""
    word = (key * 0x9E3779B97F4A7C15 % (1 << 64)).to_bytes(8, "little")
    return (word * (size // 8 + 1))[:size]


class Held(NamedTuple):
    """A block that somebody uses, the key of the pattern in it, and its size when that was written."""

    block: arenas.Block
    key: int
    size: int


class Protocol:
    """A small heap, and what up to four threads do with it: ``a``, ``b``, …, generators as ``Turns`` wants them. The
    docstring of a subclass says what must hold under every schedule; ``verify`` and ``end`` look whether it does.

    It is made anew for each schedule. All of this is called by one thread at a time.
    """

    options: ClassVar[dict[str, Any]] = {}
    """Of the heap."""
    needs: ClassVar[tuple[str, ...]] = ()
    """Packages without which it cannot be played."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        options = {"region_bytes": 8 * PAGE, "clock": lambda: turns.now, "lock_factory": Lock, **self.options}
        self.heap = arenas.Heap(**options)
        self.held: list[Held] = []
        self.views: list[tuple[memoryview, int]] = []
        self._keys = 0
        self.prepare()

    def prepare(self) -> None:
        """What is done before any of the threads exists."""

    def verify(self) -> None:
        """What must hold when all have ended, before anything that is left is freed."""

    def workers(self) -> list[Worker]:
        """One a thread."""
        return [getattr(self, name.lower())() for name in self.threads()]

    @classmethod
    def threads(cls) -> list[str]:
        """Their names, as in a schedule."""
        return [name for name in NAMES if hasattr(cls, name.lower())]

    @classmethod
    def promise(cls) -> str:
        """What must hold, in one line."""
        return " ".join((cls.__doc__ or "").replace("``", "").split())

    @classmethod
    def files(cls) -> set[str]:
        """Where its own code stands, which has steps as the package's has."""
        ours = (value for kind in cls.mro() if kind is not Protocol for value in vars(kind).values())
        return {value.__code__.co_filename for value in ours if isinstance(value, FunctionType)} | {_COMMON}

    @classmethod
    def around(cls) -> AbstractContextManager[object]:
        """What all of its runs are played inside."""
        return contextlib.nullcontext()

    # What the threads do. Nothing in here is divided, except by what it asks of the heap.

    def alloc(self, size: int, **options: Any) -> arenas.Block:  # noqa: ANN401 - as the heap's
        """One more block, which overlaps no other that is held; filled with a pattern of its own."""
        block = self.heap.alloc(size, **options)
        self.hold(block)
        return block

    def hold(self, block: arenas.Block) -> None:
        """Look that a block's place is nobody else's, and fill it."""
        self._keys += 1
        key = self._keys
        first, last = block.address, block.address + block.size
        for other in [held.block for held in self.held]:
            with contextlib.suppress(arenas.BlockReleasedError, BufferError):
                apart = last <= other.address or other.address + other.size <= first
                assert apart, f"{block!r} overlaps {other!r}"
        block.view[:] = pattern(key, block.size)
        self.held.append(Held(block, key, block.size))

    def free(self, block: arenas.Block) -> None:
        """End a block that is held, its contents as they were left."""
        (mine,) = [held for held in self.held if held.block is block]
        assert block.view == pattern(mine.key, mine.size), f"{block!r} was overwritten"
        self.held.remove(mine)
        block.free()

    def end(self) -> None:
        """Everything is as it was left; once nothing is held any more, all memory comes back."""
        limit, committed = self.options.get("limit_bytes"), self.heap.stats().committed_bytes
        assert limit is None or committed <= limit, f"{committed} bytes are committed, the limit is {limit}"
        self.verify()
        while self.views:
            view, key = self.views.pop()
            assert view == pattern(key, len(view)), "memory was used again under a view"
            del view
        while self.held:
            block, key, size = self.held.pop()
            if not block.released:
                kept = min(size, block.size)
                assert block.view[:kept] == pattern(key, kept), f"{block!r} was overwritten"
                block.free()
            del block
        prove_empty(self.heap)


def prove_empty(heap: arenas.Heap) -> None:
    """All is free or cached, nothing is lost, and all goes back."""
    heap.check()
    stats = heap.stats()
    lost = (stats.live_blocks, stats.live_bytes, stats.rounding_bytes, stats.parked_bytes, stats.mailbox_bytes)
    assert not any(lost), stats
    assert stats.free_bytes + stats.cached_bytes == stats.reserved_bytes, stats
    if not heap.closed:
        assert stats.allocations == stats.frees, stats
        heap.trim()
        heap.check()
    stats = heap.stats()
    assert stats.reserved_bytes == stats.committed_bytes == 0, stats
