"""Mutants that leave a mailbox, an inbox or a thread's cache as it is."""

from __future__ import annotations

from functools import partial

from tests.mutants.mutant import Mutant

_drain = partial(Mutant, "drain")

MUTANTS = (
    _drain(
        "arena.py::Arena._enter",
        "self._drain()",
        "pass",
        "what other threads freed never comes home to the arena",
        ("tests/threads/test_remote_frees.py",),
    ),
    _drain(
        "service.py::Service._take_ready",
        "self._manager.collect(cache)",
        "pass",
        "what other threads freed goes through the arena, under its lock",
        ("tests/threads/test_cache_guards.py::test_what_came_back_serves_its_owner_without_the_lock",),
    ),
    _drain(
        "arena.py::Arena.tidy",
        "flush(self.table)",
        "pass",
        "what threads keep ready is not there for who is short of memory",
        ("tests/threads/test_cache_guards.py::test_relief_takes_back_what_threads_keep_ready",),
    ),
    _drain(
        "arena.py::Arena._release_all",
        "flush(self.table)",
        "pass",
        "a reset leaves memory divided among the threads' caches",
        ("tests/threads/test_cache_guards.py::test_a_reset_empties_the_caches",),
    ),
    _drain(
        "arena.py::Arena.tidy",
        "settle(self.table, expired, generation)",
        "pass",
        "what lies idle in a cache never decays",
        (
            "tests/heap/test_promise_of_return.py",
            "tests/threads/test_cache_guards.py::test_what_lies_idle_in_a_cache_decays",
        ),
    ),
    _drain(
        "ends.py::Ends._settle",
        "self._drain_inbox()",
        "pass",
        "what was dropped never comes home while the heap only allocates",
        ("tests/heap/test_handles.py",),
    ),
    _drain(
        "ends.py::Ends._collect",
        "self._drain_inbox()",
        "pass",
        "what the collector just found is not there for the request that had it collect",
        ("tests/threads/test_cache_guards.py::test_what_was_collected_has_come_home",),
    ),
    _drain(
        "heap.py::Heap.stats",
        "self._settle()",
        "pass",
        "statistics count dropped blocks as live",
        ("tests/heap/test_handles.py",),
    ),
    _drain(
        "heap.py::Heap.check",
        "self._manager.sweep()",
        "pass",
        "a check proves books without what was forgotten",
        ("tests/threads/test_lost_words.py",),
    ),
    _drain(
        "manager.py::Manager.make_room",
        "self.drain()",
        "pass",
        "a block moves, or cannot grow at all, into room that is on its way back",
        ("tests/heap/test_resize.py::test_growing_into_what_slices_have_left",),
    ),
    _drain(
        "heap.py::Heap._take_at",
        "self._manager.drain()  # it may lie in a thread's cache",
        "pass",
        "what threads keep ready, or have sent back, cannot be adopted",
        ("tests/heap/test_files.py::test_adopting_what_lies_in_a_cache",),
    ),
    _drain(
        "arena.py::Arena.take",
        " or self.mailbox",
        "",
        "what other threads freed does not serve the owner's next request",
        ("tests/unit/test_sections.py::test_what_others_freed_serves_the_next_request",),
    ),
    _drain(
        "arena.py::Arena.put_back",
        " or self.mailbox",
        "",
        "what other threads freed lies there while its owner only frees",
        ("tests/unit/test_sections.py::test_what_others_freed_comes_home_with_the_next_return",),
    ),
)
