"""Mutants in which two threads can both have what only one may."""

from __future__ import annotations

from functools import partial

from tests.mutants.hints import meeting
from tests.mutants.mutant import Mutant

_claim = partial(Mutant, "claim")

MUTANTS = (
    _claim(
        "record.py::Record.claim",
        "return self.live.pop(self.serial, None) is not None",
        """
if self.live.get(self.serial) is None:
    return False
self.live.pop(self.serial, None)
return True
""",
        "of two frees that look at once, both win",
        (meeting("free", "free"),),
    ),
    _claim(
        "service.py::Service._free_block",
        "if record.claim():",
        "if record.is_live:",
        "of two frees at once both win",
        (meeting("free", "free"),),
    ),
    _claim(
        "service.py::Service._drain_inbox",
        "elif item.claim():",
        "elif item.is_live:",
        "a dropped block comes home and counts as live",
        ("tests/heap/test_handles.py",),
    ),
    _claim(
        "raw.py::Raw.free",
        "if not record.claim():",
        "if not record.is_live:",
        "of two frees of an address at once both win",
        ("tests/heap/test_misuse_free.py",),
    ),
    _claim(
        "arena.py::Arena.release_all",
        "if record.claim():",
        "if record.is_live:",
        "what a reset took back can still be freed",
        (meeting("reset", "view"),),
    ),
    _claim(
        "search.py::sweep",
        "if record.claim():",
        "if record.is_live:",
        "what was found to be forgotten counts as live",
        ("tests/threads/test_lost_words.py",),
    ),
    _claim(
        "table.py::SpanTable.put_back_unseen",
        "return record.claim() and self.put_back(record)",
        "return self.put_back(record)",
        "an array that ended counts as live",
        ("tests/heap/test_arrays.py",),
    ),
    _claim(
        "table.py::SpanTable.bump",
        "self.live.pop(chunk.serial, None)",
        "pass",
        "a chunk that is used up is freed under the block in its place",
        ("tests/heap/test_scope.py",),
    ),
    _claim(
        "resizing.py::_resize",
        "new, claim = other._record, block._record, record.live.pop",
        "new, claim = other._record, block._record, lambda serial, _: record.live.pop(serial, None) or record",
        "a block freed while it is moved is freed, and lives on in its new place",
        (meeting("grow", "free"),),
    ),
    _claim(
        "resizing.py::_resize",
        "if new.claim():",
        "if new.is_live:",
        "the new place of a block freed while it was moved comes home and counts as live",
        (meeting("grow", "free"),),
    ),
    _claim(
        "manager.py::Manager._make_large",
        'return self._large.setdefault("arena", arena)',
        """
self._large["arena"] = arena
return arena
""",
        "of two arenas of large blocks made at once, either serves: the warm stock is divided",
        ("tests/threads/test_first_calls.py::test_one_arena_serves_large_blocks",),
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
