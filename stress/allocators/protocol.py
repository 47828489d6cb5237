"""The seam between the checking side and whatever it checks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from ..mishaps import NONE, Mishaps

Token = TypeVar("Token")

ANYTHING: Final = 0
"""As an alignment: the allocator's own will do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What an allocator says of itself at one moment; None where it cannot tell."""

    live_blocks: int | None = None
    live_bytes: int | None = None
    """Asked for by live blocks."""
    committed_bytes: int | None = None
    reserved_bytes: int | None = None
    resident_bytes: int | None = None
    parked_bytes: int | None = None
    cached_bytes: int | None = None
    """Ready in the threads' caches, or on the way there through a mailbox."""
    remote_frees: int = 0
    allocations: int | None = None
    """Of blocks, ever; a resize is none, wherever it put the block."""
    frees: int | None = None
    """Of blocks, ever."""


@dataclass(frozen=True, slots=True)
class MappedRegion:
    """One range of an allocator's memory: its spans tile it, each ``(offset, size, state)``."""

    arena: int
    offset: int
    size: int
    spans: tuple[tuple[int, int, str], ...]


class Allocator(Protocol[Token]):
    """What can be tested. Every method may be called from any thread, also several at once.

    A request that cannot be met raises ``MemoryError`` and changes nothing.
    """

    @property
    def alignment(self) -> int:
        """What every address is a multiple of when `ANYTHING` is asked for."""

    @property
    def has_memory(self) -> bool:
        """Whether addresses can be written to: bare address spaces hand out integers."""

    @property
    def bounded(self) -> bool:
        """Whether it may run out though nothing has failed: requests that are refused are then part of the run."""

    def allocate(self, size: int, alignment: int) -> Token:
        """A block of ``size`` bytes, which may be 0."""

    def zeroed(self, size: int) -> Token:
        """The same, of zeroes, at any address."""

    def resize(self, token: Token, size: int) -> Token:
        """The block with another size, its first bytes kept; the old token is dead, unless this raises."""

    def free(self, token: Token) -> None:
        """Give a block back."""

    def address(self, token: Token) -> int:
        """Where a block is."""

    def measure(self) -> Memory:
        """What is held now. Called while other threads allocate."""

    def map(self) -> list[MappedRegion]:
        """Every region and what lies in it; empty where that cannot be told. Called while other threads allocate."""

    def check(self) -> str | None:
        """Prove the inner state while nobody else calls; what is wrong with it, or None."""

    def audit(self) -> list[str]:
        """Prove the accounting, once everything has been freed; what is wrong with it. No request fails on purpose."""

    def close(self) -> None:
        """Give everything back to the system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which allocator, and how it is set up. What only an arenas heap has is left out for others."""

    allocator: str = "malloc"
    arenas: str | int | None = None
    """How a heap routes threads; None: as it likes best."""
    placement: str = "BestFit"
    name: str | None = None
    mishaps: Mishaps = NONE
    """What is to go wrong."""


OpenAllocator = Callable[[Choice], Allocator[Any]]
"""Makes what was chosen, fresh for one run."""
