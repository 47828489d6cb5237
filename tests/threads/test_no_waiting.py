"""Code that interrupts a section waits for nobody, and a fork divides nothing."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING

import pytest

import arenas
import arenas.fork
from tests.threads.helpers import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Self


def test_adoption_is_only_tried_inside_a_section() -> None:
    """A finalizer in a thread's first call gets memory while another thread is adopting, and may be waiting for it."""
    heap = arenas.Heap()
    heap.alloc(1).free()
    arena = heap._manager.arenas[0]
    routing = heap._manager.routing
    adopting, done = threading.Event(), threading.Event()
    served: list[int] = []

    def adopt() -> None:
        with routing.locks[0]:
            adopting.set()
            done.wait(PATIENCE_SECONDS)

    def interrupt() -> None:
        # As a finalizer that the collector runs while the section is on the stack.
        arena.read(lambda _: served.append(heap.alloc(100).size))

    holder = threading.Thread(target=adopt)
    holder.start()
    assert adopting.wait(PATIENCE_SECONDS)
    stranger = threading.Thread(target=interrupt, daemon=True)
    stranger.start()
    stranger.join(PATIENCE_SECONDS / 6)
    in_time = list(served)
    done.set()
    holder.join()
    assert in_time == [100]
    heap.check()


def test_an_interrupted_fork_keeps_no_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was taken before the interrupt is released after the fork, in both processes."""
    heap = arenas.Heap(arenas=3)
    taken: list[int] = []

    class Interrupting:
        """The last lock in order: Ctrl-C comes while it is waited for."""

        def acquire(self) -> bool:
            taken.append(sum(arena.lock.locked() for arena in heap._manager.arenas))
            raise KeyboardInterrupt

    order = heap._manager.locks_in_order
    monkeypatch.setattr(heap._manager, "locks_in_order", lambda: [*order(), Interrupting()])
    with pytest.raises(KeyboardInterrupt):
        arenas.fork._before()
    assert taken == [3]
    arenas.fork._release()
    monkeypatch.undo()
    assert not any(arena.lock.locked() for arena in heap._manager.arenas)
    heap.alloc(10).free()
    heap.check()


def test_a_child_takes_over_no_lock_of_a_thread_that_is_no_more() -> None:
    """What the fork could not take, interrupted or too late, the child replaces; what it took, it keeps."""
    heap = arenas.Heap()
    heap.alloc(1).free()
    manager = heap._manager
    locks = manager.locks_in_order()
    assert len(locks) == 3
    others = threading.Thread(target=lambda: [lock.acquire() for lock in locks])
    others.start()
    others.join()
    manager.renew_locks([])
    done: list[int] = []
    child = threading.Thread(target=lambda: done.append(heap.alloc(10).size), daemon=True)
    child.start()
    child.join(PATIENCE_SECONDS / 6)
    assert done == [10]
    kept = manager.locks_in_order()
    manager.renew_locks(kept)
    assert manager.locks_in_order() == kept
    heap.check()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_child_leaves_the_parent_s_file_alone(tmp_path: Path) -> None:
    """Closing the heap in the child gives no page back: what was on its way there may be in use again here."""
    heap = arenas.Heap(backing=arenas.FileMemory(tmp_path / "file", 1 << 16), decay_seconds=0)
    block = heap.alloc(8192)
    block.view[:] = b"\xab" * 8192
    record = block._record
    assert record.claim(record.serial)
    heap._manager.arenas[0].mailbox.append(record)
    child = os.fork()
    if child == 0:
        os._exit(0)
    assert os.waitpid(child, 0) == (child, 0)
    assert (tmp_path / "file").read_bytes()[:8192] == b"\xab" * 8192
    heap.check()


class Impatient:
    """A lock for which nobody may wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        taken = self._lock.acquire(blocking=False)
        assert taken or not blocking or timeout > 0, "this would wait"
        return taken

    def release(self) -> None:
        self._lock.release()

    def locked(self) -> bool:
        return self._lock.locked()

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


@pytest.mark.parametrize("size", [100, 1 << 16], ids=["small", "large"])
@pytest.mark.parametrize("spec", ["thread", 1, "ended"])
def test_a_free_waits_for_nobody(spec: str | int, size: int) -> None:
    """Whoever is inside the arena, its owner, another thread, or one that found it without an owner."""
    heap = arenas.Heap(
        arenas="thread" if spec == "ended" else spec, region_bytes=1 << 17, lock_factory=Impatient, clock=lambda: 0.0
    )
    blocks: list[arenas.Block] = []
    ended, kept = threading.Event(), threading.Event()

    def own() -> None:
        blocks.append(heap.alloc(size))
        kept.set()
        ended.wait(PATIENCE_SECONDS)

    owner = threading.Thread(target=own, daemon=True)
    owner.start()
    assert kept.wait(PATIENCE_SECONDS)
    if spec == "ended":
        ended.set()
        owner.join(PATIENCE_SECONDS)
    arena = heap._manager.arena_at[blocks[0].arena]
    with arena.lock:
        blocks[0].free()
    assert blocks[0].released
    ended.set()
    owner.join(PATIENCE_SECONDS)
    heap.check()
    assert heap.stats().live_blocks == 0


def test_code_that_interrupts_a_section_waits_for_nobody() -> None:
    """A handler or a finalizer inside an arena's section is served, by another arena."""
    heap = arenas.Heap(lock_factory=Impatient)
    block = heap.alloc(100)
    arena = heap._manager.arena_at[block.arena]
    inside = arena.read(lambda _: heap.alloc(100))
    assert inside.arena != block.arena
    heap.check()


def fork(act: Callable[[], object]) -> None:
    """``act`` succeeds in a forked child."""
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            act()
            os._exit(0)
        os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize("inside", [False, True])
def test_after_a_fork_nobody_waits(monkeypatch: pytest.MonkeyPatch, inside: bool) -> None:
    """What the fork took is free again in both processes; what the code it interrupted holds, it waits for in vain."""
    monkeypatch.setattr(arenas.fork, "_PATIENCE_SECONDS", 0.01)
    heap = arenas.Heap(lock_factory=Impatient)
    block = heap.alloc(1)
    if inside:
        heap._manager.arena_at[block.arena].read(lambda _: fork(heap.alloc(1).free))
    else:
        fork(lambda: heap.alloc(5000).free())
    heap.alloc(1).free()
    block.free()
    heap.check()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_child_replaces_what_the_fork_did_not_take(monkeypatch: pytest.MonkeyPatch) -> None:
    """An arena made after the locks were counted, its thread inside: the child does not wait for that thread."""
    heap = arenas.Heap(arenas=1, lock_factory=Impatient)
    heap.alloc(1).free()
    with monkeypatch.context() as patched:
        patched.setattr(heap._manager, "locks_in_order", list)
        with heap._manager.arenas[0].lock:
            fork(lambda: heap.alloc(5000).free())
    heap.check()


def test_a_free_that_interrupts_a_section_waits_for_nobody() -> None:
    """What a handler or a finalizer gives back to the arena is left in the mailbox."""
    heap = arenas.Heap(lock_factory=Impatient, cache_bytes=0)
    block = heap.alloc(100)
    heap._manager.arena_at[block.arena].read(lambda _: block.free())
    assert block.released
    heap.check()


def test_decay_waits_for_nobody() -> None:
    """An arena that somebody is inside of has its turn at a later step of the clock."""
    now = [100.0]
    heap = arenas.Heap(arenas=2, decay_seconds=8.0, lock_factory=Impatient, clock=lambda: now[0])
    heap.alloc(100).free()
    other = heap._manager.arenas[1 - heap._manager.routing.cache().arena_number]
    with other.lock:
        now[0] += 4.0
        heap.alloc(5000).free()
    heap.check()


def test_a_request_near_the_limit_waits_for_nobody() -> None:
    """It looks into those of the other arenas that nobody is inside of."""
    heap = arenas.Heap(arenas=2, limit_bytes=1 << 18, lock_factory=Impatient, clock=lambda: 0.0)
    home = heap._manager.routing.cache().arena_number
    with heap._manager.arenas[1 - home].lock:
        assert heap.alloc(150_000).arena == home
    heap.check()
