"""A backing whose N-th call fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arenas import AnonymousMemory

if TYPE_CHECKING:
    from collections.abc import Callable

    from arenas import Mapping


class Failures:
    """Counts the calls that could fail, and decides which do: the N-th, or every one from the N-th on."""

    def __init__(self, first: int, error: Callable[[], Exception], *, lasting: bool) -> None:
        self.first = first
        self.error = error
        self.lasting = lasting
        self.calls = 0
        self.kinds: set[str] = set()  # of calls made
        self.failed = 0
        self.over = False

    def call(self, kind: str) -> None:
        if self.over:
            return
        self.kinds.add(kind)
        self.calls += 1
        if self.calls == self.first or (self.lasting and self.calls > self.first):
            self.failed += 1
            raise self.error()


class FlakyMapping:
    """Passes everything on; giving pages back may fail."""

    def __init__(self, upstream: Mapping, failures: Failures) -> None:
        self._upstream = upstream
        self._failures = failures
        self.offset, self.size, self.address = upstream.offset, upstream.size, upstream.address

    def owner(self, start: int, size: int) -> Any:
        return self._upstream.owner(start, size)

    def decommit(self, start: int, size: int) -> bool:
        self._failures.call("decommit")
        return self._upstream.decommit(start, size)

    def resident_bytes(self) -> int | None:
        return self._upstream.resident_bytes()


class FlakyMemory(AnonymousMemory):
    """Anonymous memory; mapping may fail too."""

    def __init__(self, failures: Failures) -> None:
        super().__init__()
        self._failures = failures

    def map(self, size: int, alignment: int) -> Any:
        self._failures.call("map")
        return FlakyMapping(super().map(size, alignment), self._failures)
