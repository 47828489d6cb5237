"""Changing a block's size: in place where there is room, else by moving."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, SupportsIndex

from .errors import BlockReleasedError
from .record import NEVER_KEPT, Held, Mover, Record, terms
from .sizes import checked_size
from .system import FREE_THREADED

if TYPE_CHECKING:
    from .block import Block
    from .service import Service


def resize(heap: Service, block: Block, size: SupportsIndex) -> None:
    """What :meth:`arenas.Block.resize` promises. A failure or an interruption leaves the block as it was."""
    heap = heap.whole  # a façade's cache is its thread's, and any thread may resize
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
    while True:
        record, serial = block._pair()
        try:
            if _resize_here(heap, block, record, serial, number):
                return
            break
        except BlockReleasedError:
            if block._record is record:
                raise BlockReleasedError(f"{block!r} was freed; it cannot be resized") from None
            # Moved by another thread's resize between the two looks.
    request = Record(number, heap._span(number, record.alignment), terms(Held.HANDLE, record.alignment, record.tag))
    if not heap.backing.has_memory:
        raise heap._refusal(request, f"{block!r} cannot grow in place, and its contents are not ours to move")
    _move(heap, block, heap._unserved(request))


def _resize_here(heap: Service, block: Block, record: Record, serial: int, number: int) -> bool:
    if block.released:
        raise BlockReleasedError
    span = heap._span(number, record.alignment)
    arena = heap._manager.arena_at[record.arena_number]
    if arena.resize(record, serial, number, span):
        return True
    # What lies behind may be on its way back, and the limit be eaten up by idle pages.
    return heap._manager.make_room(span) and arena.resize(record, serial, number, span)


def _move(heap: Service, block: Block, other: Block) -> None:
    new, new_serial = _change_places(heap, block, other)
    # The handles have changed places: `other` is that of the old one, until it is claimed. Not before then is the new
    # one held as the old one was, by an address perhaps; nothing between the two steps can be interrupted.
    old, serial = other._record, other._serial
    old_live, new_live = old.region.live, new.region.live  # type: ignore[union-attr]
    new.terms = old.terms
    try:
        del old_live[serial]
    except KeyError:
        # Another thread freed the block while it was copied, and was told that this succeeded: so be it.
        if new_live.pop(new_serial, None) is not None:
            heap._release(new)
        raise BlockReleasedError(f"{block!r} was freed while it was being resized") from None
    old.held = Held.MOVED
    old.stock = NEVER_KEPT  # what grows by doubling may use it again, joined with its neighbours
    heap._release(old)


def _change_places(heap: Service, block: Block, other: Block) -> tuple[Record, int]:
    record, serial = block._pair()
    mover = Mover(serial)
    anchor: memoryview | None = None
    target: memoryview | None = None
    try:
        # The anchor keeps the old place from being used again, should another thread free the block meanwhile.
        anchor = heap._manager.arena_at[record.arena_number].begin_move(record, serial, mover)
        heap._serve(other, zero=False, timeout=0)
        target = other.view
        copied = min(record.size, len(target))
        if copied and anchor is not None:
            ctypes.memmove(other.address, record.address or 0, copied)  # releases the GIL
        new, new_serial = other._record, other._serial
        # Stores, with nothing between them at which an interpreter delivers an interrupt. Without the GIL another
        # thread may see some of them: the serial first, so that it meets the mover until both are there.
        other._record, other._serial = record, serial
        block._serial = new_serial
        block._record = new
    finally:
        if record.phase is mover:
            record.phase = None
        # An error's traceback keeps this frame, and must not keep the memory visible.
        anchor = target = None
    return new, new_serial
