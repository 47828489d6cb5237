"""An arena a thread, and its cache: each has one, and no two have the same, however threads come and go."""

from __future__ import annotations

import contextlib
import gc
import threading
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from arenas import Heap
from arenas.routing import ByThread, make_routing
from tests.threads.points import Points
from tests.unit._fakes import AnnouncedLock, make_arena, make_arenas, make_cache
from tests.unit._threads import in_threads, numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from arenas.arena import Arena
    from arenas.cache import Cache
    from arenas.routing import Routing


class Arenas(list["Arena"]):
    """The list a manager keeps, and how often somebody walked through it."""

    walks = 0

    def __iter__(self) -> Iterator[Arena]:
        self.walks += 1
        return super().__iter__()

    def new(self) -> Arena:
        self.append(make_arena(len(self)))
        return self[-1]


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def arenas() -> Arenas:
    return Arenas()


@pytest.fixture
def by_thread(arenas: Arenas) -> ByThread:
    return ByThread(arenas, arenas.new, make_cache)


def test_a_thread_keeps_its_cache(by_thread: ByThread, arenas: Arenas) -> None:
    """And with it its arena; the short way leads to it too."""
    cache = by_thread.cache()
    assert by_thread.cache() is by_thread.here.cache is cache
    assert [arena.table.caches for arena in arenas] == [[cache]]
    assert not cache.ended
    assert cache.ident == threading.get_ident()


def test_threads_that_live_at_once_have_an_arena_each(by_thread: ByThread) -> None:
    """Also when some of them could adopt one that was left behind: no arena, and no cache, gets two threads."""
    in_threads(3, by_thread.cache)
    caches = in_threads(16, by_thread.cache)
    assert len(numbers(caches)) == len(set(caches)) == 16


def test_arenas_of_ended_threads_are_adopted(by_thread: ByThread, arenas: Arenas) -> None:
    """Generations of threads, each as many as the first, need no further arena; and none searches the list. Each comes
    with its cache, which is then the new thread's.
    """
    first = set(in_threads(4, by_thread.cache))
    assert all(cache.ended for cache in first)
    arenas.walks = 0
    for _ in range(5):
        adopted = in_threads(
            4, lambda: (by_thread.cache(), by_thread.cache().ended, by_thread.cache().ident == threading.get_ident())
        )
        assert {cache for cache, _, _ in adopted} == first
        assert {(ended, mine) for _, ended, mine in adopted} == {(False, True)}
    assert len(arenas) == 4
    assert arenas.walks == 0


def test_an_arena_taken_off_the_queue_for_nobody_is_found(by_thread: ByThread, arenas: Arenas) -> None:
    """An adoption was interrupted there: the next new thread gets the arena."""
    (cache,) = in_threads(1, by_thread.cache)
    by_thread._adoption._idle.clear()
    assert in_threads(1, by_thread.cache) == [cache]
    assert len(arenas) == 1


def test_word_of_an_end_that_comes_late_takes_nothing_away(by_thread: ByThread) -> None:
    """A cache's thread has ended, and before that is said the cache is found and adopted: it stays its new thread's."""
    (cache,) = in_threads(1, by_thread.cache)
    word = by_thread._adoption._idle.pop()
    assert by_thread.cache() is cache
    by_thread._adoption._idle.append(word)
    (other,) = in_threads(1, by_thread.cache)
    assert other is not cache
    assert cache.owner() is by_thread.here.state


@pytest.mark.parametrize("spec", ["thread", 1])
@pytest.mark.parametrize("goes_on", [True, False])
@pytest.mark.parametrize("idle", [0, 1])
def test_an_adoption_interrupted_anywhere_loses_nothing(
    spec: str | int, idle: int, goes_on: bool, no_collector: None
) -> None:
    """Whether the thread tries again or ends: two threads that live at once then have a cache each, and two are all
    that there are; no arena was left to nobody either. (A collection would be interrupted too.)
    """

    def interrupt() -> None:
        raise KeyboardInterrupt

    index, reached = -1, True
    while reached:
        index += 1
        heap = Heap(arenas=spec)
        routing = heap._manager.routing
        if idle:
            in_threads(1, routing.cache)

        def interrupted(routing: Routing = routing, index: int = index) -> bool:
            points = Points(index, interrupt)
            with contextlib.suppress(KeyboardInterrupt):
                points.run(routing.cache)
            if goes_on:
                assert routing.cache() is routing.cache()
                # Another comes while this one lives.
                assert in_threads(1, routing.cache) != [routing.cache()]
            return points.reached

        (reached,) = in_threads(1, interrupted)
        pair = in_threads(2, routing.cache)
        assert len(set(pair)) == 2
        assert {cache for arena in heap._manager.arenas for cache in arena.table.caches} == set(pair)
        assert len(heap._manager.arenas) == (2 if spec == "thread" else 1)
    assert index > 10


def test_a_thread_in_the_middle_of_adoption_is_not_overtaken(arenas: Arenas) -> None:
    """A cache just made is nobody's for a moment; a second new thread waits until it has its owner."""
    caches: dict[str, Cache] = {}
    lock = AnnouncedLock(threading.RLock())

    def new(arena: Arena, owner: weakref.ref[Any]) -> Cache:
        cache = make_cache(arena, weakref.ref(set()))  # nobody's: as if its owner had ended
        if not second.ident:
            lock.wanted.clear()
            second.start()
            # The second either waits for the lock, or (were there none) is done.
            while second.is_alive() and not lock.wanted.wait(0.01):
                pass
        return cache

    routing = ByThread(arenas, arenas.new, new)
    routing._adoption.lock = lock  # type: ignore[assignment]
    second = threading.Thread(target=lambda: caches.update(second=routing.cache()))
    caches["first"] = routing.cache()
    second.join()
    assert caches["first"] is not caches["second"]
    assert caches["first"].owner() is not None


def test_large_blocks_arena_is_never_adopted(by_thread: ByThread, arenas: Arenas) -> None:
    """It is shared by the whole heap, ownerless for ever: no thread gets a cache in front of it."""
    arenas.new().shared = True
    assert by_thread.cache().arena_number != 0
    with Heap() as heap:
        large = heap.alloc(4 << 20).arena
        assert large not in {heap.alloc(100).arena, *in_threads(3, lambda: heap.alloc(100).arena)}
        assert heap._manager.arena_at[large].shared
        assert heap._manager.arena_at[large].table.caches == []


def test_an_arena_made_for_nobody_is_the_next_threads() -> None:
    """As one made in an emergency: it is there, and no thread has it."""
    with Heap() as heap:
        arena = heap._manager._new_arena()
        assert numbers(in_threads(1, heap._manager.routing.cache)) == {arena.number}


def test_an_owner_enters_its_arena_whatever_the_lock(by_thread: ByThread, arenas: Arenas) -> None:
    arena = arenas[by_thread.cache().arena_number]
    assert by_thread.may_enter(arena)
    with arena.lock:
        assert by_thread.may_enter(arena)


def test_strangers_stay_out_while_the_owner_lives(by_thread: ByThread, arenas: Arenas) -> None:
    """Whether or not the stranger has an arena of its own."""
    arena = arenas[by_thread.cache().arena_number]
    assert in_threads(1, lambda: by_thread.may_enter(arena)) == [False]
    assert in_threads(1, lambda: (by_thread.cache(), by_thread.may_enter(arena))[1]) == [False]


def test_anyone_enters_an_ownerless_arena_whose_lock_is_free(by_thread: ByThread, arenas: Arenas) -> None:
    (cache,) = in_threads(1, by_thread.cache)
    arena = arenas[cache.arena_number]
    assert by_thread.may_enter(arena)
    with arena.lock:
        assert not by_thread.may_enter(arena)


@pytest.mark.parametrize("spec", ["thread", 2])
def test_a_thread_that_ends_leaves_nothing_to_the_collector(spec: str | int, no_collector: None) -> None:
    """Its cache is known to be free at once, not when garbage is collected."""
    arenas = make_arenas(2)
    routing = make_routing(spec, arenas, lambda: arenas[0], make_cache)
    (cache,) = in_threads(1, routing.cache)
    assert cache.ended
