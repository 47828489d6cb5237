"""Whole programs: nothing is printed at exit whatever is still held, and -O checks what callers pass all the same."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest

FLAGS = [(), ("-X", "dev"), ("-O",), ("-W", "error")]

HOLDING = """
import sys, threading
import arenas

heap = arenas.Heap(name="open")
warning = arenas.Heap(warn_on_drop=True)
closed = arenas.Heap()
space = arenas.Heap(backing=arenas.AddressSpace(100))
live = [one.alloc(10) for one in (heap, warning, closed, space, arenas.default_heap()) for _ in range(3)]
parked = [warning.alloc(1000), heap.alloc(3 << 20)]
views = [block.view for block in parked]
for block in parked:
    block.free()
raw = [heap.malloc(10), arenas.malloc(10)]
scope = heap.scope()
scoped = scope.alloc(10)
cycle = [warning.alloc(10)]
cycle.append(cycle)
outlived = closed.alloc(10).view
closed.close()
dropped = heap.alloc(10)
del dropped

class Late:
    def __init__(self):
        self.block = heap.alloc(100)
        self.view = self.block.view
    def __del__(self):
        self.view[:] = b"x" * 100
        self.block.free()

late = Late()
late.itself = late
theirs = []
thread = threading.Thread(target=lambda: theirs.append(heap.alloc(10)))
thread.start()
thread.join()
"""

ARRAYS = """
arrays = [heap.zeros(100), heap.ndarray((3, 3)), live[0].ndarray(2, "u1"), scope.ndarray(5), closed and heap.full(3, 7)]
parts = [arrays[0][2:5]]
"""

DAEMON = """
started = threading.Event()
def work():
    while True:
        block = heap.alloc(100)
        started.set()
threading.Thread(target=work, daemon=True).start()
started.wait()
"""

CHECKS = """
import arenas
heap = arenas.Heap()
block, address = heap.alloc(100), heap.malloc(100)
view = block.view
freed = heap.alloc(10)
freed.free()
for use in (
    lambda: heap.alloc(-1), lambda: heap.alloc(1.5), lambda: heap.alloc(1 << 70), lambda: heap.alloc(8, alignment=3),
    lambda: heap.alloc(8, tag=5), lambda: heap.alloc(1 << 62), lambda: heap.calloc(1 << 40, 1 << 40),
    lambda: heap.free(block), lambda: heap.free(address + 1), lambda: heap.free(12345), lambda: heap.realloc(7, 7),
    freed.free, lambda: freed.view, lambda: freed.resize(5), lambda: block.resize(5), lambda: memoryview(block),
    lambda: arenas.Heap(arenas=0), lambda: arenas.Heap(limit_bytes=5), lambda: arenas.AddressSpace(0),
):
    try:
        use()
    except Exception as error:
        print(type(error).__name__)
    else:
        print("nothing")
heap.check()
heap._manager.arenas[0].table.carved_bytes += 1
try:
    heap.check()
except arenas.CorruptionError:
    print("found")
"""

REFUSALS = [
    "InvalidRequestError",
    "TypeError",
    "InvalidRequestError",
    "InvalidRequestError",
    "TypeError",
    "OutOfMemoryError",
    "InvalidRequestError",
    "TypeError",
    "InteriorAddressError",
    "ForeignAddressError",
    "ForeignAddressError",
    "DoubleFreeError",
    "BlockReleasedError",
    "BlockReleasedError",
    "BufferError",
    "TypeError",
    "InvalidRequestError",
    "InvalidRequestError",
    "InvalidRequestError",
    "found",
]


def run(code: str, *flags: str) -> subprocess.CompletedProcess[str]:
    """A program's end, in a process of its own."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.run(
        [sys.executable, *flags, "-c", code], capture_output=True, text=True, env=environment, check=False, timeout=120
    )


@pytest.mark.parametrize("flags", FLAGS, ids=" ".join)
def test_nothing_is_printed_at_exit(flags: tuple[str, ...]) -> None:
    """Live blocks, parked views, arrays, scopes, cycles, open and closed heaps at exit: silence, and exit code 0."""
    code = HOLDING + (ARRAYS if importlib.util.find_spec("numpy") else "")
    process = run(code, *flags)
    assert (process.returncode, process.stdout, process.stderr) == (0, "", "")


@pytest.mark.parametrize("flags", FLAGS[:2], ids=" ".join)
def test_a_daemon_thread_at_exit(flags: tuple[str, ...]) -> None:
    """A daemon thread that allocates while the interpreter ends disturbs nothing."""
    process = run(HOLDING + DAEMON, *flags)
    assert (process.returncode, process.stdout, process.stderr) == (0, "", "")


def test_an_exception_at_exit() -> None:
    """A program that ends with an error shows that error only."""
    process = run(HOLDING + "raise SystemExit(3)")
    assert (process.returncode, process.stdout, process.stderr) == (3, "", "")


@pytest.mark.parametrize("flags", [(), ("-O",), ("-OO",)], ids=" ".join)
def test_bad_input_is_refused_without_assertions_too(flags: tuple[str, ...]) -> None:
    """python -O refuses what python refuses, with the same errors; check() still proves."""
    process = run(CHECKS, *flags)
    assert process.stderr == ""
    assert process.stdout.split() == REFUSALS
