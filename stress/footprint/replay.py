"""Carry out a plan, and say how much memory that took.

Run as a script it measures the C allocator of its process, which is whichever library the environment preloads. What
the interpreter allocated and freed before would count against the allocator, or for it; so the script imports next to
nothing, and what it works with lies in mappings of files or in shared ones: none of that comes from the allocator, and
none of it is anonymous memory, which is what is measured.
"""

from __future__ import annotations

import ctypes
import gc
import mmap
import os
import sys

TYPE_CHECKING = False  # importing typing would import much else
if TYPE_CHECKING:
    from typing import Any, Protocol

    class Functions(Protocol):
        """What a plan is carried out with: the functions of C's ``stdlib.h``, addresses as integers."""

        def allocate(self, size: int, alignment: int) -> int:
            """``malloc``, or ``posix_memalign`` where an alignment is asked for; never 0."""

        def zeroed(self, size: int) -> int:
            """``calloc``."""

        def resize(self, address: int, size: int) -> int:
            """``realloc`` to at least 1 byte."""

        def free(self, address: int) -> None:
            """``free``."""


ALLOCATE, ZEROED, RESIZE = 0, 1, 2
COLUMNS = {"kinds": "B", "slots": "I", "sizes": "Q", "alignments": "B"}
"""The files of a plan, and what they are arrays of. An alignment is the number of its bits, 0 for none."""

_NO_HUGE_PAGES = 41  # PR_SET_THP_DISABLE, prctl(2)
_PATTERN = 0xA5


class Native:
    """The C allocator of this process."""

    def __init__(self) -> None:
        """Find its functions."""
        library = ctypes.PyDLL(None)  # held across each call: there is one thread
        self._malloc = _function(library, "malloc", ctypes.c_size_t)
        self._calloc = _function(library, "calloc", ctypes.c_size_t, ctypes.c_size_t)
        self._realloc = _function(library, "realloc", ctypes.c_void_p, ctypes.c_size_t)
        self._memalign = _function(library, "posix_memalign", ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t)
        self._memalign.restype = ctypes.c_int
        self._free = _function(library, "free", ctypes.c_void_p)
        self._aligned = ctypes.c_void_p()
        self._aligned_address = ctypes.addressof(self._aligned)

    def allocate(self, size: int, alignment: int) -> int:
        """``malloc`` or ``posix_memalign``."""
        if not alignment:
            return _had(self._malloc(size), size)
        refused = self._memalign(self._aligned_address, max(alignment, 8), size)
        return _had(None if refused else self._aligned.value, size)

    def zeroed(self, size: int) -> int:
        """``calloc``."""
        return _had(self._calloc(1, size), size)

    def resize(self, address: int, size: int) -> int:
        """``realloc``."""
        return _had(self._realloc(address, max(size, 1)), size)

    def free(self, address: int) -> None:
        """``free``."""
        self._free(address)


def _function(library: ctypes.PyDLL, name: str, *argument_types: Any) -> Any:  # noqa: ANN401 - a foreign function
    function = library[name]
    function.argtypes = argument_types
    function.restype = ctypes.c_void_p
    return function


def _had(address: int | None, size: int) -> int:
    if address is None and size:
        raise MemoryError(f"no {size:,} bytes to be had")
    return address or 0  # C may give a null pointer for no bytes


class Work:
    """A plan made ready: all that is needed to carry it out is there, so that nothing more is allocated for it."""

    def __init__(self, folder: str, slots: int) -> None:
        """Map the files of a plan, and room for the addresses of so many blocks."""
        self._columns = [_column(f"{folder}/{name}", code) for name, code in COLUMNS.items()]
        self._held = memoryview(mmap.mmap(-1, 8 * max(slots, 1))).cast("Q")  # shared memory: not anonymous

    def carry_out(self, functions: Functions) -> None:
        """Do everything, in this thread, and write every byte of payload."""
        held, write = self._held, ctypes.memset
        allocate, zeroed, resize, free = functions.allocate, functions.zeroed, functions.resize, functions.free
        for kind, slot, size, alignment in zip(*self._columns, strict=True):
            if kind == ALLOCATE:
                held[slot] = address = allocate(size, 1 << alignment >> 1)
            elif kind == ZEROED:
                held[slot] = address = zeroed(size)
            elif kind == RESIZE:
                held[slot] = address = resize(held[slot], size)
            else:
                free(held[slot])
                continue
            write(address, _PATTERN, size)


def _column(path: str, code: str) -> Any:  # noqa: ANN401 - a sequence of integers: `memoryview` has no name for that
    with open(path, "rb") as file:  # noqa: PTH123 - importing pathlib would import much else
        if not os.fstat(file.fileno()).st_size:
            return ()  # nothing cannot be mapped
        return memoryview(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)).cast(code)  # type: ignore[call-overload]


def without_huge_pages() -> None:
    """Have the system back this process by ordinary pages from now on."""
    ctypes.CDLL(None).prctl(_NO_HUGE_PAGES, 1, 0, 0, 0)


def anonymous_bytes() -> int:
    """Anonymous memory of this process that is in memory, counted page by page; ``statm`` may lag behind."""
    for line in _read("/proc/self/smaps_rollup").splitlines():
        if line.startswith(b"Anonymous:"):
            return int(line.split()[1]) << 10
    raise OSError("/proc/self/smaps_rollup does not tell the anonymous memory")


def _read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - as above
        return file.read()


def main() -> int:
    """Carry out the plan in the folder named, of so many slots, with the preloaded library named; print the bytes."""
    folder, slots, library = sys.argv[1:]
    if library.encode() not in _read("/proc/self/maps"):
        sys.exit(f"{library} could not be preloaded")
    without_huge_pages()
    functions, work = Native(), Work(folder, int(slots))
    functions.free(functions.resize(functions.allocate(100, 64), 200))
    gc.collect()
    gc.disable()
    before = anonymous_bytes()
    work.carry_out(functions)
    sys.stdout.write(f'{{"resident_bytes": {anonymous_bytes() - before}}}\n')
    return 0


if __name__ == "__main__":
    sys.exit(main())
