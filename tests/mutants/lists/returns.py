"""Spans on their way back: mutants that do not look whether somebody was first, or what else there is."""

from __future__ import annotations

from functools import partial

from tests.mutants.hints import meeting
from tests.mutants.mutant import Mutant

_recheck = partial(Mutant, "re-check")

MUTANTS = (
    _recheck(
        "table.py::SpanTable.put_back",
        "if self.carved.get(record.position) is not record:",
        "if record.position not in self.carved:",
        "a record met twice gives back the span of its successor",
        ("tests/unit/test_sections.py::test_a_record_met_twice_gives_nothing_back_of_its_successor",),
    ),
    _recheck(
        "table.py::SpanTable.bump",
        "if chunk.serial not in self.live or position < chunk.position:",
        "if position < chunk.position:",
        "a scope goes on carving from a chunk that a reset took away",
        (meeting("bump", "reset"),),
    ),
    _recheck(
        "ends.py::Ends._look",
        "if parked is not None:",
        "if False:",
        "what was parked comes home at the next slow path only",
        ("tests/heap/test_handles.py::test_what_a_last_view_showed_serves_the_next_request",),
    ),
    _recheck(
        "arena.py::Arena.take",
        """
if table.parked:
    look_at_some(table)  # not every view sends word when it dies
""",
        "pass",
        "what slices that outlived their views have left is used again when the arena would grow only",
        ("tests/unit/test_sections.py::test_what_was_parked_is_looked_at_before_a_place_is_looked_for",),
    ),
    _recheck(
        "growth.py::place_in_new_region",
        "if look_at_some(table) and table.place(record):",
        "if False:",
        "an arena grows under arrays that were still in sight when word came of their end",
        ("tests/heap/test_unnoticed_ends.py::test_an_array_in_doubt_is_looked_at_before_the_heap_grows",),
    ),
    _recheck(
        "arena.py::Arena._repair",
        "rebuild(self.table)",
        "pass",
        "the next section works on what an interrupted one left",
        ("tests/threads/test_interrupts.py::test_an_interrupt_at_any_point_leaves_a_whole_heap[alloc-1]",),
    ),
    *(
        _recheck(
            f"arena.py::Arena.{section}",
            "self._dirty or ",
            "",
            "it works on what an interrupted section left",
            (f"tests/unit/test_sections.py::test_what_an_interrupt_left_is_made_whole_first[{section}]",),
        )
        for section in ("take", "put_back")
    ),
    *(
        _recheck(
            f"arena.py::Arena.{section}",
            "self._dirty = True",
            "pass",
            "nobody knows that it was interrupted",
            (f"tests/unit/test_sections.py::test_an_interrupted_section_is_known[{section}-{verb}]",),
        )
        for section, verb in (("take", "place"), ("put_back", "put_back"), ("_enter", "bump"))
    ),
    _recheck(
        "arena.py::Arena._enter",
        "if self._dirty:",
        "if False:",
        "the next section works on what an interrupted one left",
        ("tests/threads/test_interrupts.py::test_an_interrupt_at_any_point_leaves_a_whole_heap[alloc-1]",),
    ),
)
