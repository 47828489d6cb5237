"""What leaves a thread's cache again: surplus, what lies idle, and everything when memory is short."""

from __future__ import annotations

import weakref
from typing import Any, SupportsIndex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arenas.decay import Decay
from arenas.record import Record
from arenas.region import ALL_MARKS
from tests.unit._cached import LEAST, ROOM, Nobody, Thread
from tests.unit._fakes import make_cache


@pytest.fixture
def thread() -> Thread:
    return Thread()


class Emptied(list[Record]):
    """A list that somebody else empties after it was looked at, and before anything is taken from it."""

    def pop(self, index: SupportsIndex = -1) -> Record:
        self.clear()
        return super().pop(index)


# Giving back


@pytest.mark.parametrize("number", [1, 2, 7, 8])
def test_too_much_is_the_oldest_half(number: int) -> None:
    """Of each length; what is left is still taken in the order of its warmth."""
    thread = Thread(room_bytes=4 * LEAST)
    thread.cache.room = ROOM  # as if its thread had not looked up for long
    short = [thread.kept(64) for _ in range(number)]
    long = [thread.kept(LEAST) for _ in range(4)]
    half = (number + 1) // 2
    assert thread.cache.surplus() == [*short[:half], *long[:2]]
    assert [thread.take(64) for _ in short[half:]] == short[half:][::-1]
    assert [thread.take(LEAST) for _ in long[2:]] == long[2:][::-1]


def test_what_was_taken_meanwhile_is_no_surplus(thread: Thread) -> None:
    """A full count of room used is no proof: it is counted anew, and there is room again."""
    for _ in range(48):
        thread.kept(LEAST)
    thread.cache.room = -1
    assert thread.cache.surplus() == []
    assert thread.cache.room == ROOM - 48 * LEAST


def test_what_is_emptied_meanwhile_is_no_surplus(thread: Thread) -> None:
    """Between two of its own thread's steps another may take all."""

    for _ in range(64):
        thread.kept(64)
    (stock,) = thread.cache.stocks()
    stock.ready = Emptied(stock.ready)
    assert thread.cache.surplus() == []


def test_emptied_by_two_at_once_is_nobody_s_twice(thread: Thread) -> None:
    """Who comes second finds nothing."""
    thread.kept(64)
    (stock,) = thread.cache.stocks()
    stock.ready = Emptied(stock.ready)
    assert list(thread.cache.emptied()) == []


def test_a_surplus_makes_room(thread: Thread) -> None:
    """After half has gone the room is what is left of it, and keeping goes on."""
    records = [thread.kept(ROOM // 4) for _ in range(4)]
    assert thread.cache.surplus() == records[:2]
    assert thread.cache.room == ROOM // 2
    assert thread.cache.keep(thread.claimed(ROOM // 4))


def test_emptied_is_everything(thread: Thread) -> None:
    """Each is out of the cache when it is given, and its room is free after."""
    records = {thread.kept(span) for span in (64, 64, 4096, ROOM // 4)}
    found = set()
    for record in thread.cache.emptied():
        assert record not in thread.ready
        found.add(record)
    assert found == records
    assert (thread.ready, thread.cache.room) == ([], ROOM)
    assert list(thread.cache.emptied()) == []


def test_emptying_that_is_broken_off_loses_nothing(thread: Thread) -> None:
    records = {thread.kept(64) for _ in range(5)}
    first = next(thread.cache.emptied())
    assert {first, *thread.ready} == records
    assert len(thread.ready) == 4


def test_while_memory_is_awaited_nothing_stays(thread: Thread) -> None:
    """Its thread looks up at its next free, and gives back all there is; after it keeps again."""
    records = [thread.kept(64) for _ in range(4)]
    last = thread.kept(64)
    assert thread.take(64) is last
    thread.cache.await_memory(True)
    assert last.claim(last.serial)
    last.stock.ready.append(last)
    thread.cache.room -= last.stock.charge
    assert thread.cache.room < thread.cache.least_room
    assert set(thread.cache.emptied()) == {*records, last}
    # Every free looks up.
    assert thread.cache.room == ROOM < thread.cache.least_room
    assert not thread.cache.keep(thread.claimed(64))
    thread.cache.await_memory(False)
    assert thread.cache.room == ROOM > thread.cache.least_room
    assert thread.cache.keep(thread.claimed(64))


def test_no_longer_awaited_is_no_news_to_one_that_did_not_know(thread: Thread) -> None:
    thread.kept(64)
    room = thread.cache.room
    thread.cache.await_memory(False)
    assert thread.cache.room == room == ROOM - LEAST


# What lies idle


def test_idle_is_what_has_lain_since_an_expired_generation(thread: Thread) -> None:
    """Only that: what came in a later one stays until its own has expired."""
    first = [thread.kept(64), thread.kept(4096)]
    assert thread.cache.idle(b"", 2) == []
    second = [thread.kept(64), thread.kept(4096)]
    assert thread.cache.idle(b"", 3) == []
    third = thread.kept(64)
    assert thread.cache.idle(bytes([1]), 4) == first
    assert set(thread.ready) == {*second, third}
    assert thread.cache.idle(bytes([1]), 5) == []
    assert thread.cache.idle(bytes([1, 2]), 6) == second
    assert thread.cache.idle(bytes([1, 2]), 7) == []
    assert thread.ready == [third]
    assert thread.cache.idle(ALL_MARKS, 8) == [third]


def test_what_was_taken_and_put_back_is_not_idle(thread: Thread) -> None:
    """Though it lies where it lay before: it was used meanwhile."""
    lying, used = thread.kept(64), thread.kept(64)
    thread.cache.idle(b"", 2)
    assert thread.take(64) is used
    assert used.claim(used.serial)
    assert thread.cache.keep(used)
    assert thread.cache.idle(bytes([1]), 3) == [lying]
    assert thread.ready == [used]
    assert thread.cache.idle(bytes([1, 2]), 4) == [used]


def test_a_first_look_at_a_new_cache_knows_when_it_began() -> None:
    """Not at generation 1: what lies in it has not lain there longer than it exists."""
    thread = Thread()
    thread.arena.table.generation = 9
    state = Nobody()
    cache = make_cache(thread.arena, weakref.ref(state))
    record = thread.claimed(64)
    assert cache.keep(record)
    assert cache.idle(bytes(range(1, 9)), 10) == []
    assert cache.idle(bytes(range(1, 10)), 11) == [record]


def test_what_is_taken_during_the_look_is_not_found(thread: Thread) -> None:
    """Its thread takes without a lock, at any time."""
    records = [thread.kept(64) for _ in range(3)]
    (stock,) = thread.cache.stocks()

    class Racing(list[Record]):
        raced = False

        def pop(self, *_: Any) -> Record:
            if not self.raced:
                self.raced = True
                super().pop()
            return super().pop()

    stock.ready = Racing(stock.ready)
    assert thread.cache.idle(ALL_MARKS, 2) == records[:2]
    assert stock.ready == []


@given(
    moves=st.lists(
        st.tuples(st.sampled_from([0, 1, 1, 1, 2, 7, 8, 9, 255]), st.sampled_from(["put", "use", "take", "look"])),
        max_size=60,
    )
)
def test_idle_spans_go_within_an_eighth_before_they_are_due(moves: list[tuple[int, str]]) -> None:
    """Against plain timestamps, whatever the pauses: at a look, all that was last used `seconds` ago, and nothing that
    was used within 7/8 of that.
    """
    seconds = 8.0
    thread, decay, now = Thread(), Decay(seconds), 1000.0
    decay.expired(now)
    thread.arena.table.generation = thread.cache._looked = decay.generation
    used: dict[Record, float] = {}  # what lies in the cache, and since when
    for pause, verb in moves:
        now += pause
        expired = decay.expired(now)
        if expired is not None:
            found = thread.cache.idle(expired, decay.generation)
            assert set(found) >= {record for record, when in used.items() if now - when >= seconds}
            for record in found:
                assert now - used.pop(record) > seconds * 7 / 8
            thread.give_back(found)
        if verb == "put" and len(used) < 20:
            record = thread.claimed(64)
            assert thread.cache.keep(record)
            used[record] = now
        elif verb in {"use", "take"} and used:
            taken = thread.take(64)
            assert taken is not None
            del used[taken]
            assert taken.claim(taken.serial)
            if verb == "use":
                thread.cache.room += LEAST
                assert thread.cache.keep(taken)
                used[taken] = now
            else:
                thread.give_back([taken])
        assert set(thread.ready) == used.keys()
