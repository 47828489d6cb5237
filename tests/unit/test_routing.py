"""Which arena a thread uses, and through which cache: arenas that are shared, and what all rules have in common."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from arenas import InvalidRequestError, system
from arenas.routing import ByCpu, ByThread, Shared, arena_count, make_routing
from tests.unit._fakes import make_arena, make_arenas, make_cache
from tests.unit._threads import in_threads, numbers

# A fixed number of arenas


def test_shared_arenas_are_spread_evenly_and_kept() -> None:
    """Twelve threads on four arenas: three each, each with a cache of its own, and each thread stays where it is."""
    routing = Shared(make_arenas(4), 4, make_cache)
    caches = in_threads(12, lambda: [routing.cache() for _ in range(5)])
    assert sorted(mine[0].arena_number for mine in caches) == sorted([0, 1, 2, 3] * 3)
    assert all(len(set(mine)) == 1 for mine in caches)
    assert len({mine[0] for mine in caches}) == 12


def test_shared_arenas_caches_are_adopted() -> None:
    """Threads come and go: there are never more caches than threads at once, and each is in front of one arena."""
    arenas = make_arenas(2)
    routing = Shared(arenas, 2, make_cache)
    first = set(in_threads(4, routing.cache))
    for _ in range(5):
        caches = in_threads(4, lambda: (routing.cache(), routing.cache().ident == threading.get_ident()))
        assert {cache for cache, _ in caches} == first
        assert all(mine for _, mine in caches)
    assert [len(arena.table.caches) for arena in arenas] == [2, 2]
    assert all(cache.arena_number == arena.number for arena in arenas for cache in arena.table.caches)


def test_a_taken_arena_is_avoided() -> None:
    """The next whose lock is free serves instead, from then on; when all are taken, one's own is worth waiting for. In
    front of each the thread has one cache.
    """
    arenas = make_arenas(3)
    routing = Shared(arenas, 3, make_cache)
    first = routing.cache()
    assert first.arena_number == 0
    with arenas[0].lock:
        second = routing.cache()
        assert second.arena_number == 1
        assert routing.here.cache is second
        assert not routing.may_enter(arenas[0])
        assert routing.may_enter(arenas[1])
        with arenas[1].lock:
            third = routing.cache()
            assert third.arena_number == 2
            with arenas[2].lock:
                assert routing.cache() is third
    assert routing.cache() is routing.here.cache is third
    with arenas[2].lock:
        assert routing.cache() is routing.here.cache is first
    assert [len(arena.table.caches) for arena in arenas] == [1, 1, 1]


def test_taken_arenas_are_counted_as_contended() -> None:
    """So that statistics tell of it; free ones are not."""
    arenas = make_arenas(2)
    routing = Shared(arenas, 2, make_cache)
    routing.cache()
    assert [arena.table.contended for arena in arenas] == [0, 0]
    with arenas[0].lock:
        routing.cache()
    assert [arena.table.contended for arena in arenas] == [1, 0]


def test_arenas_beyond_the_count_are_not_shared() -> None:
    """Emergency arenas and that of large blocks are appended to the same list."""
    routing = Shared(make_arenas(5), 2, make_cache)
    assert numbers(in_threads(8, routing.cache)) == {0, 1}


# An arena a CPU


def test_the_cpu_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its place among the usable ones, looked up at every call: threads move. On each the thread has one cache."""
    arenas = make_arenas(3)
    routing = ByCpu(arenas, (2, 5, 11), make_cache)
    for cpu, number in ((5, 1), (2, 0), (11, 2), (5, 1)):
        monkeypatch.setattr(system, "current_cpu", lambda cpu=cpu: cpu)
        assert routing.cache().arena_number == number
        assert routing.here.cache.arena_number == number
    assert [len(arena.table.caches) for arena in arenas] == [1, 1, 1]


def test_a_cpu_that_was_not_usable_has_an_arena_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process may be moved while it runs; the same CPU then always means the same arena."""
    routing = ByCpu(make_arenas(3), (2, 5, 11), make_cache)
    found = set()
    for cpu in range(100, 106):
        monkeypatch.setattr(system, "current_cpu", lambda cpu=cpu: cpu)
        assert routing.cache() is routing.cache()
        found.add(routing.cache().arena_number)
    assert found == {0, 1, 2}


def test_a_taken_cpu_arena_is_avoided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "current_cpu", lambda: 5)
    arenas = make_arenas(2)
    routing = ByCpu(arenas, (2, 5), make_cache)
    with arenas[1].lock:
        assert routing.cache().arena_number == 0
    assert routing.cache().arena_number == 1


def test_without_a_cpu_number_threads_are_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "current_cpu", None)
    routing = ByCpu(make_arenas(2), (0, 1), make_cache)
    caches = in_threads(6, lambda: [routing.cache() for _ in range(5)])
    assert sorted(mine[0].arena_number for mine in caches) == [0, 0, 0, 1, 1, 1]
    assert all(len(set(mine)) == 1 for mine in caches)


# All rules


@pytest.mark.parametrize("spec", ["thread", "cpu", 3])
def test_a_fork_renews_the_locks_that_nobody_holds_for_it(spec: str | int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every lock is told of; of those not held over the fork, who had them may be gone."""
    monkeypatch.setattr(system, "usable_cpus", lambda: (3, 4, 9))
    arenas = make_arenas(3)
    routing = make_routing(spec, arenas, lambda: arenas[0], make_cache)
    before = routing.locks
    assert len(before) == (1 if spec == "thread" else 3)
    routing.renew_locks({id(before[0])})
    assert routing.locks[0] is before[0]
    assert not set(map(id, routing.locks[1:])) & set(map(id, before))
    routing.renew_locks(set())
    assert routing.locks[0] is not before[0]
    assert all(cache.arena_number in range(3) for cache in in_threads(2, routing.cache))


def test_the_rule_is_named_by_the_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "usable_cpus", lambda: (3, 4, 9))
    assert [arena_count(spec, growable=True) for spec in ("thread", "cpu", 7)] == [0, 3, 7]
    assert isinstance(make_routing("thread", [], lambda: make_arena(0), make_cache), ByThread)
    assert isinstance(make_routing("cpu", make_arenas(3), lambda: make_arena(0), make_cache), ByCpu)
    assert type(make_routing(2, make_arenas(2), lambda: make_arena(0), make_cache)) is Shared


@pytest.mark.parametrize("spec", ["process", "", 0, -1, True, 1.5, None, b"cpu"])
def test_other_options_are_refused_by_name(spec: Any) -> None:
    with pytest.raises(InvalidRequestError, match="arenas must be"):
        arena_count(spec, growable=True)


def test_one_region_cannot_serve_an_arena_a_thread() -> None:
    with pytest.raises(InvalidRequestError, match="can map more regions"):
        arena_count("thread", growable=False)
    assert arena_count(3, growable=False) == 3
