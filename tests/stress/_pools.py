"""Pools to be adapted: a plain one, and others that each do one thing wrong. Found as ``_pools:Name``."""

from __future__ import annotations

import threading
from typing import Any


class Plain:
    """No more than it must have."""

    def allocate(self, size: int) -> Any:
        return bytearray(size)

    def free(self, token: Any) -> None:
        pass

    def view(self, token: Any) -> Any:
        return memoryview(token)


class Leaning(Plain):
    """Blocks begin at odd addresses, as is its right."""

    def allocate(self, size: int) -> Any:
        return bytearray(size + 1)

    def view(self, token: Any) -> Any:
        return memoryview(token)[1:]


class Counting(Plain):
    """Tells of itself, and says wrong things when told to."""

    def __init__(self) -> None:
        self.live: dict[int, bytearray] = {}
        self.wrong: str | None = None
        self.closed = False

    def allocate(self, size: int) -> Any:
        token = super().allocate(size)
        self.live[id(token)] = token
        return token

    def free(self, token: Any) -> None:
        del self.live[id(token)]

    def live_blocks(self) -> int:
        return len(self.live)

    def committed_bytes(self) -> int:
        return sum(map(len, list(self.live.values())))

    def check(self) -> str | None:
        return self.wrong

    def close(self) -> None:
        self.closed = True


class ChecksByRaising(Plain):
    def check(self) -> None:
        raise AssertionError("slot 3 is free twice")


class NoView:
    allocate = Plain.allocate
    free = Plain.free


class Short(Plain):
    def view(self, token: Any) -> Any:
        return memoryview(token)[:-1]


class ReadOnly(Plain):
    def view(self, token: Any) -> Any:
        return bytes(token)


class InPieces(Plain):
    def view(self, token: Any) -> Any:
        return memoryview(bytearray(2 * len(token)))[::2]


class NoBuffer(Plain):
    def view(self, token: Any) -> Any:
        return len(token)


class OddAlignment(Plain):
    alignment = 24


class BoastsOfAlignment(Leaning):
    alignment = 64


class Leaves(Plain):
    """Once made, a call of it ends the program, and that with a clean status."""

    _frees = 0

    def free(self, token: Any) -> None:
        self._frees += 1
        if self._frees > 1:  # the first is tried before any run
            raise SystemExit(0)


class LeavesAtOnce(Plain):
    """Never made."""

    def __init__(self) -> None:
        raise SystemExit(0)


class CannotBeMade(Plain):
    def __init__(self) -> None:
        raise OSError("no device")


class OneForAll(Plain):
    """Gives everybody the same memory."""

    def __init__(self) -> None:
        self.memory = bytearray(1 << 16)

    def allocate(self, size: int) -> Any:
        return self.memory


class RaisesInTheMiddle(Counting):
    def allocate(self, size: int) -> Any:
        if len(self.live) >= 20:
            raise RuntimeError("the device went away")
        return super().allocate(size)


class LosesBlocks(Counting):
    def live_blocks(self) -> int:
        return len(self.live) // 2


class Shrinking(Plain):
    """Its views get shorter in the middle of a run."""

    made = 0

    def allocate(self, size: int) -> Any:
        self.made += 1
        return bytearray(size - (self.made > 30))


class Hangs(Plain):
    """A refusal leaves it locked; asked what it holds, it waits for the lock."""

    bounded = True

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.made = 0

    def allocate(self, size: int) -> Any:
        self.lock.acquire()
        self.made += 1
        if self.made > 30:
            raise MemoryError
        self.lock.release()
        return super().allocate(size)

    def committed_bytes(self) -> int:
        with self.lock:
            return 1
