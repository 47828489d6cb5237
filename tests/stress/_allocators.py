"""Allocators to be caught: a sound little one, and others that each do one thing wrong."""

from __future__ import annotations

import ctypes
import threading
from typing import Any

from _package import module

allocators = module("allocators.protocol")


class Sound:
    """Bumps a pointer through a buffer and never reuses a byte, so that nothing can hide a mistake made elsewhere."""

    alignment = 16
    has_memory = True
    bounded = False

    def __init__(self) -> None:
        self._buffer = ctypes.create_string_buffer(1 << 20)
        self._next = ctypes.addressof(self._buffer)
        self._lock = threading.Lock()
        self.live: dict[int, int] = {}
        self.calls: list[tuple[str, int]] = []
        self.closed = False

    def allocate(self, size: int, alignment: int) -> int:
        alignment = max(alignment, self.alignment)
        with self._lock:
            address = -(-self._next // alignment) * alignment
            self._next = address + max(size, 1)
            assert self._next < ctypes.addressof(self._buffer) + len(self._buffer)
            self.live[address] = size
        return address

    def zeroed(self, size: int) -> int:
        return self.allocate(size, 0)

    def resize(self, token: int, size: int) -> int:
        address = self.allocate(size, 0)
        self.copy(address, token, min(size, self.live[token]))
        with self._lock:
            del self.live[token]
        return address

    def copy(self, to: int, source: int, size: int) -> None:
        ctypes.memmove(to, source, size)

    def free(self, token: int) -> None:
        with self._lock:
            del self.live[token]

    def address(self, token: int) -> int:
        return token

    def measure(self) -> Any:
        with self._lock:
            live_bytes = sum(self.live.values())
            return allocators.Memory(
                live_blocks=len(self.live),
                live_bytes=live_bytes,
                committed_bytes=live_bytes,
                reserved_bytes=live_bytes,
            )

    def map(self) -> list[Any]:
        return []

    def check(self) -> str | None:
        return None

    def audit(self) -> list[str]:
        return []

    def close(self) -> None:
        self.closed = True


class Overlapping(Sound):
    """Hands out blocks that begin in the one before."""

    def allocate(self, size: int, alignment: int) -> int:
        address = super().allocate(size, alignment)
        self._next = address + self.alignment
        return address


class LosesAByte(Sound):
    """Copies one byte too few when it resizes."""

    def copy(self, to: int, source: int, size: int) -> None:
        super().copy(to, source, size - 1)


class ShiftsOnResize(Sound):
    """Copies from a wrong place."""

    def copy(self, to: int, source: int, size: int) -> None:
        super().copy(to, source + 8, size - 8)
        ctypes.memmove(to + size - 8, source, 8)


class DirtyZeroes(Sound):
    """Leaves one byte of a zeroed block as it was."""

    def zeroed(self, size: int) -> int:
        address = super().zeroed(size)
        ctypes.memset(address + size - 1, 1, 1)
        return address


class Forgetful(Sound):
    """Forgets a free."""

    def free(self, token: int) -> None:
        if self.live[token] != 100:
            super().free(token)


class Misaligned(Sound):
    """Ignores alignments."""

    def allocate(self, size: int, alignment: int) -> int:
        address = super().allocate(size + 8, 0) + 8
        self.live[address] = self.live.pop(address - 8)
        return address


class FailsCheck(Sound):
    """Finds itself inconsistent."""

    def check(self) -> str | None:
        return "span 3 lies inside span 2"


class WrongBooks(Sound):
    """Does not add up."""

    def audit(self) -> list[str]:
        return ["the parts sum to 3 bytes, 4 are reserved"]


class Raises(Sound):
    """Refuses one request."""

    def allocate(self, size: int, alignment: int) -> int:
        if size == 666:
            raise MemoryError("no 666 bytes to be had")
        return super().allocate(size, alignment)


class RaisesWhenMeasured(Sound):
    """Fails in the thread that watches."""

    def measure(self) -> Any:
        raise RuntimeError("the statistics are on fire")


class Blocks(Sound):
    """Never comes back, until told to."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()

    def allocate(self, size: int, alignment: int) -> int:
        self.go_on.wait()
        return super().allocate(size, alignment)
