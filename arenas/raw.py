"""C-style allocation: integers for addresses."""

from __future__ import annotations

import operator
from typing import SupportsIndex

from . import lookup
from .block import Block
from .errors import DoubleFreeError
from .record import Held, Record
from .resizing import resize
from .service import Service
from .sizes import checked_size

# What C promises for any type.
MALLOC_ALIGNMENT = 16


class Raw(Service):
    """The part of a heap that deals in addresses, for ``ctypes`` and ``cffi``. Not over an ``AddressSpace``."""

    def malloc(self, size: SupportsIndex) -> int:
        """The address of ``size`` bytes, aligned to 16, for ``ctypes`` and ``cffi``; freed with :meth:`free`.

        ``malloc(0)`` gives a distinct address. Raises as :meth:`alloc`; ``InvalidRequestError`` over an
        ``AddressSpace``.
        """
        return self._raw(size, MALLOC_ALIGNMENT)

    def calloc(self, count: SupportsIndex, size: SupportsIndex = 1) -> int:
        """The address of ``count * size`` zeroed bytes. Integers have no overflow: what does not fit is
        ``InvalidRequestError``.
        """
        return self._raw(checked_size(count, "count") * checked_size(size), MALLOC_ALIGNMENT, zero=True)

    def aligned_alloc(self, alignment: SupportsIndex, size: SupportsIndex) -> int:
        """As :meth:`malloc`, aligned to any power of two up to 1 GiB."""
        return self._raw(size, operator.index(alignment))

    def realloc(self, address: SupportsIndex | None, size: SupportsIndex) -> int | None:
        """Resize; the address may change. ``realloc(None, n)`` allocates, ``realloc(a, 0)`` frees and gives None.

        Raises as :meth:`malloc` and :meth:`free`; the old memory is then as it was.
        """
        number = checked_size(size)
        if address is None:
            return self.malloc(number)
        if number == 0:
            self.free(address)
            return None
        self._begin()
        old = _address(address)
        record, serial = lookup.raw_record(self._manager, old)
        block = self._unserved(record)
        block._serial = serial
        resize(self, block, number)
        new = self._detach(block)
        if new != old:
            self._remember(record, old)
        return new

    def free(self, address: SupportsIndex | None) -> None:
        """Free what :meth:`malloc` and its kin gave; None is nothing.

        Raises ``DoubleFreeError``, ``InteriorAddressError``, ``ForeignAddressError`` or plain ``InvalidFreeError``,
        with nothing changed; ``TypeError`` for a block (call ``block.free()``). An address freed long ago and not in
        use is an ``InvalidFreeError``; one in use again is somebody else's, and cannot be told from theirs.
        """
        if address is None:
            return
        number = _address(address)
        self._begin()
        record, serial = lookup.raw_record(self._manager, number)
        if not record.claim(serial):
            raise DoubleFreeError(f"address {number:#x} was freed by another thread at the same time")
        self._remember(record, number)
        self._release(record)

    def _raw(self, size: SupportsIndex, alignment: SupportsIndex, *, zero: bool = False) -> int:
        self._refuse_integers()
        block = self._unserved(self._request(size, alignment, None))
        self._serve(block, zero=zero, timeout=0)
        return self._detach(block)

    def _remember(self, record: Record, address: int) -> None:
        # To tell a second free from nonsense.
        self._manager.arena_at[record.arena_number].table.recent.append(address)

    @staticmethod
    def _detach(block: Block) -> int:
        address = block._record.address
        assert address is not None
        block._record.held = Held.ADDRESS
        return address


def _address(address: SupportsIndex) -> int:
    if isinstance(address, Block):
        raise TypeError(f"{address!r} is a handle, not an address: call block.free()")
    return operator.index(address)
