"""The arenas heaps that can be tested: each a face, and where its memory comes from."""

from __future__ import annotations

import importlib.util
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import arenas

from ..errors import UsageError
from ..mishaps import Failures
from .arrays import HeapArrays
from .drops import HeapDrops
from .heap import HeapBlocks, HeapMalloc
from .local import HeapLocal
from .offsets import HeapOffsets
from .unreliable import UnreliableMemory
from .views import HeapViews

if TYPE_CHECKING:
    from collections.abc import Callable

    from .protocol import Allocator, Choice

FILE_BYTES: Final = 256 << 20
SPACE: Final = 1 << 32


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to have a heap."""

    about: str
    face: Callable[..., Allocator[Any]]
    bounded_backing: Callable[[Choice], arenas.Backing] | None = None
    """None: anonymous memory, as much as is asked for."""
    needs: str | None = None
    """A module that may not be installed."""


def _file(_choice: Choice) -> arenas.Backing:
    """A file without a name: it goes with the process, whatever happens."""
    with tempfile.TemporaryDirectory() as folder:
        return arenas.FileMemory(Path(folder, "memory"), FILE_BYTES)


def _space(choice: Choice) -> arenas.Backing:
    """An address space is its own limit."""
    return arenas.AddressSpace(choice.mishaps.limit_bytes or SPACE)


KINDS: Final[dict[str, Kind]] = {
    "malloc": Kind("an arenas heap, by address: malloc, calloc, realloc, aligned_alloc, free", HeapMalloc),
    "blocks": Kind("an arenas heap, by handle: alloc, block.resize, block.free", HeapBlocks),
    "local": Kind("the same, each thread through a façade of its own: heap.local()", HeapLocal),
    "drops": Kind("an arenas heap whose blocks are dropped, some in reference cycles", HeapDrops),
    "arrays": Kind("an arenas heap's arrays: memory comes back when the last view dies", HeapArrays, needs="numpy"),
    "views": Kind("an arenas heap whose blocks are freed under a live view, which sees them left alone", HeapViews),
    "file": Kind(f"an arenas heap over a temporary file of {FILE_BYTES >> 20} MiB, by handle", HeapBlocks, _file),
    "offsets": Kind("an arenas heap over a bare address space: offsets, no memory", HeapOffsets, _space),
}
"""By name."""


def open_heap(choice: Choice, placement: Callable[[], Any]) -> Allocator[Any]:
    """Make one.

    Raises:
        UsageError: it cannot be had, or not so.

    """
    kind, mishaps = KINDS[choice.allocator], choice.mishaps
    if kind.needs is not None and importlib.util.find_spec(kind.needs) is None:
        raise UsageError(f"{choice.allocator} needs {kind.needs}, which is not installed")
    failures = Failures(mishaps)
    limit_bytes = mishaps.limit_bytes
    try:
        if kind.bounded_backing is None:
            backing: arenas.Backing = UnreliableMemory(failures) if mishaps.fail else arenas.AnonymousMemory()
        else:
            _refuse_what_needs_regions(choice)
            backing = kind.bounded_backing(choice)
        if not backing.page_bytes:
            limit_bytes = None
        heap = arenas.Heap(
            backing=backing, placement=placement, arenas=choice.arenas, limit_bytes=limit_bytes, name=choice.name
        )
    except arenas.InvalidRequestError as error:
        raise UsageError(f"{choice.allocator}: {error}") from error
    return kind.face(heap, limit_bytes=limit_bytes, failures=failures)


def routing(choice: Choice) -> str:
    """How its threads are routed, in a word."""
    if choice.arenas is None:
        return "thread" if KINDS[choice.allocator].bounded_backing is None else "1"
    return str(choice.arenas)


def _refuse_what_needs_regions(choice: Choice) -> None:
    """Bounded memory is taken once, in equal parts."""
    if isinstance(choice.arenas, str):
        raise UsageError(
            f"{choice.allocator} is one range, divided for good: its arenas must be a number, not {choice.arenas!r}"
        )
    if choice.mishaps.fail:
        raise UsageError(f"{choice.allocator} takes all its memory at once: no later request to the system can fail")
