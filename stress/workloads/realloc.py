"""One block grows and grows, and each time a small one, allocated behind it, may stand in its way.

The small ones live for one step each, so that there is nearly always room for the growing block where it was, or just
behind: an allocator that moves it further each time needs twice its size.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from . import alone
from .binary import SOURCE
from .model import Workload

if TYPE_CHECKING:
    from ..client import Client
    from ..stage import Stage

STEPS = 4800


def workload(name: str, first: int, step: int, small: int) -> Workload:
    """A block of ``first`` bytes that grows by ``step``, beside blocks of ``small`` bytes."""
    about = f"a block of {first} bytes grows by {step} at a time, small ones come and go beside it"
    return Workload(name, about, SOURCE + f"{name}.rep", partial(_play, first, step, small), threads=2)


def _play(first: int, step: int, small: int, stage: Stage[Any]) -> None:
    def play_round(client: Client[Any]) -> None:
        growing = client.allocate(first)
        before = client.allocate(small)
        for number in range(1, stage.scaled(STEPS) + 1):
            stage.go_on()
            if growing is not None:
                client.resize(growing, first + number * step)
            beside = client.allocate(small)
            client.free(before)
            before = beside

    alone.play(stage, play_round)


WORKLOAD = workload("realloc", first=512, step=128, small=128)
