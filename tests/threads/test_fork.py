"""Forks: the child gets heaps that are whole and its own, whatever other threads were doing."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

import arenas
from tests.threads.helpers import PATIENCE_SECONDS, elsewhere, pattern, prove_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
SIZE = 1000


def in_child(act: Callable[[], object]) -> None:
    """Run ``act`` in a forked child, which ends itself should it be stuck; raise unless it succeeded."""
    child = os.fork()
    if not child:
        code = 1
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(PATIENCE_SECONDS // 2)
            act()
            code = 0
        except BaseException:  # noqa: BLE001 - it must not run on as a second copy of the tests
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


@contextmanager
def hammering(heap: arenas.Heap, count: int = 3) -> Iterator[None]:
    """Threads that allocate, fill, verify, resize and free all the while."""
    stop = threading.Event()
    errors: list[BaseException] = []
    started = threading.Barrier(count + 1)

    def hammer(number: int) -> None:
        try:
            heap.alloc(1).free()  # each has its arena before anything begins
            started.wait(PATIENCE_SECONDS)
            while not stop.is_set():
                kept = [heap.alloc(size) for size in (10, SIZE, 3 * SIZE, 40_000)]
                for block in kept:
                    block.view[:] = pattern(number, block.size)
                kept[1].resize(5 * SIZE)
                assert kept[1].view[:SIZE] == pattern(number, SIZE)
                heap.trim()
                del kept[0]
                for block in kept:
                    block.free()
        except BaseException as error:  # noqa: BLE001 - for the test
            errors.append(error)

    threads = [threading.Thread(target=hammer, args=(number,), daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    started.wait(PATIENCE_SECONDS)
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(PATIENCE_SECONDS)
    assert not errors, errors


@pytest.mark.parametrize("spec", ["thread", 1])
def test_a_child_of_a_busy_parent_has_a_whole_heap(spec: str | int, fast_switching: None) -> None:
    """Forked while threads hammer: the child checks, allocates, and frees what it inherited; all of it can go back."""
    heap = arenas.Heap(arenas=spec, region_bytes=1 << 16)
    mine = heap.alloc(SIZE)
    mine.view[:] = pattern(1, SIZE)

    def child() -> None:
        heap.check()
        assert mine.view == pattern(1, SIZE)
        for _ in range(20):
            heap.alloc(SIZE).view[:] = b"\xff" * SIZE
        mine.free()
        elsewhere(lambda: heap.alloc(SIZE).free())
        heap.check()
        # What dead threads held stays live, in nobody's hands: only a reset takes it back.
        heap.reset()
        heap.check()
        heap.trim()
        stats = heap.stats()
        assert stats.live_blocks == 0
        assert stats.reserved_bytes == stats.parts_bytes

    with hammering(heap):
        for _ in range(25):
            in_child(child)
    assert mine.view == pattern(1, SIZE)
    mine.free()
    prove_whole(heap)


def test_dead_threads_arenas_are_adopted_in_the_child() -> None:
    """Threads that did not come along leave arenas behind; new threads of the child use those."""
    heap = arenas.Heap(region_bytes=1 << 16)
    heap.alloc(1).free()

    def child() -> None:
        before = len(heap.stats().arenas)
        assert before >= 4
        for _ in range(before):
            elsewhere(lambda: heap.alloc(SIZE).free())
        assert len(heap.stats().arenas) == before

    with hammering(heap):
        for _ in range(5):
            in_child(child)
    prove_whole(heap)


def test_what_parent_and_child_write_stays_apart() -> None:
    """Anonymous memory is private: neither process sees the other's bytes, and each frees only its own copy."""
    heap = arenas.Heap(region_bytes=1 << 16)
    block, large = heap.alloc(SIZE), heap.alloc(1 << 17)
    for one in (block, large):
        one.view[:] = pattern(2, one.size)
    ready, go = os.pipe()

    def child() -> None:
        for one in (block, large):
            assert one.view == pattern(2, one.size)
            one.view[:] = b"\xff" * one.size
        block.free()
        os.write(go, b"!")

    in_child(child)
    assert os.read(ready, 1) == b"!"
    for one in (block, large):
        assert one.view == pattern(2, one.size)
        one.free()
    os.close(ready)
    os.close(go)
    prove_whole(heap)


def test_a_view_alive_at_the_fork_is_seen_in_both_processes() -> None:
    """A block freed under a view stays parked in the child too, until the child's own view dies."""
    heap = arenas.Heap(region_bytes=1 << 16)
    block = heap.alloc(SIZE)
    view = block.view
    view[:] = pattern(3, SIZE)
    block.free()

    def child() -> None:
        nonlocal view
        for _ in range(20):
            heap.alloc(SIZE).view[:] = b"\xff" * SIZE
        heap.check()
        assert view == pattern(3, SIZE)
        assert heap.stats().parked_bytes == 1024
        del view
        heap.check()
        assert heap.stats().parked_bytes == 0

    in_child(child)
    assert view == pattern(3, SIZE)
    del view
    prove_whole(heap)


def test_a_heap_over_a_file_is_closed_in_the_child(tmp_path: Path) -> None:
    """A file's memory is shared: the child must not use it, and the parent's heap goes on."""
    heap = arenas.Heap(backing=arenas.FileMemory(tmp_path / "memory", 1 << 16))
    block = heap.alloc(SIZE)
    block.view[:] = pattern(4, SIZE)

    def child() -> None:
        assert heap.closed
        for refused in (lambda: heap.alloc(1), lambda: block.view, lambda: heap.malloc(1)):
            with pytest.raises(arenas.HeapClosedError):
                refused()
        heap.check()
        heap.close()

    in_child(child)
    assert not heap.closed
    assert block.view == pattern(4, SIZE)
    block.free()
    heap.check()
    assert heap.stats().live_blocks == 0


class Forking(arenas.BestFit):
    """Best fit that calls back, once, in the middle of taking a span: under the arena's lock."""

    __slots__ = ()
    callback: Callable[[], object] | None = None

    def take(self, size: int, alignment: int) -> tuple[int, int] | None:
        callback, Forking.callback = Forking.callback, None
        if callback:
            callback()
        return super().take(size, alignment)


def test_a_fork_inside_a_section_lets_both_processes_leave_it(fast_switching: None) -> None:
    """Forked by what interrupted an allocation, under the arena's lock: parent and child both complete it."""
    heap = arenas.Heap(placement=Forking, region_bytes=1 << 16)
    heap.alloc(1).free()
    children: list[int] = []

    def fork() -> None:
        children.append(os.fork())
        if not children[-1]:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(PATIENCE_SECONDS // 2)
        heap.alloc(SIZE).free()  # here, the arena is busy: another one serves

    parent = os.getpid()
    with hammering(arenas.Heap(region_bytes=1 << 16), 1):
        Forking.callback = fork
        try:
            block = heap.alloc(SIZE)
            block.view[:] = pattern(5, SIZE)
            elsewhere(lambda: heap.alloc(10).free())
            assert block.view == pattern(5, SIZE)
            block.free()
            del block
            prove_whole(heap)
        finally:
            if os.getpid() != parent:
                if sys.exc_info()[0] is not None:
                    traceback.print_exc()
                os._exit(sys.exc_info()[0] is not None)
        _, status = os.waitpid(children[0], 0)
    assert os.waitstatus_to_exitcode(status) == 0


def test_a_fork_by_another_thread_than_the_first(fast_switching: None) -> None:
    """The forking thread becomes the child's only one, and keeps its arena."""
    heap = arenas.Heap(region_bytes=1 << 16)

    def fork() -> None:
        block = heap.alloc(SIZE)
        block.view[:] = pattern(6, SIZE)

        def child() -> None:
            assert block.view == pattern(6, SIZE)
            assert heap.alloc(SIZE).arena == block.arena
            block.free()
            heap.check()
            assert heap.stats().remote_frees == 0

        in_child(child)
        block.free()

    for _ in range(5):
        elsewhere(fork)
    prove_whole(heap)


def test_a_grandchild_has_a_whole_heap_too() -> None:
    """Forks nest."""
    heap = arenas.Heap(region_bytes=1 << 16)
    block = heap.alloc(SIZE)

    def child() -> None:
        own = heap.alloc(SIZE)

        def end() -> None:
            block.free()
            own.free()
            heap.check()

        in_child(end)
        end()

    in_child(child)
    block.free()
    prove_whole(heap)
