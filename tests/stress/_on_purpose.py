"""A real heap that, seen from above, fails on purpose; and what it was asked."""

from __future__ import annotations

import itertools
from typing import Any

from _package import module

errors = module("errors")
protocol = module("allocators.protocol")
registry = module("allocators.registry")


def real(name: str = "blocks") -> Any:
    """A face of a heap."""
    return registry.open_allocator(protocol.Choice(allocator=name))


class Upon:
    """Passes everything on, and notes it."""

    def __init__(self, upstream: Any) -> None:
        self._upstream = upstream
        self.calls: list[tuple[str, int]] = []
        self.live: dict[int, Any] = {}  # by address: the token
        self.most_live = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._upstream, name)

    def allocate(self, size: int, alignment: int) -> Any:
        self.calls.append(("allocate", size))
        token = self._upstream.allocate(size, alignment)
        self.live[self._upstream.address(token)] = token
        self.most_live = max(self.most_live, len(self.live))
        return token

    def resize(self, token: Any, size: int) -> Any:
        self.calls.append(("resize", size))
        del self.live[self._upstream.address(token)]  # first: it may be another thread's at once
        try:
            token = self._upstream.resize(token, size)
        finally:
            self.live[self._upstream.address(token)] = token
        return token

    def free(self, token: Any) -> None:
        self.calls.append(("free", 0))
        del self.live[self._upstream.address(token)]
        self._upstream.free(token)


class Refusing(Upon):
    """Has no memory for each seventh request."""

    _turns = itertools.count(1)

    def _turn(self) -> None:
        if next(self._turns) % 7 == 0:
            raise MemoryError

    def allocate(self, size: int, alignment: int) -> Any:
        self._turn()
        return super().allocate(size, alignment)

    def resize(self, token: Any, size: int) -> Any:
        self._turn()
        return super().resize(token, size)


class Deadly(Refusing):
    """Each seventh request kills whoever makes it, for a while."""

    def __init__(self, upstream: Any) -> None:
        super().__init__(upstream)
        self._victims = iter(range(20))

    def _turn(self) -> None:
        if next(self._turns) % 7 == 0 and next(self._victims, None) is not None:
            raise errors.ThreadDiedError
