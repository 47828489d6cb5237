"""What a workload is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..stage import Stage


@dataclass(frozen=True, slots=True)
class Workload:
    """A way of using an allocator that is known to be hard on some.

    ``play`` runs in the main thread until ``stage.going`` is false, at least one round; it raises ``UnavailableError``
    where it does not apply. What it leaves live is freed for it.
    """

    name: str
    about: str
    """What it does to an allocator, in a line."""
    source: str
    """Who described it."""
    play: Callable[[Stage[Any]], None]
    threads: int = 4
    """At once, unless the user says otherwise."""
