"""Plain integers: an address space without memory of ours behind it."""

from __future__ import annotations

from typing import NoReturn, SupportsIndex

from ..errors import InvalidRequestError
from ..sizes import checked_size
from .exclusive import Exclusive


class Addresses:
    """The one range of an address space. There is nothing to see, so nothing to commit or measure."""

    __slots__ = ("__weakref__", "address", "offset", "size")

    def __init__(self, size: int) -> None:
        self.offset = 0
        self.size = size
        self.address: int | None = None

    def owner(self, start: int, size: int) -> NoReturn:
        """Always an error: these are integers."""
        raise InvalidRequestError(
            f"an AddressSpace has no memory to view ({size} units at offset {start}); use block.offset"
        )

    def decommit(self, start: int, size: int) -> bool:
        """There is nothing to give back."""
        del start, size
        return False

    def resident_bytes(self) -> int | None:
        """Nothing to measure."""
        return None


class AddressSpace:
    """``size`` consecutive integers, in whatever unit the caller counts: bytes of GPU memory, cache pages, blocks of
    a file.

    Blocks have an ``offset`` and a ``size``, exact to the unit; ``view``, ``address``, ``malloc`` and ``zero=True`` are
    ``InvalidRequestError``. One heap at a time; callable from any thread.
    """

    page_bytes = 0
    growable = False
    has_memory = False
    fresh_is_zero = False
    decommit_zeroes = False
    # A child continues with a copy of the books; whether both may then use the real resource is the caller's to know.
    fork_private = True
    alignment = 1

    def __init__(self, size: SupportsIndex) -> None:
        """A range ``[0, size)``; raises ``InvalidRequestError`` unless ``size`` is positive."""
        number = checked_size(size)
        if number == 0:
            raise InvalidRequestError("an address space needs a positive size: 0")
        self.size_bytes: int | None = number
        self._exclusive = Exclusive()

    def map(self, size: int, alignment: int) -> Addresses:
        """The range. Raises ``InvalidRequestError`` while another heap uses it."""
        del alignment  # the range begins at 0, a multiple of everything
        addresses = Addresses(size)
        self._exclusive.claim(addresses, repr(self))
        return addresses

    def __repr__(self) -> str:
        return f"AddressSpace({self.size_bytes})"
