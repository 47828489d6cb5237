"""A program: finalizers that use the heap, run by the collector while the heap is in the middle of things.

Usage: ``reentry.py cycles|placement|locks|backing thread|1``. Stuck, it shows all stacks and ends.
"""

from __future__ import annotations

import faulthandler
import gc
import sys
import threading
from typing import TYPE_CHECKING, Any

import arenas
from tests.threads.helpers import PATIENCE_SECONDS, pattern, prove_whole

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

SIZE = 700


class Node:
    """Owns a block, is a cycle, and when it dies uses the heap: allocates, writes, frees and drops."""

    died = 0
    errors: list[BaseException] = []  # noqa: RUF012 - of all

    def __init__(self, heap: arenas.Heap) -> None:
        self.heap = heap
        self.block = heap.alloc(SIZE)
        self.view = self.block.view
        self.view[:] = pattern(9, SIZE)
        self.me = self

    def __del__(self) -> None:
        try:
            new = self.heap.alloc(SIZE)
            new.view[:] = pattern(4, SIZE)
            self.heap.alloc(2 * SIZE).view[:] = b"\xff" * 2 * SIZE  # dropped at once
            address = self.heap.malloc(50)
            assert self.view == pattern(9, SIZE)
            assert new.view == pattern(4, SIZE)
            self.heap.free(address)
            new.free()
            if Node.died % 2:
                self.block.free()
        except BaseException as error:  # noqa: BLE001 - a finalizer's errors are only printed
            Node.errors.append(error)
        Node.died += 1


class Hook:
    """Calls the collector, with garbage for it, from wherever it is put; never from within itself."""

    def __init__(self) -> None:
        self.heap: arenas.Heap | None = None
        self.inside = False
        self.calls = 0

    def __call__(self) -> None:
        if self.heap is None or self.inside:
            return
        self.inside = True
        self.calls += 1
        try:
            Garbage(self.heap)
            gc.collect()
        finally:
            self.inside = False


class Garbage(Node):
    """A node without a block of its own: made where the heap is entered already."""

    def __init__(self, heap: arenas.Heap) -> None:
        self.heap = heap
        self.me = self

    def __del__(self) -> None:
        try:
            new = self.heap.alloc(SIZE)
            new.view[:] = pattern(4, SIZE)
            self.heap.alloc(2 * SIZE).view[:] = b"\xff" * 2 * SIZE
            assert new.view == pattern(4, SIZE)
            new.free()
        except BaseException as error:  # noqa: BLE001
            Node.errors.append(error)
        Node.died += 1


def hooked_placement(hook: Hook) -> Callable[[], arenas.BestFit]:
    """Best fit that calls the hook before and after each of its verbs."""

    def wrapped(name: str) -> Any:
        plain = getattr(arenas.BestFit, name)

        def verb(self: arenas.BestFit, *arguments: Any) -> Any:
            hook()
            result = plain(self, *arguments)
            hook()
            return result

        return verb

    verbs = ("add", "take", "take_at", "give", "remove")
    return type("Hooked", (arenas.BestFit,), {"__slots__": (), **{name: wrapped(name) for name in verbs}})


class HookedLock:
    """A lock that calls the hook just after it was taken, and just before it is given back."""

    def __init__(self, hook: Hook) -> None:
        self._lock = threading.Lock()
        self._hook = hook

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        return self._lock.acquire(blocking, timeout)

    def release(self) -> None:
        self._lock.release()

    def locked(self) -> bool:
        return self._lock.locked()

    def __enter__(self) -> Self:
        self._lock.acquire()
        self._hook()
        return self

    def __exit__(self, *_: object) -> None:
        self._hook()
        self._lock.release()


class HookedMemory(arenas.AnonymousMemory):
    """Memory that calls the hook whenever more of it is mapped."""

    def __init__(self, hook: Hook) -> None:
        super().__init__()
        self._hook = hook

    def map(self, size: int, alignment: int) -> Any:
        self._hook()
        mapping = super().map(size, alignment)
        self._hook()
        return mapping


def exercise(heap: arenas.Heap, turns: int) -> None:
    """Every verb, in a heap small enough to grow and shrink all the time."""
    for turn in range(turns):
        first, second = heap.alloc(SIZE), heap.alloc(3 * SIZE, zero=True)
        assert not any(second.view)
        first.view[:] = pattern(turn, SIZE)
        second.view[:] = b"\xff" * 3 * SIZE
        first.resize(5 * SIZE)
        second.resize(SIZE)
        assert first.view[:SIZE] == pattern(turn, SIZE)
        address = heap.realloc(heap.malloc(SIZE), 3 * SIZE)
        with heap.scope() as scope:
            scope.alloc(100)
        large = heap.alloc(40_000)
        heap.free(address)
        first.free()
        del second, large
        if turn % 4 == 0:
            heap.trim()
            heap.check()


def cycles(spec: str | int) -> None:
    """The collector runs at every allocation of an object."""
    heap = arenas.Heap(arenas=spec, region_bytes=1 << 16, limit_bytes=1 << 22)
    gc.set_threshold(1)
    for _ in range(60):
        for _ in range(3):
            Node(heap)
        exercise(heap, 1)
    gc.set_threshold(700)
    finish(heap)
    assert Node.died == 180


def hooked(kind: str, spec: str | int) -> None:
    """The collector runs inside the arena's sections."""
    hook = Hook()
    options: dict[str, dict[str, Any]] = {
        "placement": {"placement": hooked_placement(hook)},
        "locks": {"lock_factory": lambda: HookedLock(hook)},
        "backing": {"backing": HookedMemory(hook)},
    }
    heap = arenas.Heap(arenas=spec, region_bytes=1 << 16, limit_bytes=1 << 22, **options[kind])
    hook.heap = heap
    gc.freeze()
    exercise(heap, 12)
    hook.heap = None
    finish(heap)
    assert Node.died == hook.calls > 20, (Node.died, hook.calls)
    print(hook.calls)


def finish(heap: arenas.Heap) -> None:
    """Nothing went wrong in any finalizer, and nothing is left."""
    for _ in range(3):
        gc.collect()
    if Node.errors:
        raise Node.errors[0]
    assert heap.stats().out_of_memory == 0
    prove_whole(heap)


def main(kind: str, spec: str) -> None:
    """One kind of re-entry."""
    faulthandler.enable()
    faulthandler.dump_traceback_later(PATIENCE_SECONDS, exit=True)
    chosen: str | int = spec if spec == "thread" else int(spec)
    if kind == "cycles":
        cycles(chosen)
    else:
        hooked(kind, chosen)


if __name__ == "__main__":
    main(*sys.argv[1:])
