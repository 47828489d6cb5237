"""Mutants that do not look again."""

from __future__ import annotations

from functools import partial

from tests.mutants.hints import meeting
from tests.mutants.mutant import Mutant

_recheck = partial(Mutant, "re-check")

# View against free, resize and reset.
_VIEWS = (
    _recheck(
        "block.py::Block.view",
        "if record.mover is not None:",
        "if False:",
        "a view taken while the block moves sees the place it moves from",
        (meeting("grow", "view"),),
    ),
    _recheck(
        "block.py::Block.view",
        """
if view is None or not record.is_live:
    self._live_record()
elif record.roots is roots and self._record is record:
    if record.hint is None or record.hint() is None:
        ViewHint.watch(view, record, self._heap)
    return view
""",
        """
if view is None:
    self._live_record()
else:
    if record.hint is None or record.hint() is None:
        ViewHint.watch(view, record, self._heap)
    return view
""",
        "a view taken while the block is freed, or moved, sees the successor in its place",
        (meeting("view", "free"),),
    ),
    _recheck(
        "block.py::Block.view",
        "record.roots is roots and self._record is record",
        "self._record is record",
        "a view taken while the block is resized in place has the size it had",
        (meeting("view", "shrink"),),
    ),
    _recheck(
        "table.py::SpanTable.put_back",
        "if record.roots and record.visible():",
        "if False:",
        "memory is used again under a view",
        (meeting("view", "free"),),
    ),
    _recheck(
        "table.py::SpanTable.put_back_unseen",
        "if record.visible():",
        "if False:",
        "memory is used again under a slice that outlives its array",
        ("tests/heap/test_arrays.py",),
    ),
    _recheck(
        "arena.py::Arena._begin_move",
        "if record.visible():",
        "if False:",
        "a block moves away from a view",
        (meeting("view", "grow"),),
    ),
    _recheck(
        "arena.py::Arena._begin_move",
        "if record.mover is not None:",
        "if False:",
        "two resizes of one block at once",
        (meeting("grow", "grow_and_view"),),
    ),
    _recheck(
        "arena.py::Arena._begin_move",
        "if not record.is_live:",
        "if False:",
        "a block freed in between is resized all the same",
        (meeting("grow", "grow"),),
    ),
    _recheck(
        "arena.py::Arena._begin_move",
        """
record.mover = mover
if record.visible():
    record.mover = None
    raise BufferError(f"allocation {record.number} of {record.size} bytes has a view; it cannot be resized")
""",
        """
if record.visible():
    raise BufferError(f"allocation {record.number} of {record.size} bytes has a view; it cannot be resized")
record.mover = mover
""",
        "a view made between the look and the bar is not seen",
        (meeting("grow", "view"),),
    ),
    _recheck(
        "arena.py::Arena.resize",
        "if record.mover is mover:",
        "if True:",
        "a resize that was refused lifts another one's bar",
        (meeting("grow", "grow_and_view"),),
    ),
    _recheck(
        "resizing.py::_resize",
        "if claim(old.serial, None) is not None:",
        "if claim(old.serial, None) is not None or True:",
        "a block freed while it is moved ends twice",
        (meeting("grow", "free"),),
    ),
    _recheck(
        "service.py::Service._free_block",
        "if block._record is record:",
        "if True:",
        "a block that moved between the two looks is said to have been freed",
        (meeting("free", "grow"),),
    ),
)

# On the way back: returned once, by whoever meets it.
_RETURNS = (
    _recheck(
        "table.py::SpanTable.put_back",
        "if self.carved.get(record.position) is not record:",
        "if record.position not in self.carved:",
        "a record met twice gives back the span of its successor",
        (meeting("free", "check"),),
    ),
    _recheck(
        "table.py::SpanTable.bump",
        "if chunk.serial not in self.live or position < chunk.position:",
        "if position < chunk.position:",
        "a scope goes on carving from a chunk that a reset took away",
        (meeting("bump", "reset"),),
    ),
    _recheck(
        "service.py::Service._look",
        "if parked is not None:",
        "if False:",
        "what was parked comes home at the next slow path only",
        ("tests/heap/test_promises.py",),
    ),
    _recheck(
        "arena.py::Arena._take_from_new_region",
        "if look_at_some(self.table) and self.table.place(record):",
        "if False:",
        "an arena grows for ever under slices that outlive their views",
        ("tests/heap/test_promises.py",),
    ),
    _recheck(
        "arena.py::Arena._repair",
        """
for record in orphans(self.table):
    self.table.put_back(record)
""",
        "pass",
        "what an interrupted thread was bringing home waits for a slow path",
        ("tests/threads/test_interrupts.py",),
    ),
    _recheck(
        "arena.py::Arena._enter",
        "if self._dirty:",
        "if False:",
        "the next section works on what an interrupted one left",
        ("tests/threads/test_interrupts.py",),
    ),
)

# A reset or a close between two steps of a request.
_REQUESTS = (
    _recheck(
        "service.py::Service._serve",
        "if record.is_live:",
        "if True:",
        "a request gives a block that a reset took back meanwhile",
        ("tests/threads/test_ended_requests.py::test_a_request_survives_a_reset",),
    ),
    _recheck(
        "service.py::Service._serve",
        "if self._manager.closed:",
        "if False:",
        "a request gives a block of a heap that was closed meanwhile",
        (meeting("view", "close"),),
    ),
    _recheck(
        "arena.py::Arena._take_from_new_region",
        "if not self.table.backing.growable or self.table.closed:",
        "if not self.table.backing.growable:",
        "an arena grows after its heap was closed",
        (meeting("grow", "close"),),
    ),
    _recheck(
        "service.py::Service._clear",
        "if anchor is not None and record.is_live and record.address is not None:",
        "if anchor is not None and record.address is not None:",
        "as before, when the reset came before the anchor",
        ("tests/threads/test_ended_requests.py::test_a_request_survives_a_reset",),
    ),
    _recheck(
        "service.py::Service._clear",
        "anchor = record.view(record.roots, record.size)",
        "anchor = record.region",
        "zeros are written over the successor of a block that a reset took back meanwhile",
        ("tests/threads/test_ended_requests.py::test_a_request_survives_a_reset",),
    ),
    _recheck(
        "arena.py::Arena._take_from_new_region",
        """
self.table.drop_region(region)
return False
""",
        "return False",
        "a region whose pages were refused stays",
        ("tests/heap/test_limit.py",),
    ),
    _recheck(
        "backing/budget.py::Budget.grant",
        "if self.committed_bytes <= self.limit_bytes:",
        "if True:",
        "more is committed than the limit",
        ("tests/heap/test_limit.py",),
    ),
    _recheck(
        "address_map.py::AddressMap.find",
        """
stamp = self._stamp
starts = sorted(self._region_at.copy())
""",
        """
starts = sorted(self._region_at.copy())
stamp = self._stamp
""",
        "addresses copied before a change are believed after it",
        ("tests/unit/test_address_map.py",),
    ),
)

# Code that interrupts: handlers, finalizers, forks.
_INTERRUPTIONS = (
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
        ("tests/threads/test_short_threads.py",),
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

# Waiting for memory.
_WAITING = (
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
        ("tests/threads/test_remote_frees.py",),
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

MUTANTS = (*_VIEWS, *_RETURNS, *_REQUESTS, *_INTERRUPTIONS, *_WAITING)
