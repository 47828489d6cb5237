"""The backings that the conformance suite runs over, and how their memory is looked at from outside."""

from __future__ import annotations

import gc
import os
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from arenas import AddressSpace, AnonymousMemory, FileMemory
from arenas.backing.memory import MappedMemory
from arenas.slices import MappingSlice

if TYPE_CHECKING:
    from collections.abc import Callable

    from arenas import Backing, Mapping

SIZE = 4 << 20  # a whole number of huge pages


@dataclass(frozen=True)
class Case:
    """A backing, made anew for each test in a directory of its own."""

    name: str
    make: Callable[[Path], Backing]
    largest_alignment: int = 1 << 30

    def __str__(self) -> str:
        return self.name


CASES = (
    Case("AnonymousMemory", lambda _: AnonymousMemory()),
    Case("AnonymousMemory-huge", lambda _: AnonymousMemory(huge_pages=True)),
    Case("FileMemory", lambda folder: FileMemory(folder / "memory", SIZE), largest_alignment=4096),
    Case("AddressSpace", lambda _: AddressSpace(SIZE)),
)
WITH_MEMORY = tuple(case for case in CASES if case.name != "AddressSpace")


def view_of(mapping: Mapping, start: int, size: int) -> memoryview:
    """As a record makes them: an owner of its own, and of its buffer as much as was asked for."""
    return memoryview(mapping.owner(start, size)).cast("B")[:size]


def is_mapped(address: int) -> bool:
    """Whether the system says that there is memory at this address of ours."""
    for line in Path("/proc/self/maps").read_text("ascii").splitlines():
        first, _, last = line.split(maxsplit=1)[0].partition("-")
        if int(first, 16) <= address < int(last, 16):
            return True
    return False


def witness(mapping: Mapping) -> Callable[[], bool]:
    """Tells whether the mapping's memory is still mapped: it is as long as its `mmap` object is there."""
    whole = mapping._whole if isinstance(mapping, MappingSlice) else mapping
    assert isinstance(whole, MappedMemory)
    reference = weakref.ref(whole._mmap)
    del whole, mapping

    def alive() -> bool:
        gc.collect()
        return reference() is not None

    return alive


def in_child(function: Callable[[], bool]) -> bool:
    """What the function says in a forked child."""
    child = os.fork()
    if child == 0:
        status = 2
        try:
            status = 0 if function() else 1
        finally:
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in {0, 1}, f"the child failed: {status}"
    return status == 0
