"""View against free, resize and reset: mutants that do not look again after a view, or its absence, was published."""

from __future__ import annotations

from functools import partial

from tests.mutants.hints import meeting, protocol
from tests.mutants.mutant import Mutant

_recheck = partial(Mutant, "re-check")

MUTANTS = (
    _recheck(
        "block.py::Block.view",
        "self._serial in record.region.live",
        "True",
        "a view taken while the block is freed sees the successor in its place",
        (meeting("view", "free"),),
    ),
    _recheck(
        "block.py::Block.view",
        "record.phase is None",
        "True",
        "a view taken while the block moves sees the place it moves from",
        (meeting("grow", "view"),),
    ),
    _recheck(
        "block.py::Block.view",
        "record.size == size",
        "True",
        "a view taken while the block is resized in place has the size it had",
        (protocol("ViewAndShrink"),),
    ),
    _recheck(
        "block.py::Block.view",
        "self._record is record",
        "True",
        "a view taken while the block moves, between the looks, sees the place it moved from",
        (meeting("view", "grow"),),
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
        "if record.phase is not None:",
        "if False:",
        "two resizes of one block at once",
        (meeting("grow", "grow_and_view"),),
    ),
    _recheck(
        "arena.py::Arena._begin_move",
        """
record.phase = mover
if serial not in live:
    record.phase = None
    raise BlockReleasedError(f"allocation {number(serial)} was freed")
if record.visible():
    record.phase = None
    raise BufferError(f"allocation {record.number} of {record.size} bytes has a view; it cannot be resized")
""",
        """
if record.visible():
    raise BufferError(f"allocation {record.number} of {record.size} bytes has a view; it cannot be resized")
record.phase = mover
if serial not in live:
    record.phase = None
    raise BlockReleasedError(f"allocation {number(serial)} was freed")
""",
        "a view made between the look and the bar is not seen",
        (meeting("grow", "view"),),
    ),
    _recheck(
        "arena.py::Arena.resize",
        "if record.phase is mover:",
        "if True:",
        "a resize that was refused lifts another one's bar",
        (meeting("grow", "grow_and_view"),),
    ),
    _recheck(
        "ends.py::Ends._free_slowly",
        "if block._record is record:",
        "if True:",
        "a block that moved between the two looks is said to have been freed",
        ("tests/threads/test_free_guards.py::test_a_block_that_moves_while_it_is_freed_is_freed_where_it_is",),
    ),
)
