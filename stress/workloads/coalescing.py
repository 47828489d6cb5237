"""Two neighbours are freed, and then a block wanted of just their size: an allocator has to join them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from . import alone
from .binary import SOURCE
from .model import Workload

if TYPE_CHECKING:
    from ..client import Client
    from ..stage import Stage

HALF: Final = 4095
TIMES: Final = 2400


def play(stage: Stage[Any]) -> None:
    """Each thread on blocks of its own."""

    def play_round(client: Client[Any]) -> None:
        for _ in range(stage.scaled(TIMES)):
            stage.go_on()
            halves = client.allocate(HALF), client.allocate(HALF)
            for half in halves:
                client.free(half)
            client.free(client.allocate(2 * HALF))

    alone.play(stage, play_round)


WORKLOAD: Final = Workload(
    "coalescing",
    f"two blocks of {HALF} bytes freed, then one of {2 * HALF}, again and again",
    SOURCE + "coalescing.rep",
    play,
)
