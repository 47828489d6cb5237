"""Memory that the system is about to write into, in another thread, when its block is freed.

Nothing but the call that waits has the view: it is popped from its box on the way there.
"""

from __future__ import annotations

import os
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

import arenas
from tests.threads.helpers import PATIENCE_SECONDS, pattern, prove_whole

if TYPE_CHECKING:
    from collections.abc import Callable

SIZE = 4096


def _file(box: list[memoryview]) -> tuple[Callable[[], object], Callable[[bytes], object]]:
    reading, writing = os.pipe()
    source = os.fdopen(reading, "rb", buffering=0)

    def read() -> None:
        with source:
            source.readinto(box.pop())

    def write(data: bytes) -> None:
        os.write(writing, data)
        os.close(writing)

    return read, write


def _buffered_file(box: list[memoryview]) -> tuple[Callable[[], object], Callable[[bytes], object]]:
    reading, writing = os.pipe()
    source = os.fdopen(reading, "rb")

    def read() -> None:
        with source:
            source.readinto(box.pop())

    def write(data: bytes) -> None:
        os.write(writing, data)
        os.close(writing)

    return read, write


def _socket(box: list[memoryview]) -> tuple[Callable[[], object], Callable[[bytes], object]]:
    left, right = socket.socketpair()

    def read() -> None:
        with right:
            right.recv_into(box.pop(), SIZE, socket.MSG_WAITALL)

    def write(data: bytes) -> None:
        with left:
            left.sendall(data)

    return read, write


def _halves(view: memoryview) -> list[memoryview]:
    return [view[: SIZE // 2], view[SIZE // 2 :]]


def _vector(box: list[memoryview]) -> tuple[Callable[[], object], Callable[[bytes], object]]:
    reading, writing = os.pipe()

    def read() -> None:
        os.readv(reading, _halves(box.pop()))
        os.close(reading)

    def write(data: bytes) -> None:
        os.write(writing, data)
        os.close(writing)

    return read, write


@pytest.mark.parametrize("kind", [_file, _buffered_file, _socket, _vector], ids=lambda kind: kind.__name__[1:])
def test_what_is_written_late_hits_nobody_else(kind: Any) -> None:
    """A read waits in another thread; its block is freed; all memory is taken. The data comes: no block changes."""
    heap = arenas.Heap(arenas=1, region_bytes=16 * SIZE, limit_bytes=8 * SIZE)
    block = heap.alloc(SIZE)
    read, write = kind([block.view])
    inside = threading.Event()

    def wait() -> None:
        inside.set()
        read()

    reader = threading.Thread(target=wait, daemon=True)
    reader.start()
    assert inside.wait(PATIENCE_SECONDS)
    block.free()
    others = [heap.alloc(SIZE) for _ in range(7)]
    for number, other in enumerate(others, 1):
        other.view[:] = pattern(number, SIZE)
    with pytest.raises(arenas.OutOfMemoryError):
        heap.alloc(1)
    write(b"\xff" * SIZE)
    reader.join(PATIENCE_SECONDS)
    assert not reader.is_alive()
    for number, other in enumerate(others, 1):
        assert other.view == pattern(number, SIZE)
    del block, other, write
    others.clear()
    prove_whole(heap)
