"""All mutants, and the guards that have none, each with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.mutants.guards import guards_of, uncovered
from tests.mutants.lists import caches, claims, drains, ends, interruptions, locks, requests, returns, views, waiting
from tests.mutants.mutant import Edit, Kind, Mutant, StaleMutantError, edit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

MUTANTS = (
    *(*locks.MUTANTS, *drains.MUTANTS, *claims.MUTANTS, *caches.MUTANTS, *ends.MUTANTS),
    *(*views.MUTANTS, *returns.MUTANTS, *requests.MUTANTS, *interruptions.MUTANTS, *waiting.MUTANTS),
)

EXEMPT: dict[tuple[Kind, str], str] = {
    ("drain", "arena.py::Arena.read"): "it only notes what lies there: nothing has expired, so nothing comes back",
    (
        "claim",
        "repair.py::rebuild",
    ): "no interrupt leaves anything live that is not carved; the rule is stated all the same",
    ("claim", "routing.py::ByThread.cache"): "the dict is the thread's own; a handler's state in it would be its last",
    ("claim", "routing.py::Shared.cache"): "the dicts are the thread's own, as above",
    ("claim", "scope.py::this_thread"): "the dict is the thread's own",
    ("claim", "snapshot.py::Snapshot.statistics"): "the dict is the caller's own",
}


def fitted(
    mutants: Iterable[Mutant], exempt: Mapping[tuple[Kind, str], str], package: Path
) -> list[tuple[Mutant, Edit]]:
    """Each mutant with its source. Raises ``StaleMutantError`` for all that does not fit: fragments that are not there
    once, guards that no mutant removes, exemptions of nothing.
    """
    found: list[tuple[Mutant, Edit]] = []
    wrong: list[str] = []
    for mutant in mutants:
        try:
            found.append((mutant, edit(mutant, package)))
        except StaleMutantError as error:
            wrong.append(str(error))
    wrong += uncovered(guards_of(package), found, exempt)
    if wrong:
        raise StaleMutantError("\n".join(wrong))
    return found
