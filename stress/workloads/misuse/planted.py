"""Writing where one must not, past all that an allocator can see: the referee has to notice, and say what it was.

Each is played on a private allocator, whose blocks are all the writer's own, and before a private referee, whose faults
are expected. An allocator that guards its blocks would raise an error of its own before the referee looks; then that is
the outcome.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, Final

from ...faults import Kind
from ..alone import free_all
from .case import Case, NotPlayedError, Reported

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...client import Client, Held
    from .case import Misuse, Prepare, Scene

SIZE: Final = 256
"""Bytes of a block: nothing is left by rounding, so that neighbours touch."""
BLOCKS: Final = 64
WRITTEN: Final = 8
"""Bytes."""


def _plant(write: Callable[[Client[Any], list[Held[Any]]], None]) -> Prepare:
    """Have something written among some blocks, and free them, as a referee sees it."""

    def prepare(scene: Scene) -> Misuse:
        referee = scene.referee()
        client = referee.client()
        blocks = [held for _ in range(BLOCKS) if (held := client.allocate(SIZE)) is not None]
        if not blocks:
            raise NotPlayedError

        def misuse() -> Reported:
            write(client, blocks)
            free_all(client)
            return Reported(" and ".join(referee.faults.kinds()) or "nothing")

        return misuse

    return prepare


def _scribble(address: int) -> None:
    """Change every bit of some bytes, lest one be what it was."""
    memory = (ctypes.c_ubyte * WRITTEN).from_address(address)
    memory[:] = [byte ^ 0xFF for byte in memory]


def _neighbours(blocks: list[Held[Any]]) -> tuple[Held[Any], Held[Any]]:
    by_address = {held.address: held for held in blocks}
    for held in blocks:
        if held.end in by_address:
            return held, by_address[held.end]
    raise NotPlayedError


def _overrun(_client: Client[Any], blocks: list[Held[Any]]) -> None:
    before, _ = _neighbours(blocks)
    _scribble(before.end)


def _underrun(_client: Client[Any], blocks: list[Held[Any]]) -> None:
    _, behind = _neighbours(blocks)
    _scribble(behind.address - WRITTEN)


def _late_write(client: Client[Any], blocks: list[Held[Any]]) -> None:
    victim = blocks[len(blocks) // 2]
    place = victim.address + SIZE // 2
    client.free(victim)
    for _ in range(BLOCKS):  # until its memory serves again
        held = client.allocate(SIZE)
        if held is not None and held.address <= place < held.end:
            _scribble(place)
            return
    raise NotPlayedError


def _stray_write(_client: Client[Any], blocks: list[Held[Any]]) -> None:
    _scribble(blocks[len(blocks) // 2].address + SIZE // 2)


CASES: Final = (
    Case("a block written beyond its end", _plant(_overrun), Kind.OVERRUN),
    Case("a block written before its start", _plant(_underrun), Kind.UNDERRUN),
    Case("a block written after free", _plant(_late_write), Kind.LATE_WRITE),
    Case("a block written by nobody knows whom", _plant(_stray_write), Kind.CORRUPTION),
)
