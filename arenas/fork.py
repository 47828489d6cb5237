"""Forking: the child gets heaps that are whole."""

from __future__ import annotations

import os
import threading
import weakref
from collections import deque
from operator import methodcaller
from typing import TYPE_CHECKING, Any

from .section import interrupts_section, section

if TYPE_CHECKING:
    from .heap import Heap

# No section takes so long.
_PATIENCE_SECONDS = 1.0

# Without a lock: entered and left in single steps.
_heaps: dict[int, weakref.ref[Heap]] = {}  # id -> heap, in order of creation


class _Fork(threading.local):
    """What the thread that forks holds meanwhile. Several may fork at once; all take the locks in one order."""

    def __init__(self) -> None:
        self.taken: list[tuple[Any, object]] = []  # locks, in order, each with what its acquire returned
        self.own: list[Any] = []  # locks that the code interrupted by this handler or finalizer holds


_fork = _Fork()


def register(heap: Heap) -> None:
    """Look after a heap for as long as it lives."""
    key = id(heap)
    _heaps[key] = weakref.ref(heap, lambda _: _heaps.pop(key, None))


@section
def _before() -> None:
    """Take every lock in order: each heap's adoption, arenas, budget.

    A section, because finalizers that run in here must not wait for what is held here.
    """
    locks = [lock for heap in _living() for lock in heap._manager.locks_in_order()]
    if interrupts_section():
        for lock in locks:
            _take_unless_own(lock)
    else:
        # One call into C: an interrupt falls before a lock is taken or after it is in the list, never in between.
        _fork.taken.extend(zip(locks, map(methodcaller("acquire"), locks), strict=True))


def _take_unless_own(lock: Any) -> None:  # noqa: ANN401 - a Lock, an RLock, or what a lock factory makes
    # A handler or a finalizer forks. What the code that it interrupted holds stays with that code, in the child too:
    # its section ends there as it would have here. Another thread's section would be over by now.
    if lock.acquire(timeout=_PATIENCE_SECONDS):
        _fork.taken.append((lock, True))
    else:
        _fork.own.append(lock)


@section
def _release() -> None:
    # One call into C, as above.
    deque(map(methodcaller("release"), [lock for lock, _ in reversed(_fork.taken)]), maxlen=0)
    _fork.taken.clear()
    _fork.own.clear()


@section
def _in_child() -> None:
    held = [lock for lock, _ in _fork.taken] + _fork.own
    for heap in _living():
        heap._manager.renew_locks(held)
    _release()
    for heap in _living():
        heap._after_fork()


def _living() -> list[Heap]:
    return [heap for reference in _heaps.copy().values() if (heap := reference()) is not None]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_release, after_in_child=_in_child)
