"""A finalizer that was interrupted before it could leave word: slow paths find what it forgot."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

import arenas
from tests.threads.helpers import elsewhere, prove_whole

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every finalizer of a block is interrupted; what was reported about that."""
    reports: list[object] = []

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "unraisablehook", lambda report: reports.append(report.exc_type))
    monkeypatch.setattr(arenas.Heap, "_handle_died", interrupt)
    return reports


def _refuse(heap: arenas.Heap) -> None:
    with pytest.raises(arenas.OutOfMemoryError):
        heap.alloc(1 << 20)


FINDERS: dict[str, Callable[[arenas.Heap], object]] = {
    "check": lambda heap: heap.check(),
    "trim": lambda heap: heap.trim(),
    "a refused request": _refuse,
}


def _plain(heap: arenas.Heap) -> None:
    heap.alloc(1000)


def _viewed(heap: arenas.Heap) -> None:
    heap.alloc(1000).view[:4] = b"seen"


def _resized(heap: arenas.Heap) -> None:
    block = heap.alloc(1000)
    fence = heap.alloc(10)
    block.view[:4] = b"seen"
    block.resize(5000)
    fence.free()


def _remote(heap: arenas.Heap) -> None:
    elsewhere(lambda: _viewed(heap))


DROPS = {"plain": _plain, "viewed": _viewed, "resized": _resized, "by another thread": _remote}


@pytest.mark.parametrize("drop", DROPS)
@pytest.mark.parametrize("finder", FINDERS)
def test_a_block_whose_finalizer_was_interrupted_is_found(interrupted: list[object], finder: str, drop: str) -> None:
    """The block is live, and nobody holds it: it counts as dropped at the next slow path."""
    heap = arenas.Heap(region_bytes=1 << 16, limit_bytes=1 << 16)
    DROPS[drop](heap)
    assert set(interrupted) == {KeyboardInterrupt}
    FINDERS[finder](heap)
    assert heap.stats().live_blocks == 0
    assert heap.stats().dropped == len(interrupted)
    prove_whole(heap)


@pytest.mark.parametrize("finder", FINDERS)
def test_what_is_still_held_is_not_mistaken_for_lost(interrupted: list[object], finder: str) -> None:
    """The search takes no block whose handle is alive, in a variable, a container or another thread's stack; nor an
    address, nor an open scope.
    """
    heap = arenas.Heap(region_bytes=1 << 16, limit_bytes=1 << 17)
    plain, viewed = heap.alloc(100), heap.alloc(200)
    view = viewed.view
    boxed = [heap.alloc(300)]
    address = heap.malloc(400)
    with heap.scope() as scope:
        inside = scope.alloc(50)
        elsewhere(lambda: FINDERS[finder](heap))
        assert heap.stats().live_blocks == 5
        assert not any(block.released for block in (plain, viewed, boxed[0], inside))
        assert heap.find(address) is not None
    del view
    for block in (plain, viewed, boxed[0]):
        block.free()
    heap.free(address)
    assert not interrupted
    del block, plain, viewed, boxed, inside, scope
    prove_whole(heap)


@pytest.mark.parametrize("finder", FINDERS)
def test_what_an_interrupted_finalizer_left_visible_is_parked(interrupted: list[object], finder: str) -> None:
    """A block lost while a view of it lives stays out of use until the view is gone."""
    heap = arenas.Heap(region_bytes=1 << 16, limit_bytes=1 << 16)
    view = heap.alloc(1000).view
    view[:4] = b"seen"
    FINDERS[finder](heap)
    assert heap.stats().parked_bytes == 1024
    assert bytes(view[:4]) == b"seen"
    view.release()
    prove_whole(heap)
