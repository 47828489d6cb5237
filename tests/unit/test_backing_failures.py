"""A backing that fails at its N-th call, for every N: the heap says out of memory, or does without, and stays whole."""

from __future__ import annotations

import contextlib
import errno
from functools import partial
from typing import TYPE_CHECKING

import pytest

from arenas import AddressSpace, Block, FileMemory, Heap, OutOfMemoryError
from tests.unit._flaky import Failures, FlakyMemory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ERRORS: dict[str, Callable[[], Exception]] = {
    "OSError": lambda: OSError(errno.ENOMEM, "Cannot allocate memory"),
    "MemoryError": MemoryError,
}
# Eager heaps give pages back with every free; patient ones only when trimmed.
DECAYS = {"eager": 0, "patient": None}
SIZES = (1, 100, 5000, 40_000, 9000, 64, 20_000)


class Script:
    """A fixed sequence of operations. `kept`: the blocks it holds, each full of a number of its own."""

    def __init__(self, heap: Heap) -> None:
        self.heap = heap
        self.kept: dict[int, tuple[Block, int]] = {}  # number -> (block, bytes of it that were written)
        self.raw: dict[int, int] = {}  # number -> address

    def steps(self) -> Iterator[Callable[[], object]]:
        for number, size in enumerate(SIZES):
            yield partial(self.take, number, size)
        for number in (0, 2, 4):
            yield partial(self.give, number)
        yield self.heap.trim
        yield partial(self.take, 10, 5000, zero=True)
        for number, size in ((1, 30_000), (3, 10), (6, 50_000), (5, 65)):
            yield partial(self.resize, number, size)
        yield partial(self.malloc, 20, 3000)
        yield partial(self.realloc, 20, 30_000)
        yield self.in_scope
        yield partial(self.take, 11, 100, alignment=8192)
        for number in (1, 3, 5):
            yield partial(self.give, number)
        yield self.heap.trim
        yield self.heap.stats
        yield partial(self.take, 12, 70_000, zero=True)

    def take(self, number: int, size: int, *, zero: bool = False, alignment: int = 64) -> None:
        block = self.heap.alloc(size, zero=zero, alignment=alignment)
        assert not zero or bytes(block.view) == bytes(size)
        block.view[:] = bytes([number]) * size
        self.kept[number] = (block, size)

    def give(self, number: int) -> None:
        block, _ = self.kept.pop(number, (None, 0))
        if block is not None:
            block.free()

    def resize(self, number: int, size: int) -> None:
        if number in self.kept:
            block, written = self.kept[number]
            block.resize(size)
            self.kept[number] = (block, min(size, written))

    def malloc(self, number: int, size: int) -> None:
        self.raw[number] = self.heap.malloc(size)

    def realloc(self, number: int, size: int) -> None:
        if number in self.raw:
            address = self.heap.realloc(self.raw[number], size)
            assert address is not None
            self.raw[number] = address

    def in_scope(self) -> None:
        with self.heap.scope() as scratch:
            for size in (100, 3000, 9000):
                scratch.alloc(size).view[:] = b"s" * size

    def verify(self) -> None:
        """Whatever failed: the books are true, and what is held is what was written."""
        self.heap.check()
        for number, (block, written) in self.kept.items():
            assert bytes(block.view[:written]) == bytes([number]) * written
        stats = self.heap.stats()
        assert stats.parts_bytes == stats.reserved_bytes
        assert stats.live_blocks == len(self.kept) + len(self.raw)

    def finish(self) -> None:
        """Everything back: nothing was leaked, and the heap serves on."""
        for number in list(self.kept):
            self.give(number)
        for address in self.raw.values():
            self.heap.free(address)
        self.heap.alloc(100_000).free()
        self.heap.check()
        self.heap.trim()
        stats = self.heap.stats()
        assert (stats.reserved_bytes, stats.committed_bytes, stats.live_blocks) == (0, 0, 0)
        self.heap.close()


def play(first: int, error: Callable[[], Exception], *, lasting: bool, decay_seconds: float | None) -> Failures:
    """The script once, on a backing that fails at its call number `first`."""
    failures = Failures(first, error, lasting=lasting)
    heap = Heap(backing=FlakyMemory(failures), region_bytes=16384, decay_seconds=decay_seconds)
    script = Script(heap)
    for step in script.steps():
        try:
            step()
        except OutOfMemoryError:
            assert failures.failed, "out of memory though nothing failed"
        script.verify()
    failures.over = True
    script.finish()
    return failures


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("decay", DECAYS)
@pytest.mark.parametrize("error", ERRORS)
def test_every_call_to_the_system_may_fail(error: str, decay: str, lasting: bool) -> None:
    """For every N, after every step: out of memory or as if nothing had happened, the books true, nothing leaked."""
    first = 1
    while (failures := play(first, ERRORS[error], lasting=lasting, decay_seconds=DECAYS[decay])).failed:
        first += 1
    # The last run met no failure: it made every call that there is, one fewer than the number that was to fail.
    assert failures.calls == first - 1
    assert failures.kinds == {"map", "decommit"}


def test_a_failure_surfaces_as_out_of_memory_with_its_numbers() -> None:
    """Not as the system's error: a caller has one thing to catch, whatever the backing."""
    failures = Failures(1, ERRORS["OSError"], lasting=True)
    with Heap(backing=FlakyMemory(failures)) as heap:
        with pytest.raises(OutOfMemoryError, match="cannot allocate 12345 bytes"):
            heap.alloc(12345)
        assert heap.stats().out_of_memory == 1
        failures.over = True
        assert heap.alloc(12345).size == 12345


def test_one_refusal_is_not_out_of_memory() -> None:
    """A doubled region may be too much where what is needed is not: the smaller one is tried before giving up."""
    with Heap(backing=FlakyMemory(Failures(1, MemoryError, lasting=False))) as heap:
        assert heap.alloc(12345).size == 12345


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("kind", ["FileMemory", "AddressSpace"])
def test_a_heap_that_could_not_be_made_leaves_its_range_free(
    kind: str, error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one range is mapped when the heap is made: the caller sees that fail, and the next try succeeds."""
    backing = FileMemory(tmp_path / "memory", 65536) if kind == "FileMemory" else AddressSpace(65536)

    def refuse(*_: object) -> None:
        failure = ERRORS[error]()
        raise failure

    with monkeypatch.context() as patch:
        patch.setattr(backing, "map", refuse)
        with pytest.raises(type(ERRORS[error]())):
            Heap(backing=backing)
    with contextlib.closing(Heap(backing=backing)) as heap:
        assert heap.stats().free_bytes == 65536
