"""From an integer back to the allocation it belongs to, or to the reason why it is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import DoubleFreeError, ForeignAddressError, InteriorAddressError, InvalidFreeError
from .record import Held, Record
from .snapshot import BlockInfo, info_of

if TYPE_CHECKING:
    from .manager import Manager
    from .region import Region
    from .table import SpanTable


def raw_record(manager: Manager, address: int) -> tuple[Record, int]:
    """The live record of an address from ``malloc``, and its serial. O(log regions).

    Raises the ``InvalidFreeError`` that fits.
    """
    region = manager.addresses.find(address)
    if region is None or region.address is None:
        raise ForeignAddressError(f"address {address:#x} lies in no region of this heap")
    table = manager.arena_at[region.arena_number].table
    position = region.base + address - region.address
    record = table.carved.get(position)
    if record is not None:
        serial = record.serial  # first: what is found out of it holds for this allocation, or it is not live any more
        if serial in table.live and record.held is Held.ADDRESS:
            return record, serial
    raise manager.arena_at[region.arena_number].read(lambda table: _why_not(table, region, address))


def _why_not(table: SpanTable, region: Region, address: int) -> InvalidFreeError:
    assert region.address is not None
    record = _around(table, region.base + address - region.address)
    where = f"address {address:#x}"
    if address in table.recent or (record is not None and record.address == address and not record.is_live):
        return DoubleFreeError(f"{where} was freed already")
    if record is None or record.state == "cached":
        return InvalidFreeError(
            f"{where} lies in free memory of arena {table.number}: it was never allocated, or freed long ago"
        )
    inside = address - (record.address or 0)
    whose = f"allocation {record.number} ({record.size} bytes at {record.address:#x})"
    if inside:
        return InteriorAddressError(f"{where} lies {inside} bytes inside {whose}")
    return InvalidFreeError(
        f"{where} belongs to {whose}, held by a {record.held.value}; free it there, with block.free()"
    )


def find(manager: Manager, address: int) -> BlockInfo | None:
    """The allocation around an address (an offset, where there are no addresses). O(spans of its arena)."""
    region = manager.addresses.find(address)
    if region is not None and region.address is not None:
        start = region.address
        return manager.arena_at[region.arena_number].read(lambda table: _info(table, region.base + address - start))
    if manager.backing.has_memory:
        return None
    for arena in manager.arenas:
        info = arena.read(lambda table: _at_offset(table, address))
        if info is not None:
            return info
    return None


def _at_offset(table: SpanTable, offset: int) -> BlockInfo | None:
    for region in table.regions:
        if region.offset <= offset < region.offset + region.size:
            return _info(table, region.base + offset - region.offset)
    return None


def _info(table: SpanTable, position: int) -> BlockInfo | None:
    record = _around(table, position)
    # The rest of a scope's chunk is no allocation yet, what lies in a cache none any more.
    if record is None or record.held is Held.SCOPE or not (record.is_live or record.parked):
        return None
    return info_of(table, record, position - record.position)


def _around(table: SpanTable, position: int) -> Record | None:
    exact = table.carved.get(position)
    if exact is not None:
        return exact
    return next((one for start, one in table.carved.items() if start <= position < start + one.span), None)
