"""Waiting for memory: mutants that leave no word, or do not listen."""

from __future__ import annotations

from functools import partial

from tests.mutants.hints import pool, protocol
from tests.mutants.mutant import Mutant

_recheck = partial(Mutant, "re-check")
_FREES = "tests/threads/test_free_guards.py"

MUTANTS = (
    _recheck(
        "ends.py::Ends._release",
        "self._waiters.wake()",
        "pass",
        "a free wakes nobody",
        ("tests/heap/test_limit_waiting.py::test_every_end_leaves_word_for_who_waits",),
    ),
    _recheck(
        "ends.py::Ends._handle_died",
        "self._waiters.wake()",
        "pass",
        "a drop wakes nobody",
        ("tests/heap/test_limit_waiting.py::test_every_end_leaves_word_for_who_waits",),
    ),
    _recheck(
        "ends.py::Ends._view_died",
        "self._waiters.wake()",
        "pass",
        "the end of a view wakes nobody",
        ("tests/heap/test_limit_waiting.py::test_every_end_leaves_word_for_who_waits",),
    ),
    _recheck(
        "service.py::Service._take_slowly",
        "self._manager.relieve()",
        "pass",
        "what lies in mailboxes and parked is not there for who is short of memory",
        ("tests/heap/test_limit.py::test_free_pages_elsewhere_are_given_back_first",),
    ),
    _recheck(
        "block.py::Block.view",
        "(record.phase is None or not record.barred)",
        "record.phase is None",
        "a resize that comes too late bars the record's next allocation",
        ("tests/threads/test_cache_guards.py::test_a_resize_that_comes_too_late_bars_nobody",),
    ),
    _recheck(
        "waiting.py::Waiters.turns",
        """
self._queues[key] = weakref.ref(mine)
try:
    while True:
        yield
""",
        """
try:
    while True:
        yield
        self._queues[key] = weakref.ref(mine)
""",
        "what is freed during a waiter's try wakes nobody",
        (protocol("WaitForFree"),),
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
    _recheck(
        "block.py::Block.free",
        """
if cache.least_room:
    self._heap._waiters.wake()
""",
        "pass",
        "a free into the mailbox of an owner that is asleep wakes nobody",
        (protocol("WaitForFree"),),
    ),
    _recheck(
        "ends.py::Ends._make_way",
        """
if self._waiters:
    self._waiters.wake()
""",
        "pass",
        "an owner gives back what is awaited, and wakes nobody",
        (protocol("WaitForOwner"),),
    ),
    _recheck(
        "service.py::Service._take_slowly",
        """
# Before the look: what is freed after it wakes this, and no cache keeps it. At every turn: a thread may
# have come.
self._tell_caches()
""",
        "pass",
        "an owner keeps what is awaited",
        (protocol("WaitForOwner"),),
    ),
    _recheck(
        "service.py::Service._take_slowly",
        """
turns.close()
self._tell_caches()
""",
        "turns.close()",
        "nothing is kept any more once somebody has waited",
        ("tests/threads/test_cache_guards.py::test_caches_keep_again_when_nobody_waits",),
    ),
    _recheck(
        "ends.py::Ends._tell_caches",
        "if bool(self._waiters) == waiting:  # looked at after: one may have come, or the last gone",
        "if True:",
        "an owner keeps what is awaited by one who came just now",
        ("tests/threads/test_cache_guards.py::test_a_waiter_that_comes_while_the_caches_are_told_is_known",),
    ),
    _recheck(
        "ends.py::Ends._make_way",
        "if cache.awaited and not self._waiters:",
        "if False:",
        "nothing is kept any more once a waiter was interrupted",
        ("tests/threads/test_cache_guards.py::test_caches_keep_again_when_nobody_waits",),
    ),
    _recheck(
        "block.py::Block.view",
        """
if record.region.awaited:  # type: ignore[union-attr]
    ViewHint.watch(view, record, self._heap)
""",
        "pass",
        "under a limit a last view dies without a word",
        (protocol("WaitForView"), "tests/heap/test_limit_waiting.py::test_every_end_leaves_word_for_who_waits"),
    ),
    _recheck(
        "waiting.py::Waiters.end",
        "self.wake()",
        "pass",
        "the end of the heap wakes nobody",
        (protocol("WaitForClose"),),
    ),
    _recheck(
        "waiting.py::Waiters.end",
        "line.wake()",
        "pass",
        "the end of the heap wakes nobody who waits for a pool",
        ("tests/threads/test_end_guards.py::test_the_end_of_a_heap_reaches_who_waits_for_a_pool",),
    ),
    _recheck(
        "block.py::Block.free",
        """
stock.ready.append(record)
cache.room = room = cache.room - stock.charge
if room < cache.least_room:  # which is looked at after the push
    self._heap._make_way(cache)
""",
        """
full = cache.room - stock.charge < cache.least_room
stock.ready.append(record)
cache.room -= stock.charge
if full:
    self._heap._make_way(cache)
""",
        "an owner keeps what came to be awaited between its look and its free",
        (protocol("WaitForOwner"),),
    ),
    _recheck(
        "block.py::Block.free",
        """
cache.mailbox.append(record)
if cache.least_room:
    self._heap._waiters.wake()
""",
        """
awaited = cache.least_room
cache.mailbox.append(record)
if awaited:
    self._heap._waiters.wake()
""",
        "a free that looked before somebody came to wait wakes nobody",
        (protocol("WaitForFree"),),
    ),
    _recheck(
        "line.py::Line.wake",
        """
try:
    self._places[0].words.put(None)  # re-entrant, unlike a Condition's notify
except IndexError:
    return
""",
        """
if self._places:
    self._places[0].words.put(None)
""",
        "the last in a line, leaving, breaks the finalizer that wakes it",
        (f"{_FREES}::test_a_line_that_is_left_while_it_is_woken",),
    ),
    # Pools
    _recheck(
        "pool.py::Pool._take",
        "not buffers or ",
        "",
        "a pool that was closed under a look for an array breaks it",
        ("tests/heap/test_pool_ends.py::test_after_its_end",),
    ),
    _recheck(
        "pool.py::_Lease.__del__",
        " or _references(self) > self.ending",
        "",
        "an array in garbage that finalizers may still read is handed out",
        ("tests/heap/test_pool.py::test_garbage_in_a_cycle_keeps_it_out_until_its_finalizers_have_run",),
    ),
    _recheck(
        "pool.py::Pool._take",
        "if buffer.block._record.visible():",
        "if False:",
        "one array is handed out twice",
        (pool("Returned"),),
    ),
    _recheck(
        "pool.py::Pool._take",
        "if buffer.taken == taken:  # else a handler or a finalizer was faster; and no call between this and the next",
        "if True:",
        "a handler's get and the one that it interrupted get one array",
        ("tests/threads/test_end_guards.py::test_what_a_handler_took_from_a_pool_is_its_own",),
    ),
    _recheck(
        "pool.py::Pool.close",
        "self._line.wake()",
        "pass",
        "the end of a pool wakes nobody",
        (pool("PoolClosed"),),
    ),
    _recheck(
        "pool.py::_Lease.__del__",
        "line.wake()",
        "pass",
        "the end of an array wakes nobody",
        (pool("Returned"),),
    ),
    _recheck(
        "line.py::Line.serve",
        """
if places:
    self.wake()
""",
        "pass",
        "who comes to the head of the line is not told",
        (pool("TwoReturned"),),
    ),
    _recheck(
        "line.py::Line.serve",
        "if places[0].thread == place.thread:",
        "if True:",
        "all in the line look at once, and the last to come may be first",
        ("tests/threads/test_end_guards.py::test_a_pool_serves_who_came_first",),
    ),
)
