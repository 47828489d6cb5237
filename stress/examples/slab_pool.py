"""A pool of slabs, and all that it needs to be tested: see `make`.

Sizes are rounded up to powers of two; slots of one size are cut from slabs of a megabyte, and used again last in, first
out. It is what many projects write for themselves, with one lock for everything.
"""

from __future__ import annotations

import mmap
import threading
from typing import NamedTuple

SLAB_BYTES = 1 << 20


class Slot(NamedTuple):
    """A token may be anything. Here it says where the memory is, so that `SlabPool.view` need not look it up."""

    slab: mmap.mmap
    start: int
    length: int


class SlabPool:
    """Anybody's pool. What is tested are its methods; none of them has to do with the tests."""

    # A promise about every block's address. Whoever asks for more gets a longer block, and a place inside it.
    alignment = 16

    def __init__(self) -> None:
        """Nothing is allocated before it is asked for."""
        self._lock = threading.Lock()  # protects everything below: any thread may call
        self._free: dict[int, list[Slot]] = {}  # by length
        self._slabs: list[mmap.mmap] = []
        self._live: set[Slot] = set()

    # What a pool must have

    def allocate(self, size: int) -> Slot:
        """A slot of at least ``size`` bytes, which is never 0. If there were none: ``MemoryError``."""
        if size < 1:
            raise ValueError(f"a block has 1 byte at least, not {size}")
        length = max(self.alignment, 1 << (size - 1).bit_length())
        with self._lock:
            free = self._free.setdefault(length, [])
            if not free:
                self._add_slab(free, length)
            slot = free.pop()
            self._live.add(slot)
            return slot

    def free(self, token: Slot) -> None:
        """The slot is ready for the next. Twice, or never allocated: an error, and nothing changed."""
        with self._lock:
            if token not in self._live:
                raise ValueError(f"a slot of {token.length} bytes is freed that is not live")
            self._live.remove(token)
            self._free[token.length].append(token)

    def view(self, token: Slot) -> memoryview:
        """The block's memory, writable: it is filled, and looked at again before it is freed or resized."""
        return memoryview(token.slab)[token.start : token.start + token.length]

    # What it may have

    def resize(self, token: Slot, size: int) -> Slot:
        """The block with another size; without this it would be copied for it."""
        with self._lock:
            if token not in self._live:
                raise ValueError(f"a slot of {token.length} bytes is resized that is not live")
        if size <= token.length:
            return token
        new = self.allocate(size)
        self.view(new)[: token.length] = self.view(token)
        self.free(token)
        return new

    def live_blocks(self) -> int:
        """What it believes is live: compared with what is, so that a block that gets lost shows."""
        with self._lock:
            return len(self._live)

    def committed_bytes(self) -> int:
        """What it holds: shown beside what is live."""
        with self._lock:
            return sum(map(len, self._slabs))

    def check(self) -> str | None:
        """Whatever can be proven of its inner state. What is wrong, if anything is; an exception will do as well."""
        with self._lock:
            for length, slots in self._free.items():
                if len({(id(slot.slab), slot.start) for slot in slots}) != len(slots):
                    return f"a slot of {length} bytes is free twice"
        return None

    def close(self) -> None:
        """The end: everything goes back to the system."""
        with self._lock:
            self._free.clear()
            self._slabs.clear()

    def _add_slab(self, free: list[Slot], length: int) -> None:
        slab = mmap.mmap(-1, max(SLAB_BYTES, length))
        self._slabs.append(slab)
        free.extend(Slot(slab, start, length) for start in range(0, len(slab), length))


def make() -> SlabPool:
    """A fresh pool for each run: the function that is named after the colon."""
    return SlabPool()
