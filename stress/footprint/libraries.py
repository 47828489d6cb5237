"""Which C allocators there are to compare with."""

from __future__ import annotations

import ctypes.util
from dataclasses import dataclass
from typing import Final

NAMES: Final = {"jemalloc": ("jemalloc",), "mimalloc": ("mimalloc",), "tcmalloc": ("tcmalloc", "tcmalloc_minimal")}
"""Each and the libraries that hold it, the best first."""

OF_THE_PROCESS: Final = "glibc"


@dataclass(frozen=True, slots=True)
class Library:
    """A C allocator. ``preload`` is empty for the one every process has, None for one that is not installed."""

    name: str
    preload: str | None


def find() -> list[Library]:
    """The system's own allocator, then the others, there or not."""
    found = [Library(OF_THE_PROCESS, "")]
    for name, candidates in NAMES.items():
        libraries = (ctypes.util.find_library(candidate) for candidate in candidates)
        found.append(Library(name, next((library for library in libraries if library), None)))
    return found
