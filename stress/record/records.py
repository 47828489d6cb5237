"""Memray's records, one after the other, as operations of a recording.

What memray tells (https://bloomberg.github.io/memray/): the thread, the address, the size and the function called, in
the order in which its hooks came to note them. What has to be made of that:

- Blocks get fresh numbers: addresses come again.
- A ``realloc`` is noted as a free of the old address directly followed by an allocation of the new one. The pair
  becomes one resize. (A ``free`` directly followed, in the same thread, by ``realloc`` of a null pointer looks the
  same.)
- The hook of ``realloc`` runs after the old address was given back, so another thread may be noted as having it before
  its old owner is noted as having left it. The first free noted there is therefore that of the older block.
- Alignments are not noted; that of ``valloc`` and ``pvalloc`` is a page.
- Frees of what was allocated before the recording began are left out, and so are whole mappings: both are counted.
"""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING, Final, Protocol

from ..trace import ALLOCATE, FREE, RESIZE, ZEROED

if TYPE_CHECKING:
    from ..trace import Writer

_FREES: Final = frozenset({"FREE", "PYMALLOC_FREE"})
_RESIZES: Final = frozenset({"REALLOC", "PYMALLOC_REALLOC"})
_ZEROED: Final = frozenset({"CALLOC", "PYMALLOC_CALLOC"})
_MAPPINGS: Final = frozenset({"MMAP", "MUNMAP"})
_OF_PAGES: Final = frozenset({"VALLOC", "PVALLOC"})


class Record(Protocol):
    """What is used of memray's ``AllocationRecord``."""

    @property
    def tid(self) -> int:
        """The thread."""

    @property
    def address(self) -> int:
        """The block's address."""

    @property
    def size(self) -> int:
        """Its size; 0 for a free."""


class Converter:
    """Takes record after record and writes operations. Cost: an entry a live block, however long the recording."""

    def __init__(self, writer: Writer) -> None:
        """Begin with nothing live."""
        self.unknown_frees = 0
        """Frees of addresses that were not allocated while recording."""
        self.mappings = 0
        """Calls of ``mmap`` and ``munmap``."""
        self._writer = writer
        self._blocks = 0
        self._threads: dict[int, int] = {}  # memray's number of a thread: ours, from 1 in order of appearance
        self._at: dict[int, list[int]] = {}  # an address: the live blocks there, oldest first; nearly always one
        self._freed: tuple[int, int] | None = None  # thread and block of a free that may be the half of a resize

    def take(self, record: Record, function: str) -> None:
        """Follow one record; ``function`` is the name of its ``memray.AllocatorType``."""
        if function in _MAPPINGS:
            self.mappings += 1
            return
        thread = self._threads.setdefault(record.tid, len(self._threads) + 1)
        if function in _FREES:
            self.flush()
            self._free(thread, record.address)
        elif function in _RESIZES and self._freed is not None and self._freed[0] == thread:
            block, self._freed = self._freed[1], None
            self._at.setdefault(record.address, []).append(block)
            self._writer.add(thread, RESIZE, block, record.size)
        else:
            self.flush()
            block, self._blocks = self._blocks, self._blocks + 1
            self._at.setdefault(record.address, []).append(block)
            kind = ZEROED if function in _ZEROED else ALLOCATE
            self._writer.add(thread, kind, block, record.size, mmap.PAGESIZE if function in _OF_PAGES else 0)

    def flush(self) -> None:
        """Write the free that waits for its other half: none comes."""
        if self._freed is not None:
            thread, block = self._freed
            self._freed = None
            self._writer.add(thread, FREE, block)

    def _free(self, thread: int, address: int) -> None:
        blocks = self._at.get(address)
        if blocks is None:
            self.unknown_frees += 1
            return
        self._freed = (thread, blocks.pop(0))
        if not blocks:
            del self._at[address]

    def left_out(self) -> list[str]:
        """What is not in the recording, in words."""
        told = []
        if self.unknown_frees:
            told.append(f"{self.unknown_frees:,} frees of what was allocated before the recording began")
        if self.mappings:
            told.append(f"{self.mappings:,} calls of mmap and munmap")
        return told
