"""The ends of heaps and of blocks: mutants that serve on, lose what is on its way, or find what is not lost."""

from __future__ import annotations

from functools import partial

from tests.mutants.mutant import Mutant

_recheck = partial(Mutant, "re-check")
_FREES = "tests/threads/test_free_guards.py"

MUTANTS = (
    # Its end
    _recheck(
        "service.py::Service.alloc",
        "if serial < cache.checkpoint:",
        "if True:",
        "a closed heap serves from its caches, and nothing decays",
        ("tests/threads/test_end_guards.py::test_what_was_taken_while_the_heap_closed_is_refused",),
    ),
    _recheck(
        "arena.py::Arena.close",
        "cache.close()",
        "pass",
        "a closed heap serves from its caches",
        ("tests/threads/test_end_guards.py::test_what_was_taken_while_the_heap_closed_is_refused",),
    ),
    _recheck(
        "arena.py::Arena.close",
        """
for cache in self.table.caches:
    cache.close()
self.table.eager = False  # before anything: giving pages back would punch holes into a file that is to persist
waited = self._meet()
with self.lock:
    self._enter(waited)
    self._release_all()
    self.table.close()
    self._dirty = False
""",
        """
self.table.eager = False
waited = self._meet()
with self.lock:
    self._enter(waited)
    self._release_all()
    self.table.close()
    self._dirty = False
for cache in self.table.caches:
    cache.close()
""",
        "what was taken from a cache after it all ended, and before that was told to look up, is given out",
        ("tests/threads/test_end_guards.py::test_what_was_taken_while_the_heap_closed_is_refused",),
    ),
    _recheck(
        "ends.py::Ends._look_up",
        "self._begin()",
        "pass",
        "a closed heap serves from its caches, and nothing decays",
        ("tests/threads/test_end_guards.py::test_a_thread_at_its_checkpoint_during_the_close_is_told",),
    ),
    _recheck(
        "ends.py::Ends._look_up",
        """
cache.checkpoint = cache.serial + UNCLOCKED
if self._manager.closed:  # looked at after: who closes it says so first, and sets the checkpoint after
    cache.checkpoint = 0
self._begin()
""",
        """
self._begin()
cache.checkpoint = cache.serial + UNCLOCKED
""",
        "a look-up during the close has the cache serve on",
        ("tests/threads/test_end_guards.py::test_a_close_during_a_look_is_not_forgotten",),
    ),
    _recheck(
        "ends.py::Ends._look_up",
        "cache.checkpoint = 0",
        "pass",
        "after one refusal a closed heap serves what a thread had in hand",
        ("tests/threads/test_end_guards.py::test_what_a_thread_had_in_hand_at_the_close_is_not_served",),
    ),
    _recheck(
        "service.py::Service.alloc",
        """
cache.live[serial] = record
if serial < cache.checkpoint:
    return block
""",
        """
looks_up = serial >= cache.checkpoint
cache.live[serial] = record
if not looks_up:
    return block
""",
        "what was taken from a cache after it all ended, and after a look that found nothing, is given out",
        ("tests/threads/test_end_guards.py::test_what_is_entered_after_the_heap_has_closed_is_refused",),
    ),
    # What was lost
    _recheck(
        "lost.py::_unreferenced",
        "references <= _STRAY and ",
        "",
        "what lies in a cache is taken for lost, and is in two places",
        ("tests/threads/test_cache_guards.py::test_what_is_ready_or_in_hand_is_not_lost",),
    ),
    _recheck(
        "lost.py::unheld",
        "record.held is not Held.ADDRESS and references <= _UNHELD",
        "references <= _UNHELD",
        "an address ends by itself",
        ("tests/heap/test_limit.py", "tests/threads/test_lost_words.py", "tests/heap/test_misuse_free.py"),
    ),
    _recheck(
        "lost.py::unheld",
        "record.held is not Held.ADDRESS and references <= _UNHELD",
        "record.held is not Held.ADDRESS",
        "what somebody holds is taken for forgotten",
        ("tests/threads/test_lost_words.py",),
    ),
    _recheck(
        "lost.py::unheld",
        "gone = not record.visible()",
        "gone = True",
        "an array that somebody sees is taken for forgotten",
        ("tests/threads/test_lost_words.py", "tests/heap/test_arrays.py"),
    ),
    _recheck(
        "search.py::look_at_all",
        "(*table.parked.values(), *orphans(table))",
        "(*table.parked.values(),)",
        "what an interrupt lost between a cache and its arena never comes home",
        ("tests/threads/test_cache_guards.py::test_what_was_lost_out_of_a_cache_is_found",),
    ),
    _recheck(
        "search.py::orphans",
        "if len(table.carved) <= len(table.live) + len(table.parked) + ready:",
        "if len(table.carved) <= len(table.live) + len(table.parked) + ready + 1:",
        "one that was lost is never looked for",
        ("tests/threads/test_cache_guards.py::test_what_was_lost_out_of_a_cache_is_found",),
    ),
    _recheck(
        "arena.py::Arena.tidy",
        "sweep(self.table)",
        "pass",
        "what was forgotten is not there for who is short of memory",
        ("tests/threads/test_lost_words.py",),
    ),
    _recheck(
        "arena.py::Arena.tidy",
        "look_at_all(self.table)",
        "pass",
        "what is no longer seen is not there for who is short of memory, and never decays",
        ("tests/heap/test_unnoticed_ends.py::test_an_array_still_seen_when_word_of_its_end_came_is_looked_at_again",),
    ),
    _recheck(
        "arena.py::Arena.read",
        "look_at_all(self.table)",
        "pass",
        "statistics count as parked what nobody sees any more",
        ("tests/threads/test_cache_guards.py::test_what_was_lost_out_of_a_cache_is_found",),
    ),
    _recheck(
        "arena.py::Arena._repair",
        "self.table.put_back(record)",
        "pass",
        "what an interrupted section had in hand is found by the next search only",
        ("tests/unit/test_sections.py::test_what_an_interrupted_section_had_in_hand_comes_home",),
    ),
    _recheck(
        "search.py::settle",
        "if cache.ended:",
        "if False:",
        "what the cache of a thread that has ended holds comes home only when memory is short",
        ("tests/unit/test_cache_owner.py::test_what_a_thread_that_has_ended_left_comes_home",),
    ),
    # What a thread's free meets
    _recheck(
        "block.py::Block.free",
        "record.phase is not None or ",
        "",
        "a block freed in the middle of a move is in the cache, and moves",
        ("tests/threads/test_cache_guards.py::test_a_block_freed_in_the_middle_of_a_move_is_not_ready",),
    ),
    _recheck(
        "block.py::Block.free",
        "seen = getrefcount(roots[0]) > UNSEEN_FIRST or ((FREE_THREADED or len(roots) > 1) and record.visible())",
        "seen = False",
        "memory is used again under a view",
        ("tests/heap/test_promises.py",),
    ),
    _recheck(
        "block.py::Block.free",
        " or ((FREE_THREADED or len(roots) > 1) and record.visible())",
        "",
        "memory is used again under a view made after the block grew",
        ("tests/threads/test_cache_guards.py::test_every_owner_of_a_view_is_looked_at",),
    ),
    _recheck(
        "block.py::Block.free",
        " or record.stock is not stock",
        "",
        "a block that was resized while it was freed serves requests of the length that it once had",
        (f"{_FREES}::test_a_block_that_shrinks_while_it_is_freed_serves_its_like",),
    ),
    _recheck(
        "block.py::Block.free",
        "cache.mailbox.append(record)  # an interrupt; who drains it looks again",
        "pass",
        "what an interrupted free had claimed comes home at the next search for what was lost only",
        (f"{_FREES}::test_an_interrupted_look_loses_nothing",),
    ),
    _recheck(
        "block.py::Block.free",
        "self._heap._give(record)",
        "pass",
        "a block that no cache keeps never comes home",
        ("tests/heap/test_handles.py",),
    ),
    _recheck(
        "block.py::Block.free",
        "elif stock.charge:",
        "elif True:",
        "a block that no cache keeps comes home at its arena's next section only",
        (f"{_FREES}::test_what_no_cache_keeps_goes_home_at_once",),
    ),
    _recheck(
        "ends.py::Ends._give",
        "self._settle()",
        "pass",
        "nothing decays while blocks that no cache keeps are freed",
        ("tests/heap/test_promise_of_return.py::test_6_a_free_past_the_cache_is_such_a_call",),
    ),
    _recheck(
        "ends.py::Ends._settle",
        "self._manager.tick()",
        "pass",
        "nothing decays",
        ("tests/heap/test_promise_of_return.py",),
    ),
)
