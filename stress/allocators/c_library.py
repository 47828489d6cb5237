"""The C library's own: malloc, calloc, realloc, aligned_alloc and free, by ctypes. Or whatever was preloaded for it."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Final

from .protocol import Memory

if TYPE_CHECKING:
    from .protocol import MappedRegion


class CLibrary:
    """Tokens are addresses."""

    alignment: Final = 16
    has_memory: Final = True
    bounded: Final = False

    def __init__(self) -> None:
        """Look the functions up: each a new object, whose prototype is nobody else's."""
        library, size_t, pointer = ctypes.CDLL(None), ctypes.c_size_t, ctypes.c_void_p
        self._malloc, self._calloc, self._realloc, self._aligned_alloc, self._free = (
            library[name] for name in ("malloc", "calloc", "realloc", "aligned_alloc", "free")
        )
        for function, arguments in (
            (self._malloc, (size_t,)),
            (self._calloc, (size_t, size_t)),
            (self._realloc, (pointer, size_t)),
            (self._aligned_alloc, (size_t, size_t)),
        ):
            function.argtypes, function.restype = arguments, pointer
        self._free.argtypes, self._free.restype = (pointer,), None
        self._aligned: dict[int, tuple[int, int]] = {}  # address -> (alignment, size), where one was asked for

    def allocate(self, size: int, alignment: int) -> int:
        """``malloc``; ``aligned_alloc`` where more alignment is asked for, of a multiple of it, as C11 wants."""
        size = size or 1
        if alignment > self.alignment:
            address = _granted(self._aligned_alloc(alignment, -(-size // alignment) * alignment), size)
            self._aligned[address] = (alignment, size)
            return address
        return _granted(self._malloc(size), size)

    def zeroed(self, size: int) -> int:
        """``calloc``."""
        return _granted(self._calloc(1, size or 1), size)

    def resize(self, token: int, size: int) -> int:
        """``realloc``; by hand where more alignment was asked for, which it would not keep."""
        if token in self._aligned:
            alignment, old_size = self._aligned[token]
            address = self.allocate(size, alignment)
            ctypes.memmove(address, token, min(old_size, size))
            self.free(token)
            return address
        return _granted(self._realloc(token, size or 1), size)

    def free(self, token: int) -> None:
        """``free``."""
        self._aligned.pop(token, None)  # before the address can be somebody else's
        self._free(token)

    def address(self, token: int) -> int:
        """The token itself."""
        return token

    def measure(self) -> Memory:
        """It does not tell."""
        return Memory()

    def map(self) -> list[MappedRegion]:
        """It does not tell."""
        return []

    def check(self) -> str | None:
        """It cannot."""
        return None

    def audit(self) -> list[str]:
        """It cannot."""
        return []

    def close(self) -> None:
        """It is everybody's."""


def _granted(address: int | None, size: int) -> int:
    if not address:
        raise MemoryError(f"the C library has no {size} bytes")
    return address
