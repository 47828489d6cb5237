"""The heap that is there without being made, and the functions that use it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, SupportsIndex

from .heap import Heap
from .sizes import parse_size

if TYPE_CHECKING:
    from .block import Block

# Holds the one default under its only key. Without a lock, which a finalizer could wait for in vain: a dict's single
# steps are atomic.
_slot: dict[str, Heap] = {}


def default_heap() -> Heap:
    """The process's shared heap, made on first use; ``ARENAS_LIMIT`` (such as ``512M``) bounds it.

    It refuses ``reset()`` and ``close()``: everybody's blocks are in it. Libraries make heaps of their own.
    """
    heap = _slot.get("default")
    return heap if heap is not None else _make_default()


def _make_default() -> Heap:
    limit = os.environ.get("ARENAS_LIMIT")
    heap = Heap(limit_bytes=parse_size(limit) if limit else None, name="default")
    heap._manager.permanent = True
    # Of two made at once, the one entered first; the other has no memory yet.
    return _slot.setdefault("default", heap)


def set_default_heap(heap: Heap) -> Heap | None:
    """Make ``heap`` the default from now on; the one before, or None. Blocks stay with the heap they came from.

    Addresses do not know their heap: free those of the old default through it. Raises ``TypeError`` for what is no
    heap, ``HeapClosedError`` for a closed one.
    """
    if not isinstance(heap, Heap):
        raise TypeError(f"the default must be a Heap, not {type(heap).__name__}")
    heap._refuse_closed()
    before = _slot.get("default")
    heap._manager.permanent = True
    _slot["default"] = heap
    if before is not None and before is not heap:
        before._manager.permanent = False
    return before


def alloc(
    size: SupportsIndex,
    *,
    zero: bool = False,
    alignment: SupportsIndex | None = None,
    tag: str | None = None,
    timeout: float | None = 0,
) -> Block:
    """A block of the default heap: :meth:`arenas.Heap.alloc`."""
    return default_heap().alloc(size, zero=zero, alignment=alignment, tag=tag, timeout=timeout)


def malloc(size: SupportsIndex) -> int:
    """An address in the default heap: :meth:`arenas.Heap.malloc`."""
    return default_heap().malloc(size)


def calloc(count: SupportsIndex, size: SupportsIndex = 1) -> int:
    """Zeroed bytes of the default heap: :meth:`arenas.Heap.calloc`."""
    return default_heap().calloc(count, size)


def realloc(address: SupportsIndex | None, size: SupportsIndex) -> int | None:
    """Resize in the default heap: :meth:`arenas.Heap.realloc`."""
    return default_heap().realloc(address, size)


def free(address: SupportsIndex | None) -> None:
    """Free in the default heap: :meth:`arenas.Heap.free`."""
    default_heap().free(address)
