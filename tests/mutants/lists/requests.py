"""Requests against reset, close and the limit: mutants that do not look again at what they were given."""

from __future__ import annotations

from functools import partial

from tests.mutants.hints import meeting
from tests.mutants.mutant import Mutant

_recheck = partial(Mutant, "re-check")

MUTANTS = (
    _recheck(
        "service.py::Service._serve",
        "if record.serial in record.region.live:  # type: ignore[union-attr]",
        "if True:",
        "a request gives a block that a reset took back meanwhile",
        ("tests/threads/test_ended_requests.py::test_a_request_survives_a_reset",),
    ),
    _recheck(
        "service.py::Service._serve",
        "if self._manager.closed:",
        "if False:",
        "a request gives a block of a heap that was closed meanwhile",
        ("tests/threads/test_ended_requests.py::test_a_closed_heap_gives_nothing",),
    ),
    _recheck(
        "growth.py::place_in_new_region",
        "if not table.backing.growable or table.closed:",
        "if not table.backing.growable:",
        "an arena grows after its heap was closed",
        (meeting("grow", "close"),),
    ),
    _recheck(
        "roster.py::Roster._enter",
        "if self.closed:  # entered first, then looked: `close` did not see it, perhaps",
        "if False:",
        "an arena made while the heap was closed grows",
        ("tests/threads/test_end_guards.py::test_an_arena_made_while_the_heap_closed_is_closed",),
    ),
    _recheck(
        "service.py::Service._clear",
        "if anchor is not None and not block.released and record.address is not None:",
        "if anchor is not None and record.address is not None:",
        "as before, when the reset came before the anchor",
        ("tests/threads/test_ended_requests.py::test_a_request_survives_a_reset",),
    ),
    _recheck(
        "service.py::Service._clear",
        "anchor = record.view(record.size)",
        "anchor = record.region",
        "zeros are written over the successor of a block that a reset took back meanwhile",
        ("tests/threads/test_ended_requests.py::test_a_request_survives_a_reset",),
    ),
    _recheck(
        "growth.py::place_in_new_region",
        """
table.drop_region(region)
return False
""",
        "return False",
        "a region whose pages were refused stays",
        ("tests/heap/test_limit.py::test_refused_requests_leave_nothing_behind",),
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
