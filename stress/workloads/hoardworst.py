"""The worst that is known for allocators that keep each size apart, in superblocks of their own.

For one size after another: some superblocks full of it are allocated, and then all but one block in each is freed. The
superblocks can neither be given back nor serve the next size. So memory grows by as much with every size, while next to
nothing is live.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from . import alone
from .model import Workload
from .yardstick import Yardstick

if TYPE_CHECKING:
    from ..client import Client
    from ..stage import Stage

SUPERBLOCK: Final = 8192
"""Bytes; longer blocks than half of one have none in Hoard."""
SUPERBLOCKS: Final = 8
"""Of each size, for each thread."""
SMALLEST: Final = 16
GROWTH: Final = 1.2
"""From one of Hoard's sizes to the next, rounded up to a multiple of the smallest."""


def sizes() -> list[int]:
    """Hoard's sizes."""
    found = [SMALLEST]
    while (size := -(-int(found[-1] * GROWTH + 1) // SMALLEST) * SMALLEST) <= SUPERBLOCK // 2:
        found.append(size)
    return found


def play(stage: Stage[Any]) -> None:
    """Each thread plays the adversary, all at once."""
    yardstick = Yardstick(stage)
    alone.play(stage, lambda client: _play_round(stage, client, yardstick))
    yardstick.tell()


def _play_round(stage: Stage[Any], client: Client[Any], yardstick: Yardstick) -> None:
    superblocks = stage.scaled(SUPERBLOCKS)
    for size in sizes():
        in_one = SUPERBLOCK // size
        held = []
        for _ in range(superblocks * in_one):
            stage.go_on()
            held.append(client.allocate(size))
        yardstick.look()
        for number, each in enumerate(held):
            if number % in_one:
                stage.go_on()
                client.free(each)


WORKLOAD: Final = Workload(
    "hoardworst",
    "for size after size, all blocks freed but one in each superblock: the worst case of size classes",
    "B. Kuszmaul: HoardWorst (github.com/kuszmaul/malloc-benchmarks); sizes of E. D. Berger and others: Hoard, a "
    "scalable memory allocator for multithreaded applications, ASPLOS 2000",
    play,
)
