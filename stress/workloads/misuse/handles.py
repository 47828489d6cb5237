"""Misuse of a heap's blocks."""

from __future__ import annotations

import operator
import pickle
import sys
from typing import TYPE_CHECKING, Any, Final

from .case import LIMIT, NOTHING, SIZE, Case, at_once

if TYPE_CHECKING:
    import arenas

    from .case import Misuse, Prepare, Scene


def _freed(scene: Scene) -> arenas.Block:
    block = scene.block()
    block.free()
    return block


def _of_freed(name: str) -> Prepare:
    """Ask a freed block for something."""

    def prepare(scene: Scene) -> Misuse:
        block = _freed(scene)
        return lambda: getattr(block, name)

    return prepare


def _stale(scene: Scene) -> Misuse:
    block = _freed(scene)
    scene.block()  # it has the same memory, and must keep it
    return block.free


def _at_once(scene: Scene) -> Misuse:
    block = scene.block()
    return lambda: at_once(block.free, block.free)


def _after_reset(scene: Scene) -> Misuse:
    heap = scene.private()
    block = heap.alloc(SIZE)
    heap.reset()
    return block.free


def _after_close(what: str, *arguments: Any) -> Prepare:  # noqa: ANN401 - of any method
    def prepare(scene: Scene) -> Misuse:
        heap = scene.private()
        block = heap.alloc(SIZE)
        heap.close()
        owner: object = heap if what in {"alloc", "close"} else block
        return lambda: getattr(owner, what)(*arguments)

    return prepare


def _after_scope(scene: Scene) -> Misuse:
    with scene.heap.scope() as scratch:
        block = scratch.alloc(SIZE)
    return block.free


def _in_ended_scope(scene: Scene) -> Misuse:
    with scene.heap.scope() as scratch:
        scratch.alloc(SIZE)
    return lambda: scratch.alloc(SIZE)


def _resized_under_view(scene: Scene) -> Misuse:
    block = scene.block()
    view = block.view

    def resize() -> None:
        try:
            block.resize(2 * SIZE)
        finally:
            view.release()

    return resize


def _written(where: int | slice, what: int | bytes) -> Prepare:
    """Write through a view."""

    def prepare(scene: Scene) -> Misuse:
        view: Any = scene.block().view
        return lambda: operator.setitem(view, where, what)

    return prepare


def _written_late(scene: Scene) -> Misuse:
    block = scene.block()
    view = block.view
    block.free()
    other = scene.block()
    other.view[:] = bytes(SIZE)

    def write() -> None:
        view[:] = b"\xff" * SIZE
        if bytes(other.view) != bytes(SIZE):
            raise AssertionError("a late write through a view reached another block")

    return write


def _resized(size: Any) -> Prepare:  # noqa: ANN401 - also what is no size
    def prepare(scene: Scene) -> Misuse:
        block = scene.block()
        return lambda: block.resize(size)

    return prepare


def _allocated(size: Any, alignment: Any = None) -> Prepare:  # noqa: ANN401
    return lambda scene: lambda: scene.heap.alloc(size, alignment=alignment)


def _of_no_bytes(scene: Scene) -> Misuse:
    def allocate() -> None:
        one, other = scene.block(0), scene.block(0)
        if one.address == other.address:
            raise AssertionError("two empty blocks have one address")

    return allocate


def _of_no_bytes_twice(scene: Scene) -> Misuse:
    block = scene.block(0)
    block.free()
    return block.free


def _over_limit(scene: Scene) -> Misuse:
    heap = scene.small()
    return lambda: heap.alloc(2 * LIMIT)


def _grown_over_limit(scene: Scene) -> Misuse:
    block = scene.small().alloc(SIZE)
    block.view[:] = b"\x5a" * SIZE

    def grow() -> None:
        try:
            block.resize(2 * LIMIT)
        finally:
            if bytes(block.view) != b"\x5a" * SIZE:
                raise AssertionError("a refused resize changed the block")

    return grow


CASES: Final = (
    Case("a block freed twice", lambda scene: _freed(scene).free, "DoubleFreeError"),
    Case("a block freed again when its memory is another's", _stale, "DoubleFreeError"),
    Case("a block freed by two threads at once", _at_once, "DoubleFreeError"),
    Case("a block freed after reset", _after_reset, "DoubleFreeError"),
    Case("a block freed after its scope", _after_scope, "DoubleFreeError"),
    Case("a block freed after close", _after_close("free"), "HeapClosedError"),
    Case("a block resized after close", _after_close("resize", SIZE), "HeapClosedError"),
    Case("alloc after close", _after_close("alloc", SIZE), "HeapClosedError"),
    Case("close after close", _after_close("close"), NOTHING),
    Case("alloc in a scope that has ended", _in_ended_scope, "HeapClosedError"),
    Case("a block resized after free", lambda scene: lambda: _freed(scene).resize(1), "BlockReleasedError"),
    Case("the view of a freed block", _of_freed("view"), "BlockReleasedError"),
    Case("the address of a freed block", _of_freed("address"), "BlockReleasedError"),
    Case("the size of a freed block", _of_freed("size"), "BlockReleasedError"),
    Case("a block resized under a view", _resized_under_view, "BufferError"),
    Case("a view written at its end", _written(SIZE, 1), "IndexError"),
    Case("a view written before its start", _written(-SIZE - 1, 1), "IndexError"),
    Case("a view written across its end", _written(slice(SIZE - 8, SIZE + 8), bytes(16)), "ValueError"),
    Case("a view written across its start", _written(slice(-SIZE - 8, 8 - SIZE), bytes(16)), "ValueError"),
    Case("a view written after free", _written_late, NOTHING),
    Case("alloc of a negative size", _allocated(-1), "InvalidRequestError"),
    Case("alloc of more than an address space", _allocated(sys.maxsize + 1), "InvalidRequestError"),
    Case("alloc of more than there is", _allocated(sys.maxsize), "OutOfMemoryError"),
    Case("alloc over the limit", _over_limit, "OutOfMemoryError"),
    Case("alloc aligned to 3", _allocated(SIZE, 3), "InvalidRequestError"),
    Case("alloc aligned to 0", _allocated(SIZE, 0), "InvalidRequestError"),
    Case("alloc aligned to a negative number", _allocated(SIZE, -8), "InvalidRequestError"),
    Case("alloc aligned to 1 TiB", _allocated(SIZE, 1 << 40), "InvalidRequestError"),
    Case("alloc of a string", _allocated("1000"), "TypeError"),
    Case("alloc of a fraction", _allocated(1000.5), "TypeError"),
    Case("alloc of None", _allocated(None), "TypeError"),
    Case("two blocks of no bytes", _of_no_bytes, NOTHING),
    Case("a block of no bytes freed twice", _of_no_bytes_twice, "DoubleFreeError"),
    Case("resize to a negative size", _resized(-1), "InvalidRequestError"),
    Case("resize to more than an address space", _resized(sys.maxsize + 1), "InvalidRequestError"),
    Case("resize to a string", _resized("1000"), "TypeError"),
    Case("resize over the limit", _grown_over_limit, "OutOfMemoryError"),
    Case("a block pickled", lambda scene: lambda: pickle.dumps(scene.block()), "TypeError"),
)
