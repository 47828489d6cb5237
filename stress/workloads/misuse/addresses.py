"""Misuse of a heap's addresses."""

from __future__ import annotations

import ctypes
import sys
from typing import TYPE_CHECKING, Any, Final

from .case import LIMIT, NOTHING, SIZE, Case, NotPlayedError, at_once

if TYPE_CHECKING:
    from .case import Misuse, Prepare, Scene

_RECENT: Final = 2000
"""Frees after which a heap may have forgotten one."""
_NOT_OURS: Final = ctypes.create_string_buffer(SIZE)


def _freed(scene: Scene) -> int:
    address = scene.address()
    scene.free(address)
    return address


def _free(address: Any) -> Prepare:  # noqa: ANN401 - also what is no address
    return lambda scene: lambda: scene.heap.free(address)


def _realloc(address: Any, size: Any = SIZE) -> Prepare:  # noqa: ANN401
    return lambda scene: lambda: scene.heap.realloc(address, size)


def _free_dead(scene: Scene) -> Misuse:
    address = _freed(scene)
    return lambda: scene.heap.free(address)


def _realloc_dead(size: int) -> Prepare:
    def prepare(scene: Scene) -> Misuse:
        address = _freed(scene)
        return lambda: scene.heap.realloc(address, size)

    return prepare


def _free_inside(offset: int) -> Prepare:
    def prepare(scene: Scene) -> Misuse:
        heap = scene.private()  # where no block lay before: else its address could be that of one freed lately
        address = heap.malloc(SIZE)
        return lambda: heap.free(address + offset)

    return prepare


def _realloc_inside(scene: Scene) -> Misuse:
    heap = scene.private()
    address = heap.malloc(SIZE)
    return lambda: heap.realloc(address + 16, SIZE)


def _free_moved(scene: Scene) -> Misuse:
    heap = scene.small()
    old = heap.malloc(SIZE)
    heap.malloc(SIZE)  # in the way
    new = heap.realloc(old, 100 * SIZE)
    return lambda: heap.free(old if new != old else None)


def _free_at_once(scene: Scene) -> Misuse:
    heap = scene.private()
    address = heap.malloc(SIZE)
    return lambda: at_once(lambda: heap.free(address), lambda: heap.free(address))


def _free_long_ago(scene: Scene) -> Misuse:
    heap = scene.small()
    _, address, _ = (heap.malloc(SIZE) for _ in range(3))  # between two others: what follows cannot lie there
    heap.free(address)
    heap.trim()  # or the thread's cache would know it
    for _ in range(_RECENT):
        heap.free(heap.malloc(100 * SIZE))
    return lambda: heap.free(address)


def _free_never_allocated(scene: Scene) -> Misuse:
    heap = scene.private()
    heap.malloc(SIZE)
    free = [span.address for span in heap.snapshot().spans if span.state == "free"]  # where memory is short, not far
    if not free:
        raise NotPlayedError
    return lambda: heap.free(free[0])


def _free_of_handle(scene: Scene) -> Misuse:
    heap = scene.private()  # where no address has been freed before
    block = heap.alloc(SIZE)
    return lambda: heap.free(block.address)


def _free_handle(scene: Scene) -> Misuse:
    block: Any = scene.block()
    return lambda: scene.heap.free(block)


def _free_of_another_heap(scene: Scene) -> Misuse:
    address = scene.private().malloc(SIZE)
    return lambda: scene.heap.free(address)


def _ended(end: str) -> Prepare:
    """Free after ``reset`` or ``close``."""

    def prepare(scene: Scene) -> Misuse:
        heap = scene.private()
        address = heap.malloc(SIZE)
        getattr(heap, end)()
        return lambda: heap.free(address)

    return prepare


def _of_no_bytes(scene: Scene) -> Misuse:
    def allocate() -> None:
        if scene.address(0) == scene.address(0):
            raise AssertionError("two empty blocks have one address")

    return allocate


def _grown_over_limit(scene: Scene) -> Misuse:
    heap = scene.small()
    address = heap.malloc(SIZE)
    ctypes.memset(address, 0x5A, SIZE)

    def grow() -> None:
        try:
            heap.realloc(address, 2 * LIMIT)
        finally:
            if ctypes.string_at(address, SIZE) != b"\x5a" * SIZE:
                raise AssertionError("a refused realloc changed the block")

    return grow


def _call(name: str, *arguments: Any) -> Prepare:  # noqa: ANN401 - of any method
    return lambda scene: lambda: getattr(scene.heap, name)(*arguments)


def _over_limit(scene: Scene) -> Misuse:
    heap = scene.small()
    return lambda: heap.malloc(2 * LIMIT)


CASES: Final = (
    Case("an address freed twice", _free_dead, "DoubleFreeError"),
    Case("an address freed by two threads at once", _free_at_once, "DoubleFreeError"),
    Case("an address freed after realloc moved it", _free_moved, "DoubleFreeError"),
    Case("an address freed long ago", _free_long_ago, "InvalidFreeError"),
    Case("an address freed after reset", _ended("reset"), "DoubleFreeError"),
    Case("an address freed after close", _ended("close"), "HeapClosedError"),
    Case("free of the byte behind an address", _free_inside(1), "InteriorAddressError"),
    Case("free of a block's middle", _free_inside(SIZE // 2), "InteriorAddressError"),
    Case("free of a block's last byte", _free_inside(SIZE - 1), "InteriorAddressError"),
    Case("free of an address never allocated", _free_never_allocated, "InvalidFreeError"),
    Case("free of an address held by a block", _free_of_handle, "InvalidFreeError"),
    Case("free of another heap's address", _free_of_another_heap, "ForeignAddressError"),
    Case("free of a ctypes object", _free(ctypes.addressof(_NOT_OURS)), "ForeignAddressError"),
    Case("free of a Python object", _free(id(_NOT_OURS)), "ForeignAddressError"),
    Case("free of 0", _free(0), "ForeignAddressError"),
    Case("free of a negative address", _free(-1), "ForeignAddressError"),
    Case("free of an address beyond all", _free(1 << 70), "ForeignAddressError"),
    Case("free of None", _free(None), NOTHING),
    Case("free of a block", _free_handle, "TypeError"),
    Case("free of a string", _free("1000"), "TypeError"),
    Case("free of a fraction", _free(1000.5), "TypeError"),
    Case("realloc of a freed address", _realloc_dead(2 * SIZE), "DoubleFreeError"),
    Case("realloc of a freed address to nothing", _realloc_dead(0), "DoubleFreeError"),
    Case("realloc of a block's middle", _realloc_inside, "InteriorAddressError"),
    Case("realloc of a ctypes object", _realloc(ctypes.addressof(_NOT_OURS)), "ForeignAddressError"),
    Case("realloc of 0", _realloc(0), "ForeignAddressError"),
    Case("realloc to a negative size", _realloc(None, -1), "InvalidRequestError"),
    Case("realloc to a string", _realloc(None, "1000"), "TypeError"),
    Case("realloc over the limit", _grown_over_limit, "OutOfMemoryError"),
    Case("malloc of a negative size", _call("malloc", -1), "InvalidRequestError"),
    Case("malloc of more than an address space", _call("malloc", sys.maxsize + 1), "InvalidRequestError"),
    Case("malloc of more than there is", _call("malloc", sys.maxsize), "OutOfMemoryError"),
    Case("malloc over the limit", _over_limit, "OutOfMemoryError"),
    Case("malloc of a string", _call("malloc", "1000"), "TypeError"),
    Case("malloc of None", _call("malloc", None), "TypeError"),
    Case("two addresses of no bytes", _of_no_bytes, NOTHING),
    Case("calloc whose product would wrap to 0", _call("calloc", 1 << 33, 1 << 31), "InvalidRequestError"),
    Case("calloc of a negative count", _call("calloc", -1, SIZE), "InvalidRequestError"),
    Case("calloc of two negative numbers", _call("calloc", -2, -SIZE), "InvalidRequestError"),
    Case("aligned_alloc to 3", _call("aligned_alloc", 3, SIZE), "InvalidRequestError"),
    Case("aligned_alloc to 0", _call("aligned_alloc", 0, SIZE), "InvalidRequestError"),
    Case("aligned_alloc to 1 TiB", _call("aligned_alloc", 1 << 40, SIZE), "InvalidRequestError"),
)
