"""Anybody's pool behind the full seam: what the small protocol leaves out is made of what it has."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, Final, cast

from ..errors import MisbehaviourError
from ..named import said
from .pool import REQUIRED
from .protocol import ANYTHING, Memory

if TYPE_CHECKING:
    from .pool import Pool
    from .protocol import MappedRegion

_NOTHING: Final = ctypes.c_char * 0
"""A type that fits into any buffer, however short."""


class Placed:
    """A pool's block, and the place in it at which ours begins."""

    __slots__ = ("address", "alignment", "size", "token")

    def __init__(self, token: object, address: int, size: int, alignment: int) -> None:
        """``alignment`` as asked for, `ANYTHING` if it was left to the pool."""
        self.token = token
        self.address = address
        self.size = size
        self.alignment = alignment


class Adapted:
    """A pool as an allocator."""

    has_memory: Final = True

    def __init__(self, pool: Pool) -> None:
        """Try it out with one block.

        Raises:
            MisbehaviourError: it is no pool: it lacks a method, or its views will not do.

        """
        missing = [name for name in REQUIRED if not callable(getattr(pool, name, None))]
        if missing:
            raise MisbehaviourError(f"{type(pool).__name__} has no method {', '.join(missing)}")
        self.alignment: int = getattr(pool, "alignment", 1)
        if not isinstance(self.alignment, int) or self.alignment < 1 or self.alignment & (self.alignment - 1):
            raise MisbehaviourError(f"its alignment should be a power of two, and is {self.alignment!r}")
        self.bounded = bool(getattr(pool, "bounded", False))
        self.forgetful = bool(getattr(pool, "forgetful", False))
        self._pool = pool
        self._resize = getattr(pool, "resize", None)
        self.free(self.allocate(_FIRST, ANYTHING))

    def allocate(self, size: int, alignment: int) -> Placed:
        """``allocate``, at least one byte; where more alignment is asked for than it gives, longer, and step inside."""
        wanted = max(alignment, 1)
        slack = wanted - self.alignment if wanted > self.alignment else 0
        length = (size or 1) + slack
        token = self._pool.allocate(length)
        start = self._address(token, length)
        address = -(-start // wanted) * wanted if slack else start
        if address + size > start + length:
            raise MisbehaviourError(f"a block at {start:#x} is not at a multiple of {self.alignment}, its alignment")
        return Placed(token, address, size, alignment)

    def zeroed(self, size: int) -> Placed:
        """Allocate and clear."""
        placed = self.allocate(size, ANYTHING)
        ctypes.memset(placed.address, 0, size)
        return placed

    def resize(self, token: Placed, size: int) -> Placed:
        """``resize``; without it, or where a new start might lie elsewhere inside, allocate, copy, free."""
        if self._resize is not None and token.alignment <= self.alignment:
            theirs = self._resize(token.token, size or 1)
            return Placed(theirs, self._address(theirs, size or 1), size, token.alignment)
        new = self.allocate(size, token.alignment)
        ctypes.memmove(new.address, token.address, min(size, token.size))
        self.free(token)
        return new

    def free(self, token: Placed) -> None:
        """``free``; where that is not all, forget the token."""
        self._pool.free(token.token)
        if self.forgetful:
            token.token = None

    def address(self, token: Placed) -> int:
        """Where ours begins."""
        return token.address

    def _address(self, token: object, length: int) -> int:
        """Where a block's memory is. Nothing of its view is kept: that could be in the way of a resize or a free."""
        try:
            view = memoryview(self._pool.view(token))
        except TypeError as error:
            raise MisbehaviourError(f"its view of a block is no buffer: {error}") from error
        with view:
            if view.readonly:
                raise MisbehaviourError(f"its view of a block of {length} bytes is read-only")
            if not view.c_contiguous:
                raise MisbehaviourError(f"its view of a block of {length} bytes is not in one piece")
            if view.nbytes < length:
                raise MisbehaviourError(f"its view of a block of {length} bytes has only {view.nbytes}")
            return ctypes.addressof(_NOTHING.from_buffer(view))

    def measure(self) -> Memory:
        """What it can tell."""
        return Memory(live_blocks=self._told("live_blocks"), committed_bytes=self._told("committed_bytes"))

    def _told(self, name: str) -> int | None:
        method = getattr(self._pool, name, None)
        return None if method is None else cast("int", method())

    def map(self) -> list[MappedRegion]:
        """That cannot be told."""
        return []

    def check(self) -> str | None:
        """``check``: what it says, or raises."""
        check = getattr(self._pool, "check", None)
        try:
            wrong: Any = None if check is None else check()
        except Exception as error:  # noqa: BLE001 - however it prefers to say it
            return said(error)
        return str(wrong) if wrong else None

    def audit(self) -> list[str]:
        """Nothing is known of its books."""
        return []

    def close(self) -> None:
        """``close``, where it has one."""
        close = getattr(self._pool, "close", None)
        if close is not None:
            close()


_FIRST: Final = 64
