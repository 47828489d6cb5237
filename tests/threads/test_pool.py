"""Pools under threads: who came first is served first, woken by whatever ends; none gets what another has."""

from __future__ import annotations

import functools
import gc
import itertools
import os
import queue
import random
import signal
import weakref
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

import arenas
import arenas.ends
import arenas.line
from tests.threads.helpers import PATIENCE_SECONDS, elsewhere, prove_whole, together
from tests.threads.waiters import BYTES, Waiter, only_woken, watch_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

np = pytest.importorskip("numpy")


@pytest.fixture
def heap() -> Iterator[arenas.Heap]:
    heap = arenas.Heap(arenas=1, region_bytes=1 << 16, clock=lambda: 100.0)
    yield heap
    prove_whole(heap)


@pytest.fixture(autouse=True)
def _watched(monkeypatch: pytest.MonkeyPatch) -> None:
    watch_lines(monkeypatch)


@pytest.fixture(name="only_woken")
def _only_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    only_woken(monkeypatch)


# Who is woken, and in which order


def in_a_cycle(array: Any) -> list[Any]:
    """Reached from garbage only."""
    kept: list[Any] = [array]
    kept.append(kept)
    return kept


@pytest.mark.usefixtures("only_woken")
@pytest.mark.parametrize("timeout", [None, 100.0])
@pytest.mark.parametrize("keep", [lambda array: [array], lambda array: [memoryview(array[3:])[1:]], in_a_cycle])
def test_a_waiter_is_woken_by_the_end_of_the_last_view(
    heap: arenas.Heap, keep: Callable[[Any], list[Any]], timeout: float | None
) -> None:
    """Of whatever kind, in whichever thread, and by the collector."""
    with heap.pool(BYTES, "u1", 1) as pool:
        kept = [keep(pool.get())]
        waiter = Waiter(pool, timeout)
        kept.clear()
        gc.collect()
        assert waiter.end().array is not None
        waiter.array = None


@pytest.mark.usefixtures("only_woken")
def test_who_came_first_is_served_first(heap: arenas.Heap) -> None:
    """Each array that comes back goes to the one that has waited longest."""
    with heap.pool(BYTES, "u1", 2) as pool:
        kept = [pool.get(), pool.get()]
        waiters = [Waiter(pool) for _ in range(6)]
        with pytest.raises(arenas.PoolTimeoutError, match="6 other threads wait"):
            pool.get(0)
        assert pool.free == 0
        for index, waiter in enumerate(waiters):
            kept.pop(0)
            kept.append(waiter.end().array)
            waiter.array = None
            assert [later.array for later in waiters[index + 1 :]] == [None] * (5 - index)
            assert all(later.thread.is_alive() for later in waiters[index + 1 :])
        kept.clear()


@pytest.mark.usefixtures("only_woken")
def test_one_that_gave_up_passes_the_word_on(heap: arenas.Heap) -> None:
    """Behind one whose time is up, the next in line is served."""
    with heap.pool(BYTES, "u1", 1) as pool:
        kept = [pool.get()]
        first = Waiter(pool, 0.02)
        second = Waiter(pool)
        assert isinstance(first.end().error, arenas.PoolTimeoutError)
        kept.clear()
        assert second.end().array is not None
        second.array = None


def end_pool(heap: arenas.Heap, pool: arenas.Pool) -> None:
    pool.close()


def end_heap(heap: arenas.Heap, pool: arenas.Pool) -> None:
    heap.close()


def reset_heap(heap: arenas.Heap, pool: arenas.Pool) -> None:
    heap.reset()


@pytest.mark.usefixtures("only_woken")
@pytest.mark.parametrize("end", [end_pool, end_heap, reset_heap])
def test_all_who_wait_learn_of_the_end(end: Callable[[arenas.Heap, arenas.Pool], None]) -> None:
    """Of the pool's, and of its heap's."""
    heap = arenas.Heap()
    pool = heap.pool(BYTES, "u1", 1)
    kept = [pool.get()]
    waiters = [Waiter(pool) for _ in range(3)]
    end(heap, pool)
    assert [type(waiter.end().error) for waiter in waiters] == [arenas.HeapClosedError] * 3
    kept.clear()
    heap.close()


def test_a_waiter_looks_by_itself(heap: arenas.Heap, monkeypatch: pytest.MonkeyPatch) -> None:
    """An end that sends no word is found all the same."""
    monkeypatch.setattr(arenas.line.Line, "wake", lambda _: None)
    with heap.pool(BYTES, "u1", 1) as pool:
        kept = [pool.get()]
        waiter = Waiter(pool)
        kept.clear()
        assert waiter.end().array is not None
        waiter.array = None


def test_a_waiter_has_garbage_collected(heap: arenas.Heap, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies in a cycle comes back although nobody allocates; but not for one that does not wait."""
    monkeypatch.setattr(arenas.line, "_RELIEF_SECONDS", 0.01)
    monkeypatch.setattr(arenas.ends, "_COLLECT_SECONDS", 0.0)
    gc.disable()
    try:
        with heap.pool(BYTES, "u1", 1) as pool:
            in_a_cycle(pool.get())
            with pytest.raises(arenas.PoolTimeoutError):
                pool.get(0)
            pool.get(PATIENCE_SECONDS)
    finally:
        gc.enable()


def test_what_one_thread_gets_and_another_drops(heap: arenas.Heap) -> None:
    """A producer that waits is served by its consumer, also where it must run itself to see its own objects go."""
    with heap.pool(BYTES, "u1", 2) as pool:
        handed: queue.SimpleQueue[Any] = queue.SimpleQueue()

        def produce() -> None:
            for number in range(100):
                array = pool.get(PATIENCE_SECONDS)
                array[:] = number
                handed.put(array)
                del array

        def consume() -> None:
            for number in range(100):
                array = handed.get(timeout=PATIENCE_SECONDS)
                assert (array == number).all()
                del array

        together(produce, consume)


@pytest.mark.usefixtures("only_woken")
def test_a_fork_forgets_who_waits(heap: arenas.Heap) -> None:
    """In the child nobody is ahead; in the parent all goes on."""
    with heap.pool(BYTES, "u1", 2) as pool:
        kept = [pool.get(), pool.get()]
        waiter = Waiter(pool)
        # Without the GIL a child cannot use what another thread was just using when it forked: each list and dict has
        # a lock inside. So let the waiter fall asleep.
        elsewhere(lambda: None)
        child = os.fork()
        if not child:
            signal.alarm(PATIENCE_SECONDS)
            kept.pop()
            pool.get(0)[:] = 1
            os._exit(0 if pool.free == 1 else 1)
        assert os.waitpid(child, 0)[1] == 0
        kept.clear()
        assert waiter.end().array is not None
        waiter.array = None


# Many threads


class Owner:
    """Knows who has which memory: no address may be in two hands."""

    def __init__(self) -> None:
        self.held: dict[int, int] = {}

    def take(self, array: Any, number: int) -> None:
        """It is filled with ``number``; nobody else has it."""
        assert self.held.setdefault(array.ctypes.data, number) == number, "an array was handed out twice"
        array[:] = number % 251

    def leave(self, kept: Any, number: int) -> None:
        """It is as it was filled."""
        array = np.frombuffer(kept, "u1")
        assert (array == number % 251).all(), "another has written into it"
        assert self.held.pop(array.ctypes.data) == number


@pytest.mark.usefixtures("fast_switching")
@pytest.mark.parametrize("seed", range(4))
def test_many_threads(heap: arenas.Heap, seed: int) -> None:
    """Threads get arrays, keep slices, hand them to each other, wait, give up: none is in two hands, none is lost."""
    pool = heap.pool(BYTES, "u1", 3)
    owner = Owner()
    mail: deque[tuple[Any, int]] = deque()
    numbers = itertools.count()
    served = [0] * 4

    def work(me: int) -> None:
        chance = random.Random(f"{seed} {me}")
        for _ in range(150):
            with suppress(arenas.PoolTimeoutError):
                array = pool.get(chance.choice([0, 0.001, None]))
                number = next(numbers)
                owner.take(array, number)
                served[me] += 1
                kept: Any = array[:] if chance.random() < 0.5 else array.data[:]
                del array
                if chance.random() < 0.3:
                    mail.append((kept, number))
                else:
                    owner.leave(kept, number)
                del kept
            read()  # before it waits: what is in the mail it could wait for in vain

    def read() -> None:
        with suppress(IndexError):
            while True:
                kept, number = mail.popleft()
                owner.leave(kept, number)
                del kept

    together(*(functools.partial(work, me) for me in range(4)))
    gc.collect()
    assert (pool.free, len(pool._line), owner.held) == (3, 0, {})
    assert sum(served) > 100
    heap.check()
    assert heap.stats().live_blocks == heap.stats().allocations == 3
    pool.close()


def test_many_pools_leave_nothing(heap: arenas.Heap) -> None:
    """A pool that is gone leaves neither memory nor a place where it would be told of the heap's end."""
    for _ in range(20):
        pool = heap.pool(BYTES, "u1", 2)
        kept = [pool.get()]
        elsewhere(kept.clear)
        line = weakref.ref(pool._line)
        del pool
        gc.collect()
        assert line() is None
    assert heap._waiters._lines == {}
