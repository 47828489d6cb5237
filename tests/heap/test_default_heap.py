"""The default heap: there without being made, everybody's, and therefore neither reset nor closed."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import arenas

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def default() -> Iterator[arenas.Heap]:
    """A heap that is the default for one test."""
    heap = arenas.Heap(name="ours")
    before = arenas.default_heap()
    arenas.set_default_heap(heap)
    yield heap
    assert arenas.set_default_heap(before) is heap
    heap.close()


def run(code: str, **environment: str) -> str:
    """What a program prints, in a process of its own."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("ARENAS_")} | environment
    variables["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=variables, check=False, timeout=120
    )
    assert process.returncode == 0, process.stderr
    assert process.stderr == ""
    return process.stdout


def test_the_functions_use_it(default: arenas.Heap) -> None:
    """alloc, malloc, calloc, realloc and free of the module are those of the default heap."""
    assert arenas.default_heap() is default
    block = arenas.alloc(100, zero=True, alignment=4096, tag="mine", timeout=1)
    assert (block.heap, block.size, block.alignment, block.tag) == (default, 100, 4096, "mine")
    assert not any(block.view)
    addresses = [arenas.malloc(10), arenas.calloc(5), arenas.calloc(5, 4)]
    assert ctypes.string_at(addresses[2], 20) == bytes(20)
    grown = arenas.realloc(addresses[0], 1000)
    assert default.stats().live_bytes == 100 + 1000 + 5 + 20
    arenas.free(None)
    for address in (grown, *addresses[1:]):
        arenas.free(address)
    block.free()
    assert default.stats().live_blocks == 0


def test_it_is_one_and_the_same() -> None:
    """It is made once, named "default", without a limit where none was asked for."""
    assert arenas.default_heap() is arenas.default_heap()
    code = "import arenas; heap = arenas.default_heap(); print(heap.name, len(arenas.alloc(3 << 20).view))"
    assert run(code) == f"default {3 << 20}\n"
    assert run(code, ARENAS_LIMIT="") == f"default {3 << 20}\n"


def test_it_refuses_what_would_take_others_blocks(default: arenas.Heap) -> None:
    """reset() and close(), also by `with`, are refused; its blocks live on."""
    block = arenas.alloc(10)
    for end in (default.reset, default.close, lambda: default.__exit__(None, None, None)):
        with pytest.raises(arenas.InvalidRequestError, match=r"cannot (reset|close) the default heap"):
            end()
    assert not block.released
    assert not default.closed
    default.trim()


def test_replacing_it(default: arenas.Heap) -> None:
    """set_default_heap gives back the one before, whose blocks stay its own, and which may be closed from then on."""
    block, address = arenas.alloc(10), arenas.malloc(10)
    other = arenas.Heap()
    assert arenas.set_default_heap(other) is default
    try:
        assert arenas.default_heap() is other
        assert block.heap is default
        with pytest.raises(arenas.ForeignAddressError, match=f"{address:#x}"):
            arenas.free(address)
        default.free(address)
        with pytest.raises(arenas.InvalidRequestError):
            other.close()
        default.reset()
        assert block.released
    finally:
        arenas.set_default_heap(default)
    other.close()


@pytest.mark.parametrize("value", [None, 5, arenas.Heap], ids=repr)
def test_only_a_heap_can_be_it(value: object) -> None:
    """What is no heap is a TypeError, and the default stays what it was."""
    before = arenas.default_heap()
    with pytest.raises(TypeError, match="must be a Heap"):
        arenas.set_default_heap(value)  # type: ignore[arg-type]
    assert arenas.default_heap() is before


def test_a_closed_heap_cannot_be_it() -> None:
    """A closed heap would serve nobody: it is refused, and the default stays what it was."""
    closed = arenas.Heap()
    closed.close()
    before = arenas.default_heap()
    try:
        with pytest.raises(arenas.HeapClosedError):
            arenas.set_default_heap(closed)
    finally:
        arenas.set_default_heap(before)


LIMITED = """
import arenas
block = arenas.alloc({limit})
try:
    arenas.alloc(1)
except arenas.OutOfMemoryError as error:
    print("limit {limit}" in str(error))
"""


@pytest.mark.parametrize(
    ("text", "limit"), [("65536", 65536), ("64k", 65536), ("1M", 1 << 20), ("1.5 MiB", 3 << 19), ("2GB", 2 << 30)]
)
def test_its_limit_comes_from_the_environment(text: str, limit: int) -> None:
    """ARENAS_LIMIT bounds it, in bytes or with a unit."""
    assert run(LIMITED.format(limit=limit), ARENAS_LIMIT=text) == "True\n"


@pytest.mark.parametrize("text", ["much", "-5", "5 apples", "0", "1e9"])
def test_a_limit_that_is_none(text: str) -> None:
    """An ARENAS_LIMIT that is no size is an InvalidRequestError at the first use, each time, and says what it found."""
    code = """
import arenas
for _ in range(2):
    try:
        arenas.alloc(1)
    except arenas.InvalidRequestError as error:
        print(error)
"""
    lines = run(code, ARENAS_LIMIT=text).splitlines()
    assert len(lines) == 2
    assert all(text in line for line in lines)
