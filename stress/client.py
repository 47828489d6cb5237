"""One thread's way to the allocator, every byte checked."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Generic

from . import suspects
from .allocators.protocol import ANYTHING, Token
from .faults import Kind
from .pattern import next_start, start_of
from .sweep import BIRTH, DEATH

if TYPE_CHECKING:
    from collections.abc import Callable

    from .referee import Referee
    from .sweep import Entry


class Held(Generic[Token]):
    """One live block, as a client hands it out."""

    __slots__ = ("address", "alignment", "home", "is_lent", "name", "size", "start", "thread", "token")

    home: Client[Token]
    """Whose books it is in: the client that allocated it."""
    thread: threading.Thread
    """Who allocated it."""
    token: Token
    address: int
    size: int
    alignment: int
    start: int
    """Of its contents, in the noise."""
    is_lent: bool
    """Its contents are somebody else's: see `Client.lend`."""
    name: str

    @property
    def end(self) -> int:
        """The address behind its last byte."""
        return self.address + self.size


class Client(Generic[Token]):
    """One thread's way to the allocator, every byte checked. May be handed from thread to thread, one at a time."""

    def __init__(self, referee: Referee[Token], number: int) -> None:
        """Made by `Referee.client`."""
        self.number = number
        self.mine: dict[Held[Token], None] = {}
        self.graves: deque[Entry] = deque(maxlen=suspects.REMEMBERED)
        self.allocations = self.frees = self.resizes = self.remote_frees = self.refused = 0
        self.peak_live_bytes = self.peak_committed_bytes = self.peak_reserved_bytes = 0
        self.fate: Callable[[], None] | None = None
        """What befalls the thread at each call, before anything is done."""
        self._referee = referee
        self._allocator = referee.allocator
        self._contents = referee.contents
        self._live_bytes = referee.live_bytes
        self._journal = referee.sweep.journal()
        self._thread = threading.current_thread()

    @property
    def operations(self) -> int:
        """What it did, refusals included."""
        return self.allocations + self.frees + self.resizes + self.refused

    def begin(self) -> None:
        """Operations may come from now on."""
        self._thread = threading.current_thread()
        self._journal.open()

    def end(self) -> None:
        """None will come before the next `begin`."""
        self._journal.close()

    def allocate(self, size: int, alignment: int = ANYTHING, *, name: str | None = None) -> Held[Token] | None:
        """A block, filled; None if it is refused, and may be."""
        if self.fate is not None:
            self.fate()
        try:
            token = self._allocator.allocate(size, alignment)
        except MemoryError:
            self._refuse()
            return None
        return self._accept(token, size, alignment, name)

    def zeroed(self, size: int, *, name: str | None = None) -> Held[Token] | None:
        """A block of zeroes, looked at and then filled; None if it is refused, and may be."""
        if self.fate is not None:
            self.fate()
        try:
            token = self._allocator.zeroed(size)
        except MemoryError:
            self._refuse()
            return None
        address = self._allocator.address(token)
        wrong = None if self._contents.is_zero(address, size) else self._contents.first_difference(address, size, None)
        held = self._accept(token, size, ANYTHING, name)
        if wrong is not None:
            self.blame(held, f"was to be zeroed: {wrong}", Kind.NOT_ZEROED)
        return held

    def resize(self, held: Held[Token], size: int) -> bool:
        """Give a block another size, and see that it kept its contents; False if it is refused, and may be."""
        if self.fate is not None:
            self.fate()
        old_size, kept = held.size, min(held.size, size)
        self._note(DEATH, held)
        try:
            held.token = self._allocator.resize(held.token, size)
        except MemoryError:
            self._note(BIRTH, held)
            self.check(held, "should have been left alone when a resize was refused")
            self._refuse()
            return False
        held.address, held.size = self._allocator.address(held.token), size
        self._note(BIRTH, held)
        if not held.is_lent and not self._contents.holds(held.address, kept, held.start):
            difference = self._contents.first_difference(held.address, kept, held.start)
            self.blame(held, f"was resized from {old_size} to {size} bytes: {difference}", Kind.NOT_KEPT)
        held.start = next_start(held.start)
        self._dress(held)
        self.resizes += 1
        self._grow(size - old_size)
        return True

    def free(self, held: Held[Token] | None) -> None:
        """Look at a block's contents one last time and give it back. Does nothing for None, a refused one."""
        if held is None:
            return
        if self.fate is not None:
            self.fate()
        self.check(held, "is about to be freed")
        del held.home.mine[held]
        self._note(DEATH, held)
        self._allocator.free(held.token)
        self.frees += 1
        if held.thread is not self._thread:
            self.remote_frees += 1
        self._live_bytes[self.number] -= held.size

    def check(self, held: Held[Token], when: str = "is looked at") -> None:
        """See that a block's contents are what was put there."""
        if not held.is_lent and not self._contents.holds(held.address, held.size, held.start):
            self._accuse(held, when)

    def lend(self, held: Held[Token]) -> int:
        """Let the caller write into a block, at the address that is returned, until `refill`: nobody looks at it."""
        held.is_lent = True
        return held.address

    def refill(self, held: Held[Token]) -> None:
        """Put back the contents of a block that was lent."""
        self._contents.fill(held.address, held.size, held.start)
        held.is_lent = False

    def blame(self, held: Held[Token], what: str, kind: Kind = Kind.CORRUPTION) -> None:
        """Report what is wrong with a block."""
        self._referee.faults.add(f"block {held.name} of {held.size} bytes at {held.address:#x} {what}", kind)

    def _accept(self, token: Token, size: int, alignment: int, name: str | None) -> Held[Token]:
        number = self.allocations
        held: Held[Token] = Held()
        held.token, held.address, held.size, held.home = token, self._allocator.address(token), size, self
        held.thread = self._thread
        held.alignment = alignment or self._allocator.alignment
        held.start = start_of(number * len(self._live_bytes) + self.number)
        held.name = f"{self.number}.{number}" if name is None else name
        held.is_lent = False
        self._note(BIRTH, held)
        self.mine[held] = None
        self._dress(held)
        self.allocations += 1
        self._grow(size)
        return held

    def _dress(self, held: Held[Token]) -> None:
        if held.address % held.alignment:
            self.blame(held, f"is not aligned to {held.alignment}", Kind.MISALIGNED)
        self._contents.fill(held.address, held.size, held.start)

    def _refuse(self) -> None:
        if not self._referee.may_refuse:
            raise  # noqa: PLE0704 - called where a MemoryError is handled
        self.refused += 1

    def _note(self, kind: int, held: Held[Token]) -> None:
        journal = self._journal
        now = time.monotonic_ns()
        entry = (now, kind, held.address, held.size, held.name)
        journal.entries.append(entry)
        journal.at_least = now
        if kind == DEATH:
            self.graves.append(entry)

    def _grow(self, change: int) -> None:
        self._live_bytes[self.number] += change
        live_bytes = sum(self._live_bytes)
        if live_bytes > self.peak_live_bytes:
            self.peak_live_bytes = live_bytes
            if live_bytes >= self._referee.sample_at_bytes:
                self._sample()

    def _sample(self) -> None:
        """Ask the allocator what it holds; next when a fair share more is live, since memory peaks where that does."""
        memory = self._allocator.measure()
        self.peak_committed_bytes = max(self.peak_committed_bytes, memory.committed_bytes or 0)
        self.peak_reserved_bytes = max(self.peak_reserved_bytes, memory.reserved_bytes or 0)
        self._referee.sample_at_bytes = self.peak_live_bytes + max(self.peak_live_bytes // 16, 1 << 16)

    def _accuse(self, held: Held[Token], when: str) -> None:
        difference = self._contents.first_difference(held.address, held.size, held.start)
        extent = self._contents.extent(held.address, held.size, held.start)
        kind, suspicion = Kind.CORRUPTION, ""
        if extent is not None:
            kind, suspicion = suspects.of(held, extent, self._referee.live(), self._referee.dead())
        self.blame(held, f"{when}: {difference}{suspicion}", kind)
