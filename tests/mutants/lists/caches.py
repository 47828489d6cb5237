"""A thread's cache: mutants that take in, keep or give back what they should not, or not in time."""

from __future__ import annotations

from functools import partial

from tests.mutants.hints import protocol, refusal
from tests.mutants.mutant import Mutant

_recheck = partial(Mutant, "re-check")
_FREES = "tests/threads/test_free_guards.py"
_CACHE = "tests/unit/test_cache.py"
_BACK = "tests/unit/test_cache_given_back.py"

MUTANTS = (
    # What is taken in
    _recheck(
        "cache.py::Cache.keep",
        "self.awaited or ",
        "",
        "a thread keeps what others wait for",
        (refusal("awaited"),),
    ),
    _recheck(
        "cache.py::Cache.keep",
        "record.phase is not None or ",
        "",
        "a parked span is in the cache and with the arena's search at once",
        (refusal("parked"), refusal("being_resized")),
    ),
    _recheck(
        "cache.py::Cache.keep",
        " or record.stock is NEVER_KEPT",
        "",
        "the pieces of a scope's chunk are never joined again",
        (refusal("from_a_scope"),),
    ),
    _recheck(
        "cache.py::Cache.keep",
        "if record.position & (self.terms.alignment - 1):",
        "if False:",
        "an ordinary request gets a span that is not aligned",
        (refusal("off_its_alignment"),),
    ),
    _recheck(
        "cache.py::Cache.keep",
        """
if self.room < stock.charge:
    return False
""",
        "pass",
        "a cache holds more than its room",
        (refusal("one_too_many"),),
    ),
    _recheck(
        "cache.py::Cache.collect",
        "record.visible() or ",
        "",
        "memory freed by another thread under a view is used again",
        (f"{_CACHE}::test_collecting_refuses_what_is_seen_and_what_is_too_much",),
    ),
    _recheck(
        "cache.py::Cache.collect",
        """
while True:
    try:
        record = self.mailbox.popleft()
    except IndexError:
        return refused
""",
        """
while True:
    if not self.mailbox:
        return refused
    record = self.mailbox.popleft()
""",
        "who drains the mailbox meanwhile breaks its owner's request",
        (f"{_FREES}::test_a_mailbox_read_by_two_at_once",),
    ),
    _recheck(
        "arena.py::Arena._drain",
        """
try:
    record = self.mailbox.popleft()
except IndexError:
    return
""",
        """
if not self.mailbox:
    return
record = self.mailbox.popleft()
""",
        "an owner that collects meanwhile breaks the section",
        (f"{_FREES}::test_a_mailbox_read_by_two_at_once",),
    ),
    _recheck(
        "ends.py::Ends._drain_inbox",
        """
try:
    item = self._inbox.popleft()
except IndexError:
    return
""",
        """
if not self._inbox:
    return
item = self._inbox.popleft()
""",
        "of two that read the inbox at once one fails",
        (f"{_FREES}::test_an_inbox_read_by_two_at_once",),
    ),
    _recheck(
        "manager.py::Manager.give",
        " and not record.visible()",
        "",
        "what is dropped or freed under a view is used again",
        ("tests/heap/test_handles.py", "tests/threads/test_sight.py"),
    ),
    _recheck(
        "manager.py::Manager.give",
        " and cache.arena_number == arena.number",
        "",
        "a thread keeps spans of another's arena",
        ("tests/threads/test_remote_frees.py",),
    ),
    _recheck(
        "block.py::Block.free",
        "mine = cache.ident == get_ident()",
        "mine = True",
        "what another thread freed is used again before anybody looks at it, and is not counted",
        ("tests/threads/test_remote_frees.py",),
    ),
    _recheck(
        "table.py::SpanTable.resize",
        "record.stock = self.unstocked  # before anything: its length is about to change",
        "pass",
        "a span serves requests of the length that it once had",
        ("tests/threads/test_cache_guards.py::test_a_span_of_another_length_serves_its_like",),
    ),
    _recheck(
        "service.py::Service._take_ready",
        """
if record.terms is not cache.terms:
    record.stock = cache.unstocked
""",
        "pass",
        "what a tag or an alignment was asked for serves the next request with it",
        ("tests/threads/test_cache_guards.py::test_a_tag_is_not_passed_on",),
    ),
    _recheck(
        "cache.py::Cache.keep",
        """
record.terms = self.terms
record.stock = stock
# Last: from here on it can be taken.
stock.ready.append(record)
""",
        """
stock.ready.append(record)
record.terms = self.terms
record.stock = stock
""",
        "a handler that takes it at once gives it terms that are then lost",
        ("tests/unit/test_cache.py::test_what_can_be_taken_is_as_if_new",),
    ),
    # What goes out again
    _recheck(
        "block.py::Block.free",
        """
if room < cache.least_room:  # which is looked at after the push
    self._heap._make_way(cache)
""",
        "pass",
        "a thread's cache grows without bound",
        ("tests/unit/test_cache_owner.py::test_a_heaps_thread_keeps_no_more_than_was_allowed",),
    ),
    _recheck(
        "manager.py::Manager.make_way",
        "if not cache.awaited:",
        "if True:",
        "a thread keeps what others wait for",
        ("tests/threads/test_cache_guards.py::test_while_memory_is_awaited_a_free_leaves_nothing_behind",),
    ),
    _recheck(
        "manager.py::Manager.make_way",
        """
for record in cache.emptied():
    self._take_back(cache, [record])
""",
        "self._take_back(cache, list(cache.emptied()))",
        "what a thread is about to give back is out of the reach of who is refused for want of it",
        (protocol("Steal"),),
    ),
    _recheck(
        "cache.py::_popped",
        """
while True:
    try:
        records.append(stock.ready.pop())
    except IndexError:
        return records
""",
        """
while stock.ready:
    records.append(stock.ready.pop())
return records
""",
        "who is short of memory, and empties the cache meanwhile, breaks its thread's free",
        (f"{_BACK}::test_what_is_emptied_meanwhile_is_no_surplus",),
    ),
    _recheck(
        "cache.py::Cache.emptied",
        """
while True:
    try:
        yield stock.ready.pop()
    except IndexError:
        break
""",
        """
while stock.ready:
    yield stock.ready.pop()
""",
        "a thread that takes its last span meanwhile breaks the call of who is short of memory",
        (f"{_BACK}::test_emptied_by_two_at_once_is_nobody_s_twice",),
    ),
    _recheck(
        "cache.py::Cache.await_memory",
        "self.least_room = self.room_bytes + 1 if awaited else 0",
        "pass",
        "an owner does not look up at its next free",
        (f"{_BACK}::test_while_memory_is_awaited_nothing_stays",),
    ),
    _recheck(
        "manager.py::Manager._take_back",
        "arena.mailbox.extend(records)",
        "pass",
        "what a handler's free gives back while the arena is busy is lost",
        ("tests/threads/test_cache_guards.py::test_what_a_full_cache_gives_back_to_a_busy_arena_is_mailed",),
    ),
    _recheck(
        "ends.py::Ends._make_way",
        "self._manager.make_way(cache)",
        "pass",
        "a thread's cache grows without bound",
        ("tests/unit/test_cache_owner.py::test_a_heaps_thread_keeps_no_more_than_was_allowed",),
    ),
)
