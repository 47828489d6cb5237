"""What cannot go into a thread's cache is left in a mailbox rather than waited for."""

from __future__ import annotations

import pytest

import arenas
from tests.threads.helpers import elsewhere


class Busy:
    """A lock that somebody has, or nobody must take."""

    def __init__(self) -> None:
        self.busy = False
        self.forbidden = False

    def locked(self) -> bool:
        return self.busy

    def __enter__(self) -> None:
        assert not self.forbidden

    def __exit__(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(
    ("spec", "busy", "ended"), [("thread", False, False), ("thread", True, True), (1, True, False)]
)
def test_a_remote_return_takes_no_lock(spec: str | int, busy: bool, ended: bool) -> None:
    """Of an owner that lives, or of whoever is inside."""
    lock = Busy()
    heap = arenas.Heap(arenas=spec, lock_factory=lambda: lock, clock=lambda: 100.0)
    blocks: list[arenas.Block] = []
    if ended:
        elsewhere(lambda: blocks.append(heap.alloc(1000)))
    else:
        blocks.append(heap.alloc(1000))
    record = blocks[0]._record
    assert record.claim(record.serial)
    lock.busy, lock.forbidden = busy, True
    elsewhere(lambda: heap._manager.give(record))
    lock.busy = lock.forbidden = False
    assert list(heap._manager.arena_at[record.arena_number].mailbox) == [record]
