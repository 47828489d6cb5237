"""Which arena a thread uses."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from arenas import InvalidRequestError, system
from arenas.routing import ByCpu, ByThread, Shared, arena_count, make_routing
from tests.unit._fakes import AnnouncedLock, make_arena, make_arenas

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from arenas.arena import Arena


def in_threads(count: int, function: Callable[[], Any]) -> list[Any]:
    """What the function returns in each of so many threads, all alive until every one has its answer."""
    barrier = threading.Barrier(count)
    answers: list[Any] = []

    def run() -> None:
        barrier.wait()
        answers.append(function())
        barrier.wait()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == count
    return answers


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
def arenas() -> Arenas:
    return Arenas()


@pytest.fixture
def by_thread(arenas: Arenas) -> ByThread:
    return ByThread(arenas, arenas.new)


def test_a_thread_keeps_its_arena(by_thread: ByThread, arenas: Arenas) -> None:
    assert by_thread.home() is by_thread.home()
    assert len(arenas) == 1


def test_threads_that_live_at_once_have_an_arena_each(by_thread: ByThread) -> None:
    """Also when some of them could adopt one that was left behind: no arena gets two owners."""
    in_threads(3, by_thread.home)
    homes = in_threads(16, by_thread.home)
    assert len({arena.number for arena in homes}) == 16


def test_arenas_of_ended_threads_are_adopted(by_thread: ByThread, arenas: Arenas) -> None:
    """Generations of threads, each as many as the first, need no further arena; and none searches the list."""
    first = {arena.number for arena in in_threads(4, by_thread.home)}
    arenas.walks = 0
    for _ in range(5):
        assert {arena.number for arena in in_threads(4, by_thread.home)} == first
    assert len(arenas) == 4
    assert arenas.walks == 0


def test_an_arena_lost_by_an_interrupted_adoption_is_found(by_thread: ByThread, arenas: Arenas) -> None:
    """Taken off the queue of idle ones, or newly made, but given to nobody: the next new thread gets it."""
    in_threads(1, by_thread.home)
    by_thread._idle.clear()
    assert in_threads(1, by_thread.home) == [arenas[0]]
    arenas.new()
    assert {arena.number for arena in in_threads(2, by_thread.home)} == {0, 1}


def test_a_thread_in_the_middle_of_adoption_is_not_overtaken(arenas: Arenas) -> None:
    """An arena just made is ownerless for a moment; a second new thread waits until it has its owner."""
    homes: dict[str, Arena] = {}
    lock = AnnouncedLock(threading.RLock())

    def new() -> Arena:
        arena = arenas.new()
        if not second.ident:
            lock.wanted.clear()
            second.start()
            # The second either waits for the lock, or (were there none) is done.
            while second.is_alive() and not lock.wanted.wait(0.01):
                pass
        return arena

    routing = ByThread(arenas, new)
    routing.lock = lock  # type: ignore[assignment]
    second = threading.Thread(target=lambda: homes.update(second=routing.home()))
    homes["first"] = routing.home()
    second.join()
    assert homes["first"] is not homes["second"]


def test_large_blocks_arena_is_never_adopted(by_thread: ByThread, arenas: Arenas) -> None:
    """It is shared by the whole heap, ownerless for ever."""
    arenas.new().shared = True
    assert by_thread.home() is not arenas[0]


def test_an_owner_enters_its_arena_whatever_the_lock(by_thread: ByThread) -> None:
    arena = by_thread.home()
    assert by_thread.may_enter(arena)
    with arena.lock:
        assert by_thread.may_enter(arena)


def test_strangers_stay_out_while_the_owner_lives(by_thread: ByThread) -> None:
    """Whether or not the stranger has an arena of its own."""
    arena = by_thread.home()
    assert in_threads(1, lambda: by_thread.may_enter(arena)) == [False]
    assert in_threads(1, lambda: (by_thread.home(), by_thread.may_enter(arena))[1]) == [False]


def test_anyone_enters_an_ownerless_arena_whose_lock_is_free(by_thread: ByThread) -> None:
    (arena,) = in_threads(1, by_thread.home)
    assert by_thread.may_enter(arena)
    with arena.lock:
        assert not by_thread.may_enter(arena)


def test_shared_arenas_are_spread_evenly_and_kept() -> None:
    """Twelve threads on four arenas: three each, and each thread stays where it is."""
    routing = Shared(make_arenas(4), 4)
    homes = in_threads(12, lambda: [routing.home().number for _ in range(5)])
    assert sorted(home[0] for home in homes) == sorted([0, 1, 2, 3] * 3)
    assert all(len(set(home)) == 1 for home in homes)


def test_a_taken_arena_is_avoided() -> None:
    """The next whose lock is free serves instead; when all are taken, one's own is worth waiting for."""
    arenas = make_arenas(3)
    routing = Shared(arenas, 3)
    assert routing.home() is arenas[0]
    with arenas[0].lock:
        assert routing.home() is arenas[1]
        assert not routing.may_enter(arenas[0])
        assert routing.may_enter(arenas[1])
        with arenas[1].lock:
            assert routing.home() is arenas[2]
            with arenas[2].lock:
                assert routing.home() is arenas[0]
    assert routing.home() is arenas[0]


def test_arenas_beyond_the_count_are_not_shared() -> None:
    """Emergency arenas and that of large blocks are appended to the same list."""
    routing = Shared(make_arenas(5), 2)
    assert {arena.number for arena in in_threads(8, routing.home)} == {0, 1}


def test_the_cpu_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its place among the usable ones, looked up at every call: threads move."""
    arenas = make_arenas(3)
    routing = ByCpu(arenas, (2, 5, 11))
    for cpu, number in ((5, 1), (2, 0), (11, 2), (5, 1)):
        monkeypatch.setattr(system, "current_cpu", lambda cpu=cpu: cpu)
        assert routing.home() is arenas[number]


def test_a_cpu_that_was_not_usable_has_an_arena_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process may be moved while it runs; the same CPU then always means the same arena."""
    routing = ByCpu(make_arenas(3), (2, 5, 11))
    homes = set()
    for cpu in range(100, 106):
        monkeypatch.setattr(system, "current_cpu", lambda cpu=cpu: cpu)
        assert routing.home() is routing.home()
        homes.add(routing.home().number)
    assert homes == {0, 1, 2}


def test_a_taken_cpu_arena_is_avoided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "current_cpu", lambda: 5)
    arenas = make_arenas(2)
    routing = ByCpu(arenas, (2, 5))
    with arenas[1].lock:
        assert routing.home() is arenas[0]


def test_without_a_cpu_number_threads_are_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "current_cpu", None)
    routing = ByCpu(make_arenas(2), (0, 1))
    homes = in_threads(6, lambda: [routing.home().number for _ in range(5)])
    assert sorted(home[0] for home in homes) == [0, 0, 0, 1, 1, 1]
    assert all(len(set(home)) == 1 for home in homes)


def test_the_rule_is_named_by_the_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "usable_cpus", lambda: (3, 4, 9))
    assert [arena_count(spec, growable=True) for spec in ("thread", "cpu", 7)] == [0, 3, 7]
    assert isinstance(make_routing("thread", [], lambda: make_arena(0)), ByThread)
    assert isinstance(make_routing("cpu", make_arenas(3), lambda: make_arena(0)), ByCpu)
    assert type(make_routing(2, make_arenas(2), lambda: make_arena(0))) is Shared


@pytest.mark.parametrize("spec", ["process", "", 0, -1, True, 1.5, None, b"cpu"])
def test_other_options_are_refused_by_name(spec: Any) -> None:
    with pytest.raises(InvalidRequestError, match="arenas must be"):
        arena_count(spec, growable=True)


def test_one_region_cannot_serve_an_arena_a_thread() -> None:
    with pytest.raises(InvalidRequestError, match="can map more regions"):
        arena_count("thread", growable=False)
    assert arena_count(3, growable=False) == 3
