"""Each lock is held where what it protects is read or changed."""

from __future__ import annotations

import functools
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

import arenas
from tests.threads.helpers import elsewhere
from tests.threads.scenarios import REGION, SCENARIOS, SMALL, verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Self


class Known:
    """A lock that knows who holds it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.holder: int | None = None

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        taken = self._lock.acquire(blocking, timeout)
        if taken:
            self.holder = threading.get_ident()
        return taken

    def release(self) -> None:
        self.holder = None
        self._lock.release()

    def locked(self) -> bool:
        return self._lock.locked()

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class Watch:
    """Makes locks, and placements that note each use of theirs by a thread that holds none of the locks."""

    def __init__(self) -> None:
        self.locks: list[Known] = []
        self.wrong: list[str] = []
        self.uses = 0
        self.on = False  # a heap is built before anybody else can see it

    def lock(self) -> Known:
        """A lock factory."""
        self.locks.append(Known())
        return self.locks[-1]

    def placement(self) -> arenas.BestFit:
        """A placement factory."""
        return _Watched(self)

    def note(self, use: str) -> None:
        """A placement is used."""
        self.uses += self.on
        if self.on and not any(lock.holder == threading.get_ident() for lock in self.locks):
            frame = sys._getframe(2)
            self.wrong.append(f"{use} by {frame.f_code.co_qualname}, line {frame.f_lineno}")


class _Watched(arenas.BestFit):
    __slots__ = ("_watch",)

    def __init__(self, watch: Watch) -> None:
        self._watch: Watch | None = None  # not used by anybody yet
        super().__init__()
        self._watch = watch


def _watched(name: str) -> Any:
    plain = getattr(arenas.BestFit, name)

    def use(self: _Watched, *arguments: Any) -> Any:
        if self._watch:
            self._watch.note(name)
        return plain.__get__(self) if isinstance(plain, property) else plain(self, *arguments)

    return property(use) if isinstance(plain, property) else functools.wraps(plain)(use)


for _name in ("add", "take", "take_at", "give", "remove", "clear", "__iter__", "check", "free_bytes", "largest_bytes"):
    setattr(_Watched, _name, _watched(_name))


@pytest.mark.parametrize("spec", ["thread", 1])
@pytest.mark.parametrize("name", SCENARIOS)
def test_an_arena_s_books_are_used_under_its_lock(name: str, spec: str | int) -> None:
    """Whatever the operation, no placement is asked or changed by a thread that does not hold a lock."""
    scenario = SCENARIOS[name]
    if scenario.needs_numpy:
        pytest.importorskip("numpy")
    watch = Watch()
    stage = scenario.stage(arenas=spec, lock_factory=watch.lock, placement=watch.placement)
    watch.on = True
    if scenario.in_new_thread:
        elsewhere(lambda: scenario.act(stage))
    else:
        scenario.act(stage)
    verify(scenario, stage, interrupted=False)
    assert watch.uses
    assert not watch.wrong


def test_adopting_is_under_the_lock_too(tmp_path: Path) -> None:
    """The one operation that asks for a certain place."""
    watch = Watch()
    backing = arenas.FileMemory(tmp_path / "memory", REGION)
    heap = arenas.Heap(backing=backing, lock_factory=watch.lock, placement=watch.placement)
    watch.on = True
    heap.adopt(1 << 12, SMALL).free()
    assert watch.uses
    assert not watch.wrong


class _Withdrawing:
    """A lock that another thread has while it claims too much: it takes the claim back before it lets go."""

    def __init__(self, withdraw: Callable[[], object]) -> None:
        self._withdraw = withdraw

    def __enter__(self) -> None:
        self._withdraw()

    def __exit__(self, *_: object) -> None:
        pass


def test_a_claim_that_will_be_refused_is_seen_by_nobody() -> None:
    """While another arena has stated more than there is, and is about to be refused, what fits is granted, and a check
    finds nothing wrong.
    """
    heap = arenas.Heap(region_bytes=REGION, limit_bytes=REGION)
    heap.alloc(SMALL).free()
    budget = heap._manager.budget
    kept = budget.lock

    def claim_too_much() -> None:
        budget.state(99, 2 * REGION)
        budget.lock = _Withdrawing(lambda: budget.state(99, 0))  # type: ignore[assignment]

    claim_too_much()
    assert budget.grant(98, 4096)
    budget.state(98, 0)
    claim_too_much()
    heap.check()
    budget.lock = kept
