"""What the operating system offers, detected in this one place.

Linux is what is supported and tested. Elsewhere each feature below is ``None`` or ``False`` and the caller degrades
as its own documentation says; importing never fails.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE_BYTES = mmap.PAGESIZE

#: The size of a transparent huge page on the platforms that have them by default.
HUGE_PAGE_BYTES = 2 << 20

#: Whether this interpreter runs without the global interpreter lock.
FREE_THREADED = not getattr(sys, "_is_gil_enabled", lambda: True)()

MADV_DONTNEED: int | None = getattr(mmap, "MADV_DONTNEED", None)
MADV_REMOVE: int | None = getattr(mmap, "MADV_REMOVE", None)
MADV_HUGEPAGE: int | None = getattr(mmap, "MADV_HUGEPAGE", None)
MADV_NOHUGEPAGE: int | None = getattr(mmap, "MADV_NOHUGEPAGE", None)

try:
    _libc: ctypes.CDLL | None = ctypes.CDLL(None, use_errno=True) if os.name == "posix" else None
except OSError:
    _libc = None


def map_anonymous(size_bytes: int) -> mmap.mmap:
    """Fresh zeroed memory, private to this process: a child of ``fork`` gets a copy, not a share.

    ``mmap.mmap(-1, n)`` alone would be ``MAP_SHARED``, and a forked child would write into its parent's blocks. Address
    space only, until a page is touched; without ``MAP_NORESERVE``, so that the system refuses what it could never back.
    """
    if os.name != "posix":
        return mmap.mmap(-1, size_bytes)
    return mmap.mmap(-1, size_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)


def allocate_file(descriptor: int, size_bytes: int) -> None:
    """Make an empty file ``size_bytes`` long, its disk space taken now where the system can do that.

    Raises ``OSError``, the file being empty again.
    """
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size_bytes)
        else:
            os.ftruncate(descriptor, size_bytes)
    except OSError:
        os.ftruncate(descriptor, 0)
        raise


def _find_getcpu() -> Callable[[], int] | None:
    function = getattr(_libc, "sched_getcpu", None)
    if function is None:
        return None
    function.restype = ctypes.c_int
    function.argtypes = ()
    return function if function() >= 0 else None


#: The CPU this thread runs on just now, where the C library tells.
current_cpu = _find_getcpu()


def usable_cpus() -> tuple[int, ...]:
    """The CPUs this process may run on, in order (``os.sched_getaffinity``; without it ``0 … os.cpu_count() - 1``)."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))


_LOWEST_BIT = bytes(number & 1 for number in range(256))


def resident_bytes(address: int, size_bytes: int) -> int | None:
    """Bytes of ``[address, address + size_bytes)`` that are in memory now, by ``mincore``; None where it cannot be
    told.

    ``address`` must be page-aligned. O(pages).
    """
    mincore = getattr(_libc, "mincore", None)
    if mincore is None or size_bytes == 0:
        return None if mincore is None else 0
    pages = -(-size_bytes // PAGE_BYTES)
    vector = (ctypes.c_ubyte * pages)()
    if mincore(ctypes.c_void_p(address), ctypes.c_size_t(size_bytes), vector) != 0:
        return None
    # Only the lowest bit is defined.
    return min(bytes(vector).translate(_LOWEST_BIT).count(1) * PAGE_BYTES, size_bytes)
