"""Mutants without a lock."""

from __future__ import annotations

from functools import partial

from tests.mutants.mutant import Mutant

_lock = partial(Mutant, "lock")
_FIRST = "tests/threads/test_first_calls.py"
_LOCKS = "tests/threads/test_locks.py"
_WAITING = "tests/threads/test_no_waiting.py"


def _books(operation: str) -> str:
    return f"{_LOCKS}::test_an_arena_s_books_are_used_under_its_lock[{operation}-1]"


def _section(name: str) -> str:
    return f"tests/unit/test_sections.py::test_the_books_are_used_under_the_lock[{name}]"


# Each method of an arena's, and who notices that its lock is gone.
_SECTIONS = {
    "take": _books("alloc"),
    "take_at": f"{_LOCKS}::test_adopting_is_under_the_lock_too",
    "bump": _section("bump-bump"),
    "put_back": _section("put_back-put_back"),
    "reclaim_unseen": _section("reclaim_unseen-put_back_unseen"),
    "resize": _books("resize in place, growing"),
    "begin_move": _section("begin_move-visible"),
    "tidy": _books("trim"),
    "sweep": _books("check"),
    "take_back": _section("take_back-put_back"),
    "release_all": _books("reset"),
    "close": _books("close"),
    "read": _books("stats"),
}

MUTANTS = (
    *(
        _lock(f"arena.py::Arena.{section}", "with self.lock:", "if True:", "two threads change the books", (test,))
        for section, test in _SECTIONS.items()
    ),
    _lock(
        "routing.py::_Adoption.adopt",
        "with self.lock:",
        "if True:",
        "two threads adopt one cache",
        (f"{_FIRST}::test_no_two_threads_adopt_one_arena",),
    ),
    _lock(
        "routing.py::_Adoption.adopt",
        "if not self.lock.acquire(blocking=False):",
        "if not self.lock.acquire():",
        "a finalizer inside a section waits for a thread that waits for the section",
        (f"{_WAITING}::test_adoption_is_only_tried_inside_a_section",),
    ),
    _lock(
        "backing/budget.py::Budget.grant",
        "with self.lock:",
        "if True:",
        "two arenas are granted more than the limit, or one is refused what would fit",
        (f"{_LOCKS}::test_a_claim_that_will_be_refused_is_seen_by_nobody",),
    ),
    _lock(
        "audit.py::_audit_sums",
        "with table.budget.lock:",
        "if True:",
        "the sum is read in the middle of another arena's claim, and called corrupt",
        (f"{_LOCKS}::test_a_claim_that_will_be_refused_is_seen_by_nobody",),
    ),
    _lock(
        "fork.py::_before",
        '_fork.taken.extend(zip(locks, map(methodcaller("acquire"), locks), strict=True))',
        "pass",
        "the child inherits a lock in the middle of another thread's section",
        (f"{_WAITING}::test_an_interrupted_fork_keeps_no_lock",),
    ),
    _lock(
        "fork.py::_take_unless_own",
        "if lock.acquire(timeout=_PATIENCE_SECONDS):",
        "if lock.acquire():",
        "a handler that forks waits for the code it interrupted",
        (f"{_WAITING}::test_after_a_fork_nobody_waits",),
    ),
)
