"""A heap's snapshot as a map: regions, tiled by spans."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from .protocol import MappedRegion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import arenas

Span = tuple[int, int, str]


def regions(spans: Iterable[arenas.SpanInfo]) -> list[MappedRegion]:
    """Group spans that lie end to end, and join neighbours in the same state: a map is to be looked at."""
    found: list[MappedRegion] = []
    for arena, group in groupby(spans, key=lambda span: span.arena):
        for tiles in _runs((span.offset, span.span, span.state) for span in group):
            offset = tiles[0][0]
            found.append(MappedRegion(arena, offset, tiles[-1][0] + tiles[-1][1] - offset, tuple(_joined(tiles))))
    return found


def _runs(spans: Iterable[Span]) -> Iterator[list[Span]]:
    run: list[Span] = []
    for span in spans:
        if run and run[-1][0] + run[-1][1] != span[0]:
            yield run
            run = []
        run.append(span)
    if run:
        yield run


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    for state, group in groupby(spans, key=lambda span: span[2]):
        same = list(group)
        yield same[0][0], sum(size for _, size, _ in same), state
