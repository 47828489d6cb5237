"""Mutants that leave a mailbox or an inbox as it is."""

from __future__ import annotations

from functools import partial

from tests.mutants.mutant import Mutant

_drain = partial(Mutant, "drain")

MUTANTS = (
    _drain(
        "arena.py::Arena._enter",
        "self._drain()",
        "pass",
        "what other threads freed never comes home",
        ("tests/threads/test_remote_frees.py::test_the_owners_next_allocation_uses_what_came_back",),
    ),
    _drain(
        "service.py::Service._begin",
        "self._drain_inbox()",
        "pass",
        "what was dropped never comes home while the heap only allocates",
        ("tests/heap/test_handles.py",),
    ),
    _drain(
        "service.py::Service._collect",
        "self._drain_inbox()",
        "pass",
        "what the collector just found is not there for the request that had it collect",
        ("tests/heap/test_limit_waiting.py::test_what_was_collected_serves_the_same_turn",),
    ),
    _drain(
        "heap.py::Heap._settle",
        "self._drain_inbox()",
        "pass",
        "statistics count dropped blocks as live",
        ("tests/heap/test_handles.py",),
    ),
    _drain(
        "heap.py::Heap.check",
        "self._manager.drain()",
        "pass",
        "a check proves books without what is on its way back, or forgotten there",
        ("tests/threads/test_lost_words.py",),
    ),
    _drain(
        "manager.py::Manager.make_room",
        "self.drain()",
        "pass",
        "a block moves, or cannot grow at all, into room that is on its way back",
        ("tests/heap/test_resize.py::test_growing_into_what_slices_have_left",),
    ),
)
