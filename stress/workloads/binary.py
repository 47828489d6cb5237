"""Pairs of a small and a large block; then all the large ones are freed, and blocks of both sizes' sum wanted.

None of the holes, each between two small blocks, can hold one of them: an allocator does well that has put blocks of
one size side by side.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from . import alone
from .model import Workload

if TYPE_CHECKING:
    from ..client import Client
    from ..stage import Stage

SOURCE = "R. E. Bryant, D. R. O'Hallaron: the Malloc Lab of Computer Systems: A Programmer's Perspective, 2002: "


def workload(name: str, small: int, large: int, pairs: int) -> Workload:
    """Pairs of blocks of ``small`` and ``large`` bytes."""
    about = f"pairs of {small} and {large} bytes, the larger ones freed, then blocks of {small + large}"
    return Workload(name, about, SOURCE + f"{name}.rep", partial(_play, small, large, pairs))


def _play(small: int, large: int, pairs: int, stage: Stage[Any]) -> None:
    def play_round(client: Client[Any]) -> None:
        freed = []
        for _ in range(stage.scaled(pairs)):
            stage.go_on()
            client.allocate(small)
            freed.append(client.allocate(large))
        for held in freed:
            client.free(held)
        for _ in range(stage.scaled(pairs)):
            stage.go_on()
            client.allocate(small + large)

    alone.play(stage, play_round)


WORKLOAD = workload("binary", 64, 448, 2000)
