"""Thread-safe, multi-arena allocation of memory, or of any address space, whose lifetime and books are right.

>>> import arenas
>>> with arenas.Heap() as heap:
...     block = heap.alloc(1 << 20)
...     block.view[:5] = b"hello"
...     block.free()
...     heap.stats().live_blocks
0
"""

from __future__ import annotations

from .backing import AddressSpace, AnonymousMemory, FileMemory
from .block import Block
from .default import alloc, calloc, default_heap, free, malloc, realloc, set_default_heap
from .errors import (
    ArenaBusyError,
    ArenaError,
    BlockReleasedError,
    CorruptionError,
    DoubleFreeError,
    ForeignAddressError,
    HeapClosedError,
    InteriorAddressError,
    InvalidFreeError,
    InvalidRequestError,
    OutOfMemoryError,
    PoolTimeoutError,
)
from .heap import Heap, Local
from .placement import BestFit
from .pool import Pool
from .protocols import Backing, Mapping, Placement
from .scope import Scope
from .snapshot import BlockInfo, Snapshot, SpanInfo, Statistic
from .stats import Stats

__version__ = "0.1.0"

__all__ = [
    "AddressSpace",
    "AnonymousMemory",
    "ArenaBusyError",
    "ArenaError",
    "Backing",
    "BestFit",
    "Block",
    "BlockInfo",
    "BlockReleasedError",
    "CorruptionError",
    "DoubleFreeError",
    "FileMemory",
    "ForeignAddressError",
    "Heap",
    "HeapClosedError",
    "InteriorAddressError",
    "InvalidFreeError",
    "InvalidRequestError",
    "Local",
    "Mapping",
    "OutOfMemoryError",
    "Placement",
    "Pool",
    "PoolTimeoutError",
    "Scope",
    "Snapshot",
    "SpanInfo",
    "Statistic",
    "Stats",
    "alloc",
    "calloc",
    "default_heap",
    "free",
    "malloc",
    "realloc",
    "set_default_heap",
]
