"""All mutants, and the guards that have none, each with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.mutants import claims, drains, locks, rechecks

if TYPE_CHECKING:
    from tests.mutants.mutant import Kind

MUTANTS = (*locks.MUTANTS, *drains.MUTANTS, *claims.MUTANTS, *rechecks.MUTANTS)

EXEMPT: dict[tuple[Kind, str], str] = {
    ("claim", "arena.py::Arena.close"): "the books go as a whole right after; who frees meanwhile has freed",
    ("claim", "scope.py::_this_thread"): "the dict is the thread's own",
    ("claim", "snapshot.py::Snapshot.statistics"): "the dict is the caller's own",
}
