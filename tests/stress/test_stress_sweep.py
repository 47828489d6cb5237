"""The interval sweep finds every overlap in time and none that is none, however late each client's journal is."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from _package import module
from hypothesis import given, settings
from hypothesis import strategies as st

sweep = module("sweep")
BIRTH, DEATH, NEVER = sweep.BIRTH, sweep.DEATH, sweep.NEVER

# A block: when it was born and how long it lived, where, how long, in whose journals birth and death are.
BLOCKS = st.lists(
    st.tuples(
        st.integers(0, 30), st.integers(0, 30), st.integers(0, 20), st.integers(0, 6), st.integers(0, 2),
        st.integers(0, 2),
    ),
    max_size=12,
)  # fmt: skip


def overlapping(blocks: list[Any]) -> set[frozenset[str]]:
    """The oracle: each pair compared. At one and the same time, deaths come first; and no time is no life."""
    found = set()
    for (one, a), (other, b) in itertools.combinations(enumerate(blocks), 2):
        together = a[1] and b[1] and a[0] < b[0] + b[1] and b[0] < a[0] + a[1]
        touching = a[2] < b[2] + max(b[3], 1) and b[2] < a[2] + max(a[3], 1)
        if together and touching:
            found.add(frozenset((f"b{one}", f"b{other}")))
    return found


def entries(blocks: list[Any]) -> list[tuple[int, Any]]:
    """What is written in which journal, in order of time."""
    written = []
    for number, (born, lived, address, size, first, second) in enumerate(blocks):
        written.append((first, (born, BIRTH, address, size, f"b{number}")))
        written.append((second, (born + lived, DEATH, address, size, f"b{number}")))
    return sorted(written, key=lambda pair: pair[1])


@settings(max_examples=300, deadline=None)
@given(BLOCKS, st.randoms(use_true_random=False))
def test_overlaps_are_found_as_by_comparing_each_pair(blocks: list[Any], chance: Any) -> None:
    """Whatever the moments at which it looks: what a journal may still be given holds it back."""
    expected = overlapping(blocks)
    reports: list[str] = []
    judge = sweep.Sweep(reports.append)
    journals = [judge.journal() for _ in range(3)]
    for journal in journals:
        journal.at_least = 0
    left = [[entry for whose, entry in entries(blocks) if whose == number] for number in range(3)]
    while any(left):
        number = chance.choice([number for number in range(3) if left[number]])  # each thread at its own pace
        entry = left[number].pop(0)
        journals[number].entries.append(entry)
        journals[number].at_least = entry[0]
        judge.advance()
    for journal in journals:
        journal.close()
    judge.finish()
    named = {
        frozenset(word for word in report.split() if word.startswith("b") and word[1:].isdigit()) for report in reports
    }
    assert named <= expected
    assert bool(named) == bool(expected)


class Clock:
    """Instead of the system's."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0
        monkeypatch.setattr(sweep.time, "monotonic_ns", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_an_open_journal_holds_it_back(clock: Clock) -> None:
    """A death that one thread has not yet written down makes a birth in another's journal no overlap."""
    reports: list[str] = []
    judge = sweep.Sweep(reports.append)
    mine, theirs = judge.journal(), judge.journal()
    clock.now = 10
    mine.open()
    theirs.open()
    mine.entries.append((11, BIRTH, 100, 50, "first"))
    theirs.entries.append((30, BIRTH, 120, 50, "second"))
    theirs.at_least = 30
    mine.at_least = 11
    clock.now = 40
    judge.advance()
    assert reports == []
    assert len(theirs.entries) == 1  # not taken: mine may still write what happened before
    mine.entries.append((20, DEATH, 100, 50, "first"))
    mine.at_least = 20
    mine.close()
    theirs.close()
    judge.advance()
    assert reports == []
    assert not mine.entries
    assert not theirs.entries


def test_a_journal_opened_late_has_nothing_older_to_say(clock: Clock) -> None:
    """It was closed, and held nobody back; from when it is opened it does."""
    judge = sweep.Sweep(pytest.fail)
    early, late = judge.journal(), judge.journal()
    clock.now = 10
    early.open()
    early.entries.append((20, BIRTH, 100, 10, "a"))
    early.close()
    clock.now = 25
    judge.advance()
    assert not early.entries
    late.open()
    early.entries.append((30, DEATH, 100, 10, "a"))
    clock.now = 50
    judge.advance()
    assert len(early.entries) == 1  # late, open since 25, may still write something of 26
    late.entries.append((26, BIRTH, 200, 10, "b"))
    late.close()
    judge.advance()
    assert not early.entries


def test_what_opens_while_it_looks_is_waited_for(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is read before the journals: one that opens in between opens later than that."""
    reports: list[str] = []
    judge = sweep.Sweep(reports.append)
    busy, opener = judge.journal(), judge.journal()
    times = iter([100, 105, 200])
    monkeypatch.setattr(sweep.time, "monotonic_ns", lambda: next(times))
    busy.entries.append((50, BIRTH, 0, 10, "old"))
    busy.entries.append((150, BIRTH, 100, 10, "new"))

    class OpensWhenLookedAt(list[Any]):
        def __iter__(self) -> Any:
            opener.open()  # at 105
            return super().__iter__()

    judge._journals = OpensWhenLookedAt(judge._journals)
    judge.advance()
    assert [entry[0] for entry in busy.entries] == [150]


def test_the_clock_is_read_under_protection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between reading the clock and saying so a sweep must not pass: it is held back altogether meanwhile."""
    journal = sweep.Sweep(pytest.fail).journal()
    assert journal.at_least == NEVER
    seen = []

    def read() -> int:
        seen.append(journal.at_least)
        return 77

    monkeypatch.setattr(sweep.time, "monotonic_ns", read)
    journal.open()
    assert seen == [0]
    assert journal.at_least == 77


def test_an_overlap_is_told_with_names_and_places() -> None:
    reports: list[str] = []
    judge = sweep.Sweep(reports.append)
    journal = judge.journal()
    journal.entries.extend([(1, BIRTH, 0x1000, 256, "0.1"), (2, BIRTH, 0x10FF, 16, "1.7")])
    judge.finish()
    assert reports == ["block 1.7 of 16 bytes at 0x10ff overlaps block 0.1 of 256 bytes at 0x1000, both live"]


def test_a_death_of_another_block_at_the_address_ends_nothing() -> None:
    """Two blocks at one address: the first one's death must not hide the second from a third."""
    reports: list[str] = []
    judge = sweep.Sweep(reports.append)
    judge.journal().entries.extend(
        [(1, BIRTH, 0, 8, "a"), (2, BIRTH, 0, 8, "b"), (3, DEATH, 0, 8, "a"), (4, BIRTH, 4, 8, "c")]
    )
    judge.finish()
    assert len(reports) == 2
    assert "block c" in reports[1]
    assert "block b" in reports[1]


@pytest.mark.parametrize(
    "lives",
    [
        pytest.param([(5, 5, 64)], id="born and dead"),
        pytest.param([(5, 5, 64), (5, 5, 16), (5, 7, 32)], id="resized where it was, and freed later"),
        pytest.param([(1, 5, 64), (5, 5, 16), (5, 5, 16), (5, 5, 80)], id="older, resized, and freed"),
    ],
)
def test_a_clock_may_stand_still(lives: list[tuple[int, int, int]]) -> None:
    """What died at the reading at which it was born is not live for ever, and ends no other's life."""
    judge = sweep.Sweep(pytest.fail)
    entries = judge.journal().entries
    for born, died, size in lives:
        entries.extend([(born, BIRTH, 100, size, "a"), (died, DEATH, 100, size, "a")])
    last = max(died for _, died, _ in lives)
    entries.append((last, BIRTH, 90, 90, "b"))
    judge.finish()


def test_a_life_of_no_time_hides_none_of_some() -> None:
    """Only itself is passed over."""
    reports: list[str] = []
    judge = sweep.Sweep(reports.append)
    judge.journal().entries.extend(
        [(5, BIRTH, 0, 8, "a"), (5, DEATH, 0, 8, "a"), (5, BIRTH, 0, 8, "b"), (6, BIRTH, 4, 8, "c")]
    )
    judge.finish()
    assert reports == ["block c of 8 bytes at 0x4 overlaps block b of 8 bytes at 0x0, both live"]
