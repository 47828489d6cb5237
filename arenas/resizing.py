"""Changing a block's size: in place where there is room, else by moving."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, SupportsIndex

from .block import Block
from .errors import BlockReleasedError
from .record import Record
from .sizes import checked_size
from .system import FREE_THREADED

if TYPE_CHECKING:
    from .service import Service


def resize(heap: Service, block: Block, size: SupportsIndex) -> None:
    """What :meth:`arenas.Block.resize` promises. A failure or an interruption leaves the block as it was."""
    try:
        _resize(heap, block, size)
    except BufferError:
        if not FREE_THREADED:
            raise
        # Without the GIL, a view that another thread dropped may wait to be finalized by the one that made it.
        heap._collect()
        _resize(heap, block, size)


def _resize(heap: Service, block: Block, size: SupportsIndex) -> None:
    number = checked_size(size)
    heap._begin()
    record = block._record
    if not record.is_live:
        raise BlockReleasedError(f"{block!r} was freed; it cannot be resized")
    request = Record(number, heap._span(number, record.alignment), record.alignment, record.tag)
    arena = heap._manager.arena_at[record.arena_number]
    if arena.resize(record, number, request.span):
        return
    # What lies behind may be on its way back, and the limit be eaten up by idle pages.
    if heap._manager.make_room(request) and arena.resize(record, number, request.span):
        return
    if not heap.backing.has_memory:
        raise heap._refusal(request, f"{block!r} cannot grow in place, and its contents are not ours to move")
    other = Block(heap, request)
    _move(heap, block, other)
    # The handles have changed places: `other` is that of the old one, until it is claimed. Not before then is the new
    # one held as the old one was, by an address perhaps; nothing between the two steps can be interrupted.
    old, new, claim = other._record, block._record, record.live.pop
    new.held = old.held
    if claim(old.serial, None) is not None:
        heap._release(old)
        return
    # Another thread freed the block while it was copied, and was told that this succeeded: so be it.
    if new.claim():
        heap._release(new)
    raise BlockReleasedError(f"{block!r} was freed while it was being resized")


def _move(heap: Service, block: Block, other: Block) -> None:
    record = block._record
    mover = object()
    anchor: memoryview | None = None
    target: memoryview | None = None
    try:
        # The anchor keeps the old place from being used again, should another thread free the block meanwhile.
        anchor = heap._manager.arena_at[record.arena_number].begin_move(record, mover)
        heap._serve(other, zero=False, timeout=0)
        target = other.view
        copied = min(record.size, len(target))
        if copied and anchor is not None:
            ctypes.memmove(other.address, record.address or 0, copied)  # releases the GIL
        record.moved = True
        new = other._record
        # Two stores, with nothing between them at which an interpreter delivers an interrupt.
        block._record = new
        other._record = record
    finally:
        if record.mover is mover:
            record.mover = None
        # An error's traceback keeps this frame, and must not keep the memory visible.
        anchor = target = None
