"""Forking: the child gets heaps that are whole."""

from __future__ import annotations

import os
import threading
import weakref
from typing import TYPE_CHECKING, Any

from .section import interrupts_section

if TYPE_CHECKING:
    from .heap import Heap

# No section takes so long.
_PATIENCE_SECONDS = 1.0

# Protects the registry, and is held over a fork: no heap comes into being between taking the locks and forking.
_lock = threading.RLock()
_heaps: dict[int, weakref.ref[Heap]] = {}  # id -> heap, in order of creation
_taken: list[Any] = []  # locks held over the fork, in order


def register(heap: Heap) -> None:
    """Look after a heap for as long as it lives."""
    key = id(heap)
    with _lock:
        _heaps[key] = weakref.ref(heap, lambda _: _heaps.pop(key, None))


def _before() -> None:
    """Take every lock in order: each heap's adoption, creation, arenas, budget. What this thread is inside of is its
    own already.
    """
    _take(_lock)
    for reference in list(_heaps.copy().values()):
        heap = reference()
        if heap is not None:
            for lock in heap._manager.locks_in_order():
                _take(lock)


def _take(lock: Any) -> None:  # noqa: ANN401 - a Lock, an RLock, or what a lock factory makes
    if not interrupts_section():
        lock.acquire()
    elif not lock.acquire(timeout=_PATIENCE_SECONDS):
        # A handler or a finalizer forks, and the code that it interrupted holds this lock. It stays with that code, in
        # the child too: its section ends there as it would have here. Another thread's section would be over by now.
        return
    _taken.append(lock)


def _release() -> None:
    while _taken:
        _taken.pop().release()


def _in_child() -> None:
    _release()
    for reference in list(_heaps.copy().values()):
        heap = reference()
        if heap is not None:
            heap._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_release, after_in_child=_in_child)
