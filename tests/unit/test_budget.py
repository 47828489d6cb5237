"""The bound on committed bytes."""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from arenas.backing import Budget

ARENAS = st.integers(min_value=0, max_value=3)
BYTES = st.integers(min_value=0, max_value=100)


def test_without_a_limit_everything_is_granted_and_counted() -> None:
    budget = Budget(None)
    assert budget.left_bytes is None
    assert budget.grant(0, 1 << 60)
    assert budget.grant(1, 5)
    assert budget.committed_bytes == (1 << 60) + 5


@given(
    limit=st.integers(min_value=0, max_value=200),
    calls=st.lists(st.tuples(st.sampled_from(["grant", "state"]), ARENAS, BYTES)),
)
def test_totals_are_stated_and_granted(limit: int, calls: list[tuple[str, int, int]]) -> None:
    """A grant beyond the limit changes nothing, any other sets the arena's total; a statement always does."""
    budget = Budget(limit)
    totals: dict[int, int] = {}
    for verb, arena, total in calls:
        wanted = {**totals, arena: total}
        if verb == "state":
            budget.state(arena, total)
            totals = wanted
        else:
            fits = sum(wanted.values()) <= limit
            assert budget.grant(arena, total) == fits
            totals = wanted if fits else totals
        assert budget.committed_bytes == sum(totals.values())
        assert budget.left_bytes == limit - sum(totals.values())


def test_the_limit_itself_can_be_reached() -> None:
    budget = Budget(4096)
    assert not budget.grant(0, 4097)
    assert budget.grant(0, 4096)
    assert budget.left_bytes == 0


def test_stating_a_total_again_repairs_the_sum() -> None:
    """Totals, never differences: an arena that lost count states what it has, as often as it likes."""
    budget = Budget(100)
    assert budget.grant(0, 60)
    for _ in range(3):
        budget.state(0, 40)
    assert budget.committed_bytes == 40
    assert budget.grant(1, 60)


def test_a_handler_may_ask_while_its_thread_is_inside() -> None:
    """The lock is re-entrant: code that interrupts a grant gets an answer, and the limit holds."""
    budget = Budget(100)
    with budget.lock:
        assert budget.lock.acquire(blocking=False)
        budget.lock.release()
        assert budget.grant(0, 70)
        assert not budget.grant(1, 31)
        assert budget.grant(1, 30)


def test_an_interrupting_grant_cannot_exceed_the_limit() -> None:
    """A claim is visible before it is added up: a handler in between counts it, whichever of the two then wins."""

    class Interrupted(Budget):
        inner = False

        @property
        def committed_bytes(self) -> int:
            if not self.inner:
                self.inner = True
                self.granted_inside = self.grant(1, 60)
            return super().committed_bytes

    budget = Interrupted(100)
    granted = budget.grant(0, 60)
    assert granted + budget.granted_inside <= 1
    assert budget.committed_bytes <= 100


def test_two_arenas_never_exceed_the_limit_together() -> None:
    """Eight threads commit page by page at once: together they get exactly what there is."""
    budget = Budget(1000)
    barrier = threading.Barrier(8)
    totals = [0] * 8

    def commit(arena: int) -> None:
        barrier.wait()
        while budget.grant(arena, totals[arena] + 1):
            totals[arena] += 1

    threads = [threading.Thread(target=commit, args=(arena,)) for arena in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(totals) == budget.committed_bytes == 1000
