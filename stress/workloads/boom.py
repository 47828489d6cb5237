"""The worst that is known for first fit, and near the worst for any allocator that cannot move blocks.

m blocks of one unit; every other one is freed, and m/2 blocks of two units are wanted, for which no hole is large
enough; every other one of all that is left is freed, and m/4 blocks of four units are wanted; and so on, to one block
of m units. Never are more than about 2 m units live. First fit takes fresh memory each time: about m log₂(m) units.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from . import alone
from .model import Workload
from .yardstick import Yardstick

if TYPE_CHECKING:
    from ..client import Client, Held
    from ..stage import Stage

UNIT: Final = 64
"""Bytes: not less than most allocators round up to, lest it be rounding that is measured."""
UNITS: Final = 2048
"""The m, of each thread; rounded down to a power of two."""


def play(stage: Stage[Any]) -> None:
    """Each thread plays the adversary, all at once."""
    yardstick = Yardstick(stage)
    units = 1 << (stage.scaled(UNITS, least=2).bit_length() - 1)
    alone.play(stage, lambda client: _play_round(stage, client, units, yardstick))
    yardstick.tell()


def _play_round(stage: Stage[Any], client: Client[Any], units: int, yardstick: Yardstick) -> None:
    generations: list[list[Held[Any]]] = []
    size = 1
    while size <= units:
        generation = []
        for _ in range(units // size):
            stage.go_on()
            held = client.allocate(size * UNIT)
            if held is not None:
                generation.append(held)
        # By address, since after the first round what is allocated one after the other need not lie so.
        generations.append(sorted(generation, key=lambda held: held.address))
        yardstick.look()
        generations = [_thinned(stage, client, each) for each in generations]
        size *= 2


def _thinned(stage: Stage[Any], client: Client[Any], generation: list[Held[Any]]) -> list[Held[Any]]:
    for held in generation[1::2]:
        stage.go_on()
        client.free(held)
    return generation[::2]


WORKLOAD: Final = Workload(
    "boom",
    "every other block freed, then blocks of twice the size: the worst case of first fit",
    "B. Kuszmaul: Boom (github.com/kuszmaul/malloc-benchmarks), after J. M. Robson: Worst case fragmentation of first "
    "fit and best fit storage allocation strategies, The Computer Journal 20 (3), 1977",
    play,
)
