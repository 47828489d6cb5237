"""Mutants without a lock."""

from __future__ import annotations

from functools import partial

from tests.mutants.mutant import Mutant

_lock = partial(Mutant, "lock")
_TESTS = ("tests/threads/test_locks.py", "tests/threads/test_interleavings.py")

MUTANTS = (
    *(
        _lock(f"arena.py::Arena.{verb}", "with self.lock:", "if True:", "two threads change the books at once", _TESTS)
        for verb in (
            *("take", "take_at", "bump", "put_back", "reclaim_unseen", "resize", "begin_move"),
            *("tidy", "release_all", "close", "read"),
        )
    ),
    _lock(
        "routing.py::ByThread._adopt",
        "with self.lock:",
        "if True:",
        "two threads adopt one arena",
        _TESTS,
    ),
    _lock(
        "routing.py::ByThread._adopt",
        "if not self.lock.acquire(blocking=False):",
        "if not self.lock.acquire():",
        "a finalizer inside a section waits for a thread that waits for the section",
        ("tests/threads/test_no_waiting.py",),
    ),
    _lock(
        "backing/budget.py::Budget.grant",
        "with self.lock:",
        "if True:",
        "two arenas are granted more than the limit, or one is refused what would fit",
        _TESTS,
    ),
    _lock(
        "audit.py::_audit_sums",
        "with table.budget.lock:",
        "if True:",
        "the sum is read in the middle of another arena's claim, and called corrupt",
        _TESTS,
    ),
    _lock(
        "fork.py::_before",
        '_fork.taken.extend(zip(locks, map(methodcaller("acquire"), locks), strict=True))',
        "pass",
        "the child inherits a lock in the middle of another thread's section",
        ("tests/threads/test_fork.py", "tests/threads/test_no_waiting.py"),
    ),
    _lock(
        "fork.py::_take_unless_own",
        "if lock.acquire(timeout=_PATIENCE_SECONDS):",
        "if lock.acquire():",
        "a handler that forks waits for the code it interrupted",
        ("tests/threads/test_fork.py",),
    ),
)
