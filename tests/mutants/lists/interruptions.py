"""Handlers, finalizers and forks: mutants that wait, or trust what they find."""

from __future__ import annotations

from functools import partial

from tests.mutants.mutant import Mutant

_recheck = partial(Mutant, "re-check")

MUTANTS = (
    _recheck(
        "arena.py::Arena._meet",
        "if interrupts_section():",
        "if False:",
        "a handler waits for the section that it interrupted",
        ("tests/threads/test_no_waiting.py::test_code_that_interrupts_a_section_waits_for_nobody",),
    ),
    _recheck(
        "arena.py::Arena.take",
        "waited = self.lock.locked() and self._meet()",
        "waited = False",
        "a handler's request waits for the section that it interrupted",
        ("tests/threads/test_no_waiting.py::test_code_that_interrupts_a_section_waits_for_nobody",),
    ),
    _recheck(
        "arena.py::Arena.put_back",
        "waited = self.lock.locked() and self._meet()",
        "waited = False",
        "a handler's free waits for the section that it interrupted",
        ("tests/threads/test_no_waiting.py::test_a_free_that_interrupts_a_section_waits_for_nobody",),
    ),
    _recheck(
        "manager.py::Manager.tick",
        "if not arena.lock.locked():",
        "if True:",
        "giving back what decayed waits for whoever is inside another's arena",
        ("tests/threads/test_no_waiting.py::test_decay_waits_for_nobody",),
    ),
    _recheck(
        "manager.py::Manager._others",
        " and not arena.lock.locked()",
        "",
        "a request waits for whoever is inside another's arena",
        ("tests/threads/test_no_waiting.py::test_a_request_near_the_limit_waits_for_nobody",),
    ),
    _recheck(
        "routing.py::_Adoption.adopt",
        "if not interrupts_section():",
        "if True:",
        "a finalizer inside a section waits for a thread that waits for the section",
        ("tests/threads/test_no_waiting.py::test_adoption_is_only_tried_inside_a_section",),
    ),
    _recheck(
        "manager.py::Manager.give",
        "if self.routing.may_enter(arena) if not arena.shared else not arena.lock.locked():",
        "if True:",
        "a remote free waits for the owner",
        ("tests/threads/test_give.py",),
    ),
    _recheck(
        "routing.py::ByThread.may_enter",
        "all(cache.ended for cache in arena.table.caches) and not arena.lock.locked()",
        "not arena.lock.locked()",
        "a remote free takes the owner's lock",
        ("tests/threads/test_give.py",),
    ),
    _recheck(
        "routing.py::ByThread.may_enter",
        " and not arena.lock.locked()",
        "",
        "a free into the arena of a thread that ended waits for whoever is inside",
        ("tests/threads/test_give.py",),
    ),
    _recheck(
        "routing.py::Shared.may_enter",
        "return not arena.lock.locked()",
        "return True",
        "a free waits for whoever is inside the arena",
        ("tests/threads/test_give.py",),
    ),
    _recheck(
        "manager.py::Manager.give",
        "arena.mailbox.append(record)",
        "pass",
        "a remote free is forgotten",
        ("tests/threads/test_give.py",),
    ),
    _recheck(
        "routing.py::_Adoption._next_idle",
        "if cache is not None and cache.owner is owner:",
        "if cache is not None:",
        "a cache that was adopted meanwhile gets a second thread",
        ("tests/unit/test_routing_by_thread.py::test_word_of_an_end_that_comes_late_takes_nothing_away",),
    ),
    _recheck(
        "routing.py::_Adoption._next_idle",
        "cache.ended or cache.owner() is state",
        "cache.owner() is state",
        "what an interrupted adoption took off the queue is adopted by nobody",
        ("tests/unit/test_routing_by_thread.py",),
    ),
    _recheck(
        "routing.py::_Adoption._next_idle",
        "cache.ended or cache.owner() is state",
        "cache.ended",
        "what a thread's own interrupted adoption took is adopted by nobody",
        ("tests/unit/test_routing_by_thread.py",),
    ),
    _recheck(
        "routing.py::_Adoption._adopt",
        "cache.enter(owner)",
        "pass",
        "a cache goes on as that of a thread that has ended",
        ("tests/unit/test_routing_by_thread.py",),
    ),
    _recheck(
        "fork.py::_in_child",
        "heap._manager.renew_locks(held)",
        "pass",
        "the child waits for a thread that is no more",
        ("tests/threads/test_no_waiting.py::test_a_child_replaces_what_the_fork_did_not_take",),
    ),
    _recheck(
        "service.py::Service._after_fork",
        "self._manager.close()",
        "pass",
        "parent and child hand out the same bytes of a file",
        ("tests/threads/test_fork.py::test_a_heap_over_a_file_is_closed_in_the_child",),
    ),
    _recheck(
        "fork.py::_in_child",
        "_release()",
        "pass",
        "the child's locks stay taken",
        ("tests/threads/test_no_waiting.py::test_after_a_fork_nobody_waits",),
    ),
)
