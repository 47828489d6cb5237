"""View against free, resize and reset: mutants that do not look again after a view, or its absence, was published."""

from __future__ import annotations

from functools import partial

from tests.mutants.hints import meeting
from tests.mutants.mutant import Mutant

_recheck = partial(Mutant, "re-check")

MUTANTS = (
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
