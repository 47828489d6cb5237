"""Many live blocks of random sizes, as a program has them: allocated, or also replaced at random for a long time."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final

import arenas

from . import peers
from .loops import Names

REPLACED: Final = 3
"""How often each place of an aged set has been given another block: by then the holes have settled."""

_SMALLEST, _LARGEST = 64, 4096
_SEED: Final = 2
_SIZES_KEPT: Final = 4096

Allocate = Callable[[int], Any]
Release = Callable[[Any], object]
Provide = Callable[[], AbstractContextManager[Names]]


def random_sizes(seed: int = _SEED) -> Iterator[int]:
    """Sizes in bytes, without end; the same every time."""
    draw = random.Random(seed)  # noqa: S311 - no secret
    while True:
        yield draw.randrange(_SMALLEST, _LARGEST + 1)


def build(allocate: Allocate, release: Release, count: int, *, replaced: int) -> list[Any]:
    """Allocate ``count`` blocks, then ``replaced`` times as often free one at random for a new one."""
    sizes = random_sizes()
    blocks = [allocate(next(sizes)) for _ in range(count)]
    draw = random.Random(_SEED)  # noqa: S311 - no secret
    for _ in range(replaced * count):
        place = draw.randrange(count)
        release(blocks[place])
        blocks[place] = allocate(next(sizes))
    return blocks


def heap(count: int, *, replaced: int = 0, cache_bytes: int | None = None) -> Provide:
    """A heap among ``count`` live blocks; 0 ``cache_bytes``: without thread caches, so that each request is placed."""

    @contextmanager
    def provide() -> Iterator[Names]:
        with arenas.Heap(cache_bytes=cache_bytes) as opened:
            alive = build(opened.alloc, arenas.Block.free, count, replaced=replaced)
            yield {"alloc": opened.alloc, "size": _cycle(), "_alive": alive}

    return provide


def shared_heap(count: int, *, replaced: int = 0) -> Provide:
    """The same for ``multiprocessing.heap``."""

    @contextmanager
    def provide() -> Iterator[Names]:
        with peers.SHARED_HEAP.provide() as names:
            alive = build(names["malloc"], names["free"], count, replaced=replaced)
            yield {**names, "size": _cycle(), "_alive": alive}

    return provide


def _cycle() -> Callable[[], int]:
    """Sizes drawn beforehand, so that drawing them is not timed."""
    return itertools.cycle(itertools.islice(random_sizes(_SEED + 1), _SIZES_KEPT)).__next__
