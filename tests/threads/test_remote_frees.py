"""Frees by a thread that does not own the arena: they never wait for the owner, and the memory is never stranded."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

import arenas
from tests.threads.helpers import PATIENCE_SECONDS, elsewhere, prove_whole

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self


GIL = getattr(sys, "_is_gil_enabled", lambda: True)()


class Noting:
    """A lock that notes which threads took it."""

    takers: list[int]

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.takers = []

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        self.takers.append(threading.get_ident())
        return self._lock.acquire(blocking, timeout)

    def release(self) -> None:
        self._lock.release()

    def locked(self) -> bool:
        return self._lock.locked()

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class Owner:
    """A thread that does what it is told, and sleeps in between."""

    def __init__(self) -> None:
        self._orders: list[Callable[[], Any] | None] = []  # None: end
        self._wake = threading.Semaphore(0)
        self._done = threading.Semaphore(0)
        self._result: Any = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            self._wake.acquire()
            order = self._orders.pop()
            if order is None:
                return
            self._result = order()
            del order
            self._done.release()

    def do(self, order: Callable[[], Any]) -> Any:
        """The result of the order, carried out by the owner."""
        self._orders.append(order)
        self._wake.release()
        assert self._done.acquire(timeout=PATIENCE_SECONDS), "the owner is stuck"
        result, self._result = self._result, None
        return result

    def end(self) -> None:
        """Let the thread end. Harmless when it has."""
        self._orders.append(None)
        self._wake.release()
        self._thread.join(PATIENCE_SECONDS)


@pytest.fixture
def owner() -> Any:
    owner = Owner()
    yield owner
    owner.end()


def test_a_remote_free_takes_no_lock_of_the_owners_arena(owner: Owner) -> None:
    """A block freed by a stranger goes into the owner's mailbox: the owner is never held up."""
    locks: list[Noting] = []

    def noted() -> Noting:
        locks.append(Noting())
        return locks[-1]

    heap = arenas.Heap(lock_factory=noted)
    block = owner.do(lambda: heap.alloc(1000))
    before = [len(lock.takers) for lock in locks]
    block.free()
    assert [len(lock.takers) for lock in locks] == before
    assert block.released
    del block
    prove_whole(heap)


def test_the_owners_next_allocation_uses_what_came_back(owner: Owner) -> None:
    """The owner drains its mailbox before it carves: the same place again, and the free counted as remote."""
    heap = arenas.Heap()
    block = owner.do(lambda: heap.alloc(1000))
    address = block.address
    block.free()
    again = owner.do(lambda: heap.alloc(1000))
    assert again.address == address
    assert heap.stats().remote_frees == 1
    again.free()
    assert heap.stats().remote_frees == 2
    prove_whole(heap)


def test_the_owners_own_frees_are_not_remote(owner: Owner) -> None:
    """Only frees by others count as remote."""
    heap = arenas.Heap()
    owner.do(lambda: heap.alloc(1000).free())
    assert (heap.stats().frees, heap.stats().remote_frees) == (1, 0)


FINDERS: dict[str, Callable[[arenas.Heap], object]] = {
    "stats": lambda heap: heap.stats(),
    "check": lambda heap: heap.check(),
    "trim": lambda heap: heap.trim(),
    "snapshot": lambda heap: heap.snapshot(),
}


@pytest.mark.parametrize("asleep", [True, False], ids=["asleep", "gone"])
@pytest.mark.parametrize("finder", FINDERS)
def test_what_was_sent_to_a_silent_owner_is_found(owner: Owner, finder: str, asleep: bool) -> None:
    """Memory sent to an owner that sleeps for ever, or has ended since, is brought home by every slow path."""
    heap = arenas.Heap(region_bytes=1 << 16)
    blocks = owner.do(lambda: [heap.alloc(1000) for _ in range(20)])
    for block in blocks:
        block.free()
    if not asleep:
        owner.end()
    FINDERS[finder](heap)
    stats = heap.stats()
    assert (stats.live_blocks, stats.live_bytes, stats.mailbox_bytes) == (0, 0, 0)
    assert stats.frees == stats.remote_frees == 20
    assert stats.free_bytes == stats.reserved_bytes
    del blocks, block
    prove_whole(heap)


@pytest.mark.parametrize("asleep", [True, False], ids=["asleep", "gone"])
@pytest.mark.parametrize("freed_by", ["another thread", "drop"])
def test_what_was_sent_to_a_silent_owner_is_found_before_out_of_memory(
    owner: Owner, asleep: bool, freed_by: str
) -> None:
    """Under a limit that the owner's arena has used up, another thread's request still succeeds, with no wait."""
    limit = 1 << 16
    heap = arenas.Heap(region_bytes=limit, limit_bytes=limit, decay_seconds=None)
    blocks = owner.do(lambda: [heap.alloc(4096) for _ in range(16)])
    with pytest.raises(arenas.OutOfMemoryError):
        heap.alloc(1)
    if freed_by == "drop":
        blocks.clear()
    while blocks:
        blocks.pop().free()
    if not asleep:
        owner.end()
    # Without the GIL a drop by another thread than the maker's may need a collection, which only who waits is worth.
    patience = PATIENCE_SECONDS if freed_by == "drop" and not GIL else 0
    mine = [heap.alloc(4096, timeout=patience) for _ in range(16)]
    assert heap.stats().committed_bytes == limit
    mine.clear()
    prove_whole(heap)


def test_blocks_of_a_thread_that_ended_live_on() -> None:
    """A thread's end frees nothing that others still hold; its arena takes back what comes later."""
    heap = arenas.Heap(region_bytes=1 << 16)
    blocks: list[arenas.Block] = []
    elsewhere(lambda: blocks.extend(heap.alloc(100, tag=str(n)) for n in range(50)))
    for block in blocks:
        block.view[:] = block.arena.to_bytes(1, "little") * 100
    assert heap.stats().live_blocks == 50
    elsewhere(lambda: [heap.alloc(5000) for _ in range(10)] and None)  # adopts the arena
    assert len(heap.stats().arenas) == 1
    for block in blocks:
        block.free()
    del block
    blocks.clear()
    prove_whole(heap)
