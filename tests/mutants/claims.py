"""Mutants in which two threads can both have what only one may."""

from __future__ import annotations

from functools import partial

from tests.mutants.mutant import Mutant

_claim = partial(Mutant, "claim")
_RACES = "tests/threads/test_interleavings.py"

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
        (_RACES,),
    ),
    _claim(
        "service.py::Service._free_block",
        "if record.claim():",
        "if record.claim() or True:",
        "a second free of a block succeeds",
        ("tests/heap/test_misuse_free.py",),
    ),
    _claim(
        "service.py::Service._drain_inbox",
        "elif item.claim():",
        "elif item.claim() or True:",
        "a block freed while it is dropped ends twice",
        ("tests/threads/test_races.py",),
    ),
    _claim(
        "raw.py::Raw.free",
        "if not record.claim():",
        "if record.claim() and False:",
        "of two frees of an address that look at once, both win",
        ("tests/threads/test_interleavings.py",),
    ),
    _claim(
        "arena.py::Arena.release_all",
        "if record.claim():",
        "if record.claim() or True:",
        "a block freed while its heap is reset ends twice",
        (_RACES,),
    ),
    _claim(
        "arena.py::Arena.close",
        "if record.claim():",
        "if record.claim() or True:",
        "a block freed while its heap is closed ends twice",
        (_RACES,),
    ),
    _claim(
        "search.py::sweep",
        "if record.claim():",
        "if record.claim() or True:",
        "a block freed while it is found to be forgotten ends twice",
        ("tests/threads/test_lost_words.py",),
    ),
    _claim(
        "table.py::SpanTable.put_back_unseen",
        "return record.claim() and self.put_back(record)",
        "return (record.claim() or True) and self.put_back(record)",
        "an array that ends in two ways at once ends twice",
        (_RACES,),
    ),
    _claim(
        "table.py::SpanTable.bump",
        "self.live.pop(chunk.serial, None)",
        "pass",
        "a chunk that is used up is freed under the block in its place",
        ("tests/heap/test_scope.py",),
    ),
    _claim(
        "repair.py::rebuild",
        "table.live.pop(serial, None)",
        "pass",
        "an allocation that an interruption undid can still be freed",
        ("tests/threads/test_interrupts.py",),
    ),
    _claim(
        "resizing.py::_resize",
        "new, claim = other._record, block._record, record.live.pop",
        "new, claim = other._record, block._record, lambda serial, _: record.live.pop(serial, None) or record",
        "a block freed while it is moved is freed again, and its new place is nobody's",
        (_RACES,),
    ),
    _claim(
        "resizing.py::_resize",
        "if new.claim():",
        "if new.claim() or True:",
        "the new place of a block freed while it was moved is freed twice",
        (_RACES,),
    ),
    _claim(
        "manager.py::Manager._make_large",
        'return self._large.setdefault("arena", arena)',
        """
self._large["arena"] = arena
return arena
""",
        "of two arenas of large blocks made at once, either serves: the warm stock is divided",
        (_RACES,),
    ),
    _claim(
        "default.py::_make_default",
        'return _slot.setdefault("default", heap)',
        """
_slot["default"] = heap
return heap
""",
        "two threads get different default heaps",
        ("tests/heap/test_default_heap.py",),
    ),
    _claim(
        "backing/exclusive.py::Exclusive.claim",
        "while (holder := self._holders.setdefault(turn, mine)) is not mine:",
        "while (holder := (self._holders.get(turn) or self._holders.setdefault(turn, mine) and mine)) is not mine:",
        "two heaps share one range",
        ("tests/unit/test_address_space.py",),
    ),
    _claim(
        "backing/address_space.py::AddressSpace.map",
        "self._exclusive.claim(addresses, repr(self))",
        "pass",
        "two heaps hand out the same integers",
        ("tests/unit/test_address_space.py",),
    ),
    _claim(
        "backing/file.py::FileMemory.map",
        "self._exclusive.claim(memory.exporter, repr(self))",
        "pass",
        "two heaps hand out the same bytes of a file",
        ("tests/unit/test_file_memory.py",),
    ),
)
