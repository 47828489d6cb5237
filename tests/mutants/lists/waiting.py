"""Waiting for memory: mutants that leave no word, or do not listen."""

from __future__ import annotations

from functools import partial

from tests.mutants.mutant import Mutant

_recheck = partial(Mutant, "re-check")

MUTANTS = (
    _recheck(
        "service.py::Service._release",
        "self._waiters.wake()",
        "pass",
        "a free wakes nobody",
        ("tests/heap/test_limit_waiting.py::test_every_end_leaves_word_for_who_waits",),
    ),
    _recheck(
        "service.py::Service._handle_died",
        "self._waiters.wake()",
        "pass",
        "a drop wakes nobody",
        ("tests/heap/test_limit_waiting.py::test_every_end_leaves_word_for_who_waits",),
    ),
    _recheck(
        "service.py::Service._view_died",
        "self._waiters.wake()",
        "pass",
        "the end of a view wakes nobody",
        ("tests/heap/test_limit_waiting.py::test_every_end_leaves_word_for_who_waits",),
    ),
    _recheck(
        "service.py::Service._take_slowly",
        """
self._manager.relieve()
if self._manager.take(record):
    return
""",
        """
if self._manager.take(record):
    return
""",
        "what lies in mailboxes and parked is not there for who is short of memory",
        ("tests/heap/test_limit.py::test_free_pages_elsewhere_are_given_back_first",),
    ),
    _recheck(
        "waiting.py::Waiters.turns",
        """
mine.get(timeout=left)
""",
        """
time.sleep(left)
""",
        "a waiter hears nothing",
        ("tests/heap/test_limit_waiting.py::test_every_end_leaves_word_for_who_waits",),
    ),
)
