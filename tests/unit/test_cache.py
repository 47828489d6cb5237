"""A thread's own stock of ready spans: how it is filled and used, and what bounds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arenas.record import NEVER_KEPT, Held, Mover, Phase, Record
from tests.unit._cached import LEAST, ROOM, Thread

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def thread() -> Thread:
    return Thread()


# Taking and keeping


def test_what_was_kept_last_is_taken_first(thread: Thread) -> None:
    """Of each length by itself, so that memory still warm is used first."""
    small = [thread.kept(64) for _ in range(4)]
    large = [thread.kept(4096) for _ in range(3)]
    assert [thread.take(64) for _ in small] == small[::-1]
    assert [thread.take(4096) for _ in large] == large[::-1]
    assert thread.take(64) is thread.take(4096) is None


@pytest.mark.parametrize("size", [129, 150, 192])
def test_every_size_of_a_length_is_served(thread: Thread, size: int) -> None:
    record = thread.kept(192)
    assert thread.take(128) is thread.take(193) is None
    assert thread.take(size) is record


def test_what_is_in_it_is_carved_and_not_live(thread: Thread) -> None:
    """To everything that counts or looks; and it comes as if new, of ordinary terms."""
    record = thread.claimed(128, Held.DROPPED)
    assert thread.cache.keep(record)
    assert thread.arena.table.carved[record.position] is record
    assert (record.is_live, record.parked, record.state) == (False, False, "cached")
    stats = thread.arena.stats()
    assert (stats.cached_bytes, stats.live_blocks, stats.mailbox_bytes, stats.parked_bytes) == (128, 0, 0, 0)
    thread.arena.check()
    taken = thread.take(128)
    assert taken is record
    assert (taken.is_live, taken.parked, taken.state) == (True, False, "live")
    assert taken.phase is None
    assert taken.terms is thread.cache.terms
    assert taken.stock is thread.cache.stock(taken)
    thread.arena.check()


def test_what_can_be_taken_is_as_if_new(thread: Thread) -> None:
    """From its first moment in there: a handler may take it then."""
    ordinary, dropped = thread.claimed(64), thread.claimed(64, Held.DROPPED)
    stock = thread.cache.stock(ordinary)
    assert stock is not None
    seen = []

    class Watched(list[Record]):
        def append(self, record: Record) -> None:
            seen.append((record.terms is thread.cache.terms, record.stock is stock))
            super().append(record)

    stock.ready = Watched()
    assert thread.cache.keep(dropped)
    assert seen == [(True, True)]


# What it is bounded by


@pytest.mark.parametrize(("span", "kept"), [(64, 64), (LEAST, 64), (2 * LEAST, 32), (ROOM // 4, 4)])
def test_it_keeps_as_much_as_it_has_room_for(thread: Thread, span: int, kept: int) -> None:
    """A span counts for its length, a short one for 1 KiB: so both bytes and number are bounded."""
    answers = [thread.cache.keep(thread.claimed(span)) for _ in range(kept + 3)]
    assert answers == [True] * kept + [False] * 3
    assert thread.charge == ROOM


def test_what_was_taken_makes_room_again(thread: Thread) -> None:
    """However its memory comes back: a thread that itself never frees is served from its cache for ever."""
    thread.kept(4096)
    for _ in range(100):
        record = thread.take(4096)
        assert record is not None
        assert record.claim(record.serial)
        assert thread.cache.keep(record)
        record = thread.take(4096)
        assert record is not None
        assert record.claim(record.serial)
        thread.arena.mailbox.append(record)
        assert thread.cache.collect() == []


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["carve", "take", "free", "keep", "mail", "collect", "surplus", "empty"]),
            st.sampled_from([64, 128, 1024, 4096, 8192]),
        ),
        max_size=120,
    )
)
def test_it_never_holds_more_than_its_room(steps: list[tuple[str, int]]) -> None:
    """Whatever is done with it; of each length it is a stack; and nothing gets lost between it and the arena."""
    thread = Thread(room_bytes=32 << 10)
    live: list[Record] = []
    for verb, span in steps:
        if verb == "carve":
            live.append(thread.carve(span))
            live[-1].stock = thread.cache.stock(live[-1]) or thread.cache.unstocked
        elif verb == "take":
            newest = [record for record in thread.ready if record.span == span][-1:]
            record = thread.take(span)
            assert ([] if record is None else [record]) == newest
            live += newest
        elif verb == "collect":
            thread.give_back(thread.cache.collect())
            assert not thread.arena.mailbox
        elif verb == "surplus":
            thread.give_back(thread.cache.surplus())
        elif verb == "empty":
            thread.give_back(list(thread.cache.emptied()))
            assert thread.ready == []
        elif live:
            record = live.pop(span % len(live))
            if verb == "free":
                thread.free(record)
            else:
                assert record.claim(record.serial)
                if verb == "mail":
                    thread.arena.mailbox.append(record)
                elif not thread.cache.keep(record):
                    thread.give_back([record])
        assert thread.charge <= thread.cache.room_bytes
        mailed = list(thread.arena.mailbox)
        carved = {record.position for record in (*thread.ready, *live, *mailed)}
        assert len(carved) == len(thread.ready) + len(live) + len(mailed)
        assert thread.arena.table.carved.keys() == carved
    thread.arena.check()


# What does not suit it


def off_its_alignment(thread: Thread) -> Record:
    thread.claimed(64)
    record = thread.carve(128 - 16, alignment=16)  # pushes the next off
    record = thread.carve(128, alignment=16)
    assert record.position % 64
    record.claim(record.serial)
    return record


def of_no_multiple(thread: Thread) -> Record:
    return thread.claimed(100)


def from_a_scope(thread: Thread) -> Record:
    record = thread.claimed(128)
    record.stock = NEVER_KEPT
    return record


def too_long(thread: Thread) -> Record:
    return thread.claimed(ROOM // 4 + 64)


def awaited(thread: Thread) -> Record:
    thread.cache.await_memory(True)
    return thread.claimed(128)


def parked(thread: Thread) -> Record:
    record = thread.claimed(128)
    record.phase = Phase.PARKED
    return record


def being_resized(thread: Thread) -> Record:
    record = thread.claimed(128)
    record.phase = Mover(record.serial)
    return record


def one_too_many(thread: Thread) -> Record:
    for _ in range(4):
        thread.kept(ROOM // 4)
    return thread.claimed(128)


@pytest.mark.parametrize(
    "make",
    [off_its_alignment, of_no_multiple, from_a_scope, too_long, parked, being_resized, awaited, one_too_many],
    ids=lambda make: make.__name__,
)
def test_what_does_not_suit_is_refused(thread: Thread, make: Callable[[Thread], Record]) -> None:
    """And left as it was, for the arena to take back."""
    record = make(thread)
    before = (record.terms, record.stock, record.phase, record.serial)
    ready = thread.ready
    assert not thread.cache.keep(record)
    assert thread.ready == ready
    assert (record.terms, record.stock, record.phase, record.serial) == before
    assert thread.cache.dropped == 0
    thread.give_back([record])
    thread.arena.check()
    assert record.position not in thread.arena.table.carved


def test_a_record_comes_back_to_where_its_like_are_taken(thread: Thread) -> None:
    """An ordinary one to those of its length, one of other terms or another length to none of its own accord."""
    ordinary, odd, long = thread.carve(256), thread.carve(100), thread.carve(ROOM)
    stock = thread.cache.stock(ordinary)
    assert stock is not None
    assert (stock.cache, stock.span, stock.charge) == (thread.cache, 256, LEAST)
    assert stock.ready is thread.cache.bins[255 >> thread.cache.shift]
    assert thread.cache.stock(thread.carve(256)) is stock
    assert thread.cache.stock(odd) is thread.cache.stock(long) is None
    other = thread.carve(256, Held.ADDRESS)
    assert thread.cache.stock(other) is None
    # Of one bin, and yet not of its length: 128 * 2 - 1 and 100 * 2 are told apart.
    thread.carve(192)
    assert thread.cache.stock(thread.carve(200)) is None
    assert thread.cache.stock(thread.carve(255)) is None


# What others have freed


def test_collecting_empties_the_mailbox(thread: Thread) -> None:
    """In the order in which it was freed, so that the last of all is taken first."""
    records = thread.mailed(64, 64, 64)
    assert thread.cache.collect() == []
    assert not thread.arena.mailbox
    assert thread.cache.remote_frees == thread.arena.stats().remote_frees == 3
    assert [thread.take(64) for _ in records] == records[::-1]


def test_collecting_refuses_what_is_seen_and_what_is_too_much(thread: Thread) -> None:
    """It gives back both, for the arena to park the one and free the other."""
    record = thread.carve(128)
    view = record.view(100)
    assert record.claim(record.serial)
    mailed = thread.mailed(100, *[ROOM // 4] * 5, 64)
    thread.arena.mailbox.appendleft(record)
    refused = thread.cache.collect()
    assert refused == [record, mailed[0], *mailed[5:]]
    assert thread.ready == mailed[1:5]
    assert not thread.arena.mailbox
    assert thread.cache.remote_frees == 8
    thread.give_back(refused)
    assert thread.arena.table.parked == {record.serial: record}
    assert view is not None
    thread.arena.check()
