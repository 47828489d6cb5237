"""Alloc and free, of one small size, by one thread, warm: what a call into the heap costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .. import peers
from ..loops import timed
from ..model import Case, Comparison, Work

if TYPE_CHECKING:
    from ..budget import Budget


def _cases(budget: Budget) -> list[Case]:
    ours = (peers.HEAP, peers.LOCAL)
    others = (peers.SHARED_HEAP, peers.LIBC, peers.NUMPY, *peers.OTHERS)
    entrants = [timed(peer.name, peer.code, peer.provide, budget.turn_seconds) for peer in (*ours, *others)]
    comparisons = []
    for face in ours:
        comparisons += [
            Comparison(face.name, peers.SHARED_HEAP.name, target=0.25, stretch=0.15),
            Comparison(face.name, peers.LIBC.name, target=1.4, stretch=1.0),
            Comparison(face.name, peers.NUMPY.name, target=4, stretch=3),
            *(Comparison(face.name, peer.name) for peer in peers.OTHERS),
        ]
    return [Case("4 KiB", entrants, comparisons)]


WORK: Final = Work(
    "pair",
    "Alloc and free, 4 KiB, warm, one thread",
    "A block is allocated and freed at once, again and again; nothing is written to it. `np.empty` and `bytearray` are "
    "made in C, and keep no books.",
    _cases,
)
