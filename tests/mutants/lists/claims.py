"""Mutants in which two threads can both have what only one may."""

from __future__ import annotations

from functools import partial

from tests.mutants.hints import meeting, protocol
from tests.mutants.mutant import Mutant

_claim = partial(Mutant, "claim")
_SERIALS = "tests/unit/test_serials.py"

MUTANTS = (
    _claim(
        "block.py::Block.free",
        "del cache.live[serial]",
        """
if cache.live.get(serial) is None:
    raise KeyError
cache.live.pop(serial, None)
""",
        "of two frees that look at once, both win",
        (meeting("free", "free"),),
    ),
    _claim(
        "record.py::Record.claim",
        "return region is not None and region.live.pop(serial, None) is not None",
        """
if region is None or region.live.get(serial) is None:
    return False
region.live.pop(serial, None)
return True
""",
        "of two frees that look at once, both win",
        (protocol("OneOfTwoAddressFrees"),),
    ),
    _claim(
        "record.py::Record._make_roots",
        "self.roots = roots = region.roots.setdefault(self.position, [])",
        "self.roots = roots = region.roots[self.position] = region.roots.get(self.position) or []",
        "of two first views made at once, one is forgotten",
        ("tests/threads/test_free_guards.py::test_two_first_views_have_one_list_of_owners",),
    ),
    _claim(
        "ends.py::Ends._free_slowly",
        "if record.serial == serial and record.claim(serial):",
        "if record.serial == serial and record.is_live:",
        "a block freed past the cache is freed, and lives on",
        ("tests/heap/test_scope.py",),
    ),
    _claim(
        "ends.py::Ends._drop",
        "if not record.claim(serial):",
        "if not record.is_live:",
        "a dropped block comes home and counts as live",
        ("tests/heap/test_handles.py",),
    ),
    _claim(
        "ends.py::Ends._drop",
        "if not record.claim(serial):",
        "if not record.claim(record.serial):",
        "word of a handle that died ends the next allocation of its record",
        (f"{_SERIALS}::test_late_word_of_a_drop_ends_nothing_else",),
    ),
    _claim(
        "ends.py::Ends._look",
        "if live.claim(hint.serial):",
        "if live.is_live:",
        "an array that ended counts as live",
        ("tests/heap/test_arrays.py",),
    ),
    _claim(
        "raw.py::Raw.free",
        "if not record.claim(serial):",
        "if not record.is_live:",
        "of two frees of an address at once both win",
        ("tests/heap/test_misuse_free.py",),
    ),
    _claim(
        "raw.py::Raw.free",
        "if not record.claim(serial):",
        "if not record.claim(record.serial):",
        "of two frees of an address at once, the second ends what was allocated there in between",
        (f"{_SERIALS}::test_a_free_of_an_address_ends_what_it_found",),
    ),
    _claim(
        "arena.py::Arena._release_all",
        "if record.claim(serial):",
        "if record.is_live:",
        "what a reset took back can still be freed",
        (meeting("reset", "view"),),
    ),
    _claim(
        "search.py::sweep",
        "if record.claim(serial):",
        "if record.is_live:",
        "what was found to be forgotten counts as live",
        ("tests/threads/test_lost_words.py",),
    ),
    _claim(
        "search.py::sweep",
        "if record.claim(serial):",
        "if record.claim(record.serial):",
        "what was found to be forgotten is freed, allocated again, and ended",
        (f"{_SERIALS}::test_a_sweep_ends_what_it_found",),
    ),
    _claim(
        "table.py::SpanTable.put_back_unseen",
        "return record.claim(serial) and self.put_back(record)",
        "return self.put_back(record)",
        "an array that ended counts as live",
        ("tests/heap/test_unnoticed_ends.py",),
    ),
    _claim(
        "table.py::SpanTable.put_back_unseen",
        "return record.claim(serial) and self.put_back(record)",
        "return record.claim(record.serial) and self.put_back(record)",
        "an array that ended, and was taken back, ends the next one in its place",
        (f"{_SERIALS}::test_a_look_at_an_array_ends_that_array",),
    ),
    _claim(
        "table.py::SpanTable.bump",
        "self.live.pop(chunk.serial, None)",
        "pass",
        "a chunk that is used up is freed under the block in its place",
        ("tests/heap/test_scope.py",),
    ),
    _claim(
        "resizing.py::_move",
        """
try:
    del old_live[serial]
except KeyError:
""",
        """
if old_live.pop(serial, None) is None and False:
""",
        "a block freed while it is moved is freed, and lives on in its new place",
        (meeting("grow", "free"),),
    ),
    _claim(
        "resizing.py::_move",
        "if new_live.pop(new_serial, None) is not None:",
        "if new_serial in new_live:",
        "the new place of a block freed while it was moved comes home and counts as live",
        (meeting("grow", "free"),),
    ),
    _claim(
        "cache.py::Cache._stock",
        "stock = self._stocks.setdefault(key, Stock(self, span, max(span, _LEAST_CHARGE)))",
        "stock = self._stocks[key] = Stock(self, span, max(span, _LEAST_CHARGE))",
        "what a handler has kept meanwhile is lost",
        ("tests/unit/test_serials.py::test_a_length_met_twice_at_once_has_one_stock",),
    ),
    _claim(
        "roster.py::Roster._make_large",
        'return self._large.setdefault("arena", arena)',
        """
self._large["arena"] = arena
return arena
""",
        "of two arenas of large blocks made at once, either serves: the warm stock is divided",
        ("tests/threads/test_first_calls.py::test_one_arena_serves_large_blocks",),
    ),
    _claim(
        "upkeep.py::Upkeep.start_decay",
        'if self._watches.setdefault("decay", mine) is mine:',
        "if self._watches.update(decay=mine) is None:",
        "a second thread is started, and the first never ends",
        ("tests/threads/test_end_guards.py::test_decay_is_started_once",),
    ),
    _claim(
        "default.py::_make_default",
        'return _slot.setdefault("default", heap)',
        """
_slot["default"] = heap
return heap
""",
        "two threads get different default heaps",
        ("tests/threads/test_first_calls.py::test_there_is_one_default_heap",),
    ),
    _claim(
        "backing/exclusive.py::Exclusive.claim",
        "while (holder := self._holders.setdefault(turn, mine)) is not mine:",
        "while (holder := (self._holders.get(turn) or self._holders.setdefault(turn, mine) and mine)) is not mine:",
        "two heaps built at once share one range",
        ("tests/threads/test_first_calls.py::test_one_range_serves_one_heap",),
    ),
    _claim(
        "backing/address_space.py::AddressSpace.map",
        "self._exclusive.claim(addresses, repr(self))",
        "pass",
        "two heaps hand out the same integers",
        ("tests/unit/test_one_range_backings.py",),
    ),
    _claim(
        "backing/file.py::FileMemory.map",
        "self._exclusive.claim(memory.exporter, repr(self))",
        "pass",
        "two heaps hand out the same bytes of a file",
        ("tests/unit/test_one_range_backings.py",),
    ),
)
