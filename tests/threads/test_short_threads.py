"""Threads that come and go by the thousand, and foreign ones: memory and arenas stay flat."""

from __future__ import annotations

import _thread
import ctypes
import threading

import pytest

import arenas
from tests.threads.helpers import PATIENCE_SECONDS, prove_whole, together


def use(heap: arenas.Heap) -> None:
    block = heap.alloc(5000)
    block.view[:4] = b"here"
    kept = heap.alloc(300)
    block.free()
    del kept  # left to its finalizer


def test_ten_thousand_short_threads_leave_memory_flat() -> None:
    """One thread after the other: each finds the arena of the last, so there are two arenas at most and few regions."""
    heap = arenas.Heap(region_bytes=1 << 16, decay_seconds=None)
    heap.alloc(5000).free()
    for _ in range(10_000):
        thread = threading.Thread(target=lambda: heap.alloc(5000).free())
        thread.start()
        thread.join()
    stats = heap.stats()
    assert len(stats.arenas) == 2
    assert stats.reserved_bytes == 2 << 16
    assert stats.allocations == stats.frees == 10_001
    prove_whole(heap)


def test_waves_of_threads_use_the_arenas_of_the_wave_before() -> None:
    """As many arenas as threads were alive at once, and no more, however many waves there are."""
    heap = arenas.Heap(region_bytes=1 << 16, decay_seconds=None)
    for _ in range(30):
        together(*[lambda: use(heap)] * 8)
    assert len(heap.stats().arenas) <= 8
    prove_whole(heap)


def test_an_arena_is_never_owned_by_two_threads(fast_switching: None) -> None:
    """Threads that start at once, over idle arenas, each get one of their own."""
    heap = arenas.Heap(region_bytes=1 << 16, decay_seconds=None)
    for _ in range(40):
        meet = threading.Barrier(6)
        owned: list[int] = []

        def claim() -> None:
            block = heap.alloc(10)
            owned.append(block.arena)  # noqa: B023 - over before the next turn
            meet.wait(PATIENCE_SECONDS)  # noqa: B023

        together(*[claim] * 6)
        assert len(set(owned)) == 6
    assert len(heap.stats().arenas) == 6
    prove_whole(heap)


def test_threads_without_a_thread_object_leave_memory_flat() -> None:
    """``_thread.start_new_thread`` makes threads that ``threading`` never saw; they give up their arenas as well."""
    heap = arenas.Heap(region_bytes=1 << 16, decay_seconds=None)
    ended = threading.Semaphore(0)

    def run() -> None:
        use(heap)
        ended.release()

    for _ in range(1000):
        _thread.start_new_thread(run, ())
        assert ended.acquire(timeout=PATIENCE_SECONDS)
    # A thread's state goes just after it gave the word, so a few may overlap.
    assert len(heap.stats().arenas) <= 50
    assert heap.stats().reserved_bytes <= 50 << 16
    prove_whole(heap)


def test_foreign_threads_that_call_back_once_leave_memory_flat() -> None:
    """Threads made by C, which enter Python for one callback, are threads like any other."""
    library = ctypes.CDLL(None)
    if not hasattr(library, "pthread_create"):
        library = ctypes.CDLL("libpthread.so.0")
    heap = arenas.Heap(region_bytes=1 << 16, decay_seconds=None)
    calls: list[int] = []

    def run(_: object) -> None:
        use(heap)
        calls.append(1)

    callback = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(run)

    for _ in range(500):
        handle = ctypes.c_ulong()
        assert library.pthread_create(ctypes.byref(handle), None, callback, None) == 0
        assert library.pthread_join(handle, None) == 0
    assert len(calls) == 500
    assert len(heap.stats().arenas) == 1
    assert heap.stats().reserved_bytes == 1 << 16
    prove_whole(heap)


@pytest.mark.parametrize("spec", ["cpu", 1, 3])
def test_shared_arenas_do_not_multiply(spec: str | int) -> None:
    """With arenas that nobody owns there are as many as were asked for, whoever comes and goes."""
    heap = arenas.Heap(arenas=spec, region_bytes=1 << 16)
    before = len(heap.stats().arenas)
    for _ in range(20):
        together(*[lambda: use(heap)] * 5)
    assert len(heap.stats().arenas) == before
    prove_whole(heap)
