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
        "routing.py::ByThread._adopt",
        "if not interrupts_section():",
        "if True:",
        "a finalizer inside a section waits for a thread that waits for the section",
        ("tests/threads/test_no_waiting.py",),
    ),
    _recheck(
        "manager.py::Manager.give",
        "if self.routing.may_enter(arena) if not arena.shared else not arena.lock.locked():",
        "if True:",
        "a remote free waits for the owner",
        ("tests/threads/test_remote_frees.py",),
    ),
    _recheck(
        "routing.py::ByThread.may_enter",
        "return _ownerless(arena) and not arena.lock.locked()",
        "return not arena.lock.locked()",
        "a remote free takes the owner's lock",
        ("tests/threads/test_remote_frees.py",),
    ),
    _recheck(
        "routing.py::ByThread.may_enter",
        "return _ownerless(arena) and not arena.lock.locked()",
        "return _ownerless(arena)",
        "a free into the arena of a thread that ended waits for whoever is inside",
        ("tests/threads/test_no_waiting.py::test_a_free_waits_for_nobody",),
    ),
    _recheck(
        "routing.py::Shared.may_enter",
        "return not arena.lock.locked()",
        "return True",
        "a free waits for whoever is inside the arena",
        ("tests/threads/test_no_waiting.py::test_a_free_waits_for_nobody",),
    ),
    _recheck(
        "manager.py::Manager.give",
        "arena.mailbox.append(record)",
        "pass",
        "a remote free is forgotten",
        ("tests/threads/test_remote_frees.py",),
    ),
    _recheck(
        "routing.py::ByThread._next_idle",
        "if owner.arena.owner is owner:",
        "if True:",
        "an arena that was adopted meanwhile gets a second owner",
        ("tests/threads/test_first_calls.py::test_an_arena_is_adopted_once",),
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
        ("tests/threads/test_fork.py",),
    ),
    _recheck(
        "fork.py::_in_child",
        "_release()",
        "pass",
        "the child's locks stay taken",
        ("tests/threads/test_no_waiting.py::test_after_a_fork_nobody_waits",),
    ),
)
