"""Which allocators there are, by name; and anybody's, as ``module:factory``."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any, Final

from .. import named, placements
from ..errors import FOREIGN, MisbehaviourError, UsageError
from ..mishaps import Failures
from .adapted import Adapted
from .c_library import CLibrary
from .heaps import KINDS, open_heap
from .heaps import routing as heap_routing
from .peers import ByteArrays, NumpyArrays, SharedHeap
from .unreliable import Unreliable

if TYPE_CHECKING:
    from collections.abc import Callable

    from .protocol import Allocator, Choice

_PEERS: Final[dict[str, tuple[str, Callable[[], Allocator[Any]]]]] = {
    "bytearray": ("Python's bytearray", lambda: Adapted(ByteArrays())),
    "numpy": ("numpy.empty and ndarray.resize", lambda: Adapted(NumpyArrays())),
    "ctypes": ("the C library: malloc, calloc, realloc, aligned_alloc, free", CLibrary),
    "multiprocessing.heap": ("what multiprocessing's shared ctypes are allocated from", lambda: Adapted(SharedHeap())),
}

ABOUT: Final[dict[str, str]] = {
    **{name: kind.about for name, kind in KINDS.items()},
    **{name: about for name, (about, _) in _PEERS.items()},
    "module:factory": "anybody's pool: allocate, free and view are enough",
}
"""What each allocator is."""


def names() -> list[str]:
    """Every allocator that has a name of its own."""
    return [*KINDS, *_PEERS]


def is_heap(name: str) -> bool:
    """Whether it is an arenas heap: arenas, placements and limits are for these only."""
    return name in KINDS


def heaps() -> list[str]:
    """The arenas heaps that can be had here."""
    return [name for name, kind in KINDS.items() if kind.needs is None or importlib.util.find_spec(kind.needs)]


def is_bounded(name: str) -> bool:
    """Whether it is a heap over one range, taken at once: its arenas are a number, and the system cannot fail it."""
    return name in KINDS and KINDS[name].bounded_backing is not None


def routing(choice: Choice) -> str | None:
    """How a heap's threads are routed, in a word; None for others."""
    return heap_routing(choice) if is_heap(choice.allocator) else None


def require(choice: Choice) -> None:
    """Find out early that something is not to be had: make it once.

    Raises:
        UsageError: as `open_allocator`.

    """
    open_allocator(choice).close()


def open_allocator(choice: Choice) -> Allocator[Any]:
    """Make what was chosen, fresh for one run.

    Raises:
        UsageError: there is no such allocator or placement, or it cannot be had so.

    """
    if is_heap(choice.allocator):
        return open_heap(choice, placements.find(choice.placement))
    if choice.mishaps.limit_bytes is not None:
        raise UsageError(f"{choice.allocator} has no limit that could be set: that is for the arenas heaps")
    opened = _open_peer(choice.allocator)
    return Unreliable(opened, Failures(choice.mishaps)) if choice.mishaps.fail else opened


def _open_peer(name: str) -> Allocator[Any]:
    if name in _PEERS:
        try:
            return _PEERS[name][1]()
        except ImportError as error:
            raise UsageError(f"{name} is not to be had: {error}") from error
    if ":" not in name:
        raise UsageError(f"there is no allocator {name!r}: choose from {', '.join(ABOUT)}")
    factory = named.find(name, "allocator")
    try:
        return Adapted(factory())
    except MisbehaviourError as error:
        raise UsageError(f"allocator {name!r}: {error}") from error
    except FOREIGN as error:  # it is anybody's
        raise UsageError(f"allocator {name!r} cannot be made: {named.said(error)}") from error
