"""The exception tree. Messages carry the numbers; every class says whose mistake it is.

::

    ArenaError                                  root of all, never raised itself
    ├── OutOfMemoryError (MemoryError)          no memory: the limit, the backing or the system is exhausted
    ├── PoolTimeoutError (TimeoutError)         no array of a pool was ready in time
    ├── InvalidRequestError (ValueError)        a size, alignment or option that no heap can serve
    ├── InvalidFreeError (ValueError)           a free of something that is not a live allocation
    │   ├── DoubleFreeError                     … which was one, and has been freed already
    │   ├── ForeignAddressError                 … at an address outside every region of the heap
    │   └── InteriorAddressError                … at an address inside a block, not at its start
    ├── BlockReleasedError (ValueError)         a block was used after it was freed
    ├── HeapClosedError (ValueError)            a heap, scope or pool was used after it was closed
    ├── ArenaBusyError                          a signal handler or finalizer met the arena its own thread is inside of
    └── CorruptionError                         bookkeeping that does not add up: a bug, or memory written by a stranger

Arguments of a wrong type are ``TypeError``; resizing a block whose view is alive is ``BufferError``, as for
``bytearray``.
"""

from __future__ import annotations


class ArenaError(Exception):
    """Root of every error this package raises on purpose."""


class OutOfMemoryError(ArenaError, MemoryError):
    """No memory for a valid request: the limit, the backing, or the system is exhausted."""


class PoolTimeoutError(ArenaError, TimeoutError):
    """No array of a pool was ready in time: all are out."""


class InvalidRequestError(ArenaError, ValueError):
    """A size, an alignment or an option that no heap could serve."""


class InvalidFreeError(ArenaError, ValueError):
    """A free of something that is not a live allocation of this heap."""


class DoubleFreeError(InvalidFreeError):
    """A free of an allocation that has been freed already."""


class ForeignAddressError(InvalidFreeError):
    """A free of an address outside every region of this heap."""


class InteriorAddressError(InvalidFreeError):
    """A free of an address inside a live block, but not at its start."""


class BlockReleasedError(ArenaError, ValueError):
    """A block was used after its memory was given back."""


class HeapClosedError(ArenaError, ValueError):
    """A heap, a scope or a pool was used after it was closed."""


class ArenaBusyError(ArenaError):
    """Code that interrupted an arena's critical section, in the same thread, needs that very arena."""


class CorruptionError(ArenaError):
    """The heap's bookkeeping does not add up."""
