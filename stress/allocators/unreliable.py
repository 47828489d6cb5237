"""Where memory fails on purpose: below a heap the system's, above any other allocator the allocator's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic

import arenas

from .protocol import Token

if TYPE_CHECKING:
    from ..mishaps import Failures
    from .protocol import Allocator, MappedRegion, Memory


class UnreliableMemory(arenas.AnonymousMemory):
    """Anonymous memory that the system sometimes refuses."""

    def __init__(self, failures: Failures) -> None:
        """``failures`` decides."""
        super().__init__()
        self._failures = failures

    def map(self, size: int, alignment: int) -> Any:  # noqa: ANN401 - whatever it is upstream
        """A range, unless it fails."""
        self._failures.request()
        return super().map(size, alignment)


class Unreliable(Generic[Token]):
    """An allocator that sometimes refuses; it passes on everything else."""

    def __init__(self, upstream: Allocator[Token], failures: Failures) -> None:
        """``failures`` decides."""
        self.upstream = upstream
        """Which does not refuse on purpose."""
        self._failures = failures
        self.alignment = upstream.alignment
        self.has_memory = upstream.has_memory
        self.bounded = upstream.bounded

    def _request(self) -> None:
        try:
            self._failures.request()
        except OSError as error:
            raise MemoryError(error.strerror) from None

    def allocate(self, size: int, alignment: int) -> Token:
        """Pass on, or refuse."""
        self._request()
        return self.upstream.allocate(size, alignment)

    def zeroed(self, size: int) -> Token:
        """Pass on, or refuse."""
        self._request()
        return self.upstream.zeroed(size)

    def resize(self, token: Token, size: int) -> Token:
        """Pass on, or refuse."""
        self._request()
        return self.upstream.resize(token, size)

    def free(self, token: Token) -> None:
        """Pass on."""
        self.upstream.free(token)

    def address(self, token: Token) -> int:
        """Pass on."""
        return self.upstream.address(token)

    def measure(self) -> Memory:
        """Pass on."""
        return self.upstream.measure()

    def map(self) -> list[MappedRegion]:
        """Pass on."""
        return self.upstream.map()

    def check(self) -> str | None:
        """Pass on."""
        return self.upstream.check()

    def audit(self) -> list[str]:
        """Pass on."""
        self._failures.end()
        return self.upstream.audit()

    def close(self) -> None:
        """Pass on."""
        self.upstream.close()
