"""Private anonymous memory, with ordinary and with huge pages."""

from __future__ import annotations

import mmap
import threading

import pytest

from arenas import AnonymousMemory, Heap, OutOfMemoryError, system
from arenas.backing.memory import MappedMemory
from tests.unit._backings import view_of

HUGE = 2 << 20


def test_huge_pages_begin_and_end_at_their_size() -> None:
    """MADV_HUGEPAGE needs it: every range begins at a multiple of 2 MiB and is a multiple long, whatever was asked."""
    backing = AnonymousMemory(huge_pages=True)
    assert backing.page_bytes == HUGE
    for size in (1, HUGE - 1, HUGE, HUGE + 1):
        mapping = backing.map(size, 64)
        assert mapping.address is not None
        assert mapping.address % HUGE == 0
        assert mapping.size == (HUGE if size <= HUGE else 2 * HUGE)


def test_huge_pages_are_committed_and_given_back_whole() -> None:
    with Heap(backing=AnonymousMemory(huge_pages=True), region_bytes=65536) as heap:
        block = heap.alloc(100)
        assert heap.stats().committed_bytes == HUGE
        block.free()
        assert heap.trim() == HUGE
        heap.check()
        assert heap.stats().reserved_bytes == 0


@pytest.fixture
def advice(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Every advice given to the system, and for how many bytes."""
    given: list[tuple[int, int]] = []
    monkeypatch.setattr(MappedMemory, "advise", lambda _, advice, start, size: given.append((advice, size)))
    return given


def test_only_huge_pages_ask_for_them(monkeypatch: pytest.MonkeyPatch, advice: list[tuple[int, int]]) -> None:
    AnonymousMemory(huge_pages=True).map(1, 64)
    assert advice == [(mmap.MADV_HUGEPAGE, HUGE)]
    AnonymousMemory().map(1, 64)
    monkeypatch.setattr(system, "MADV_HUGEPAGE", None)
    AnonymousMemory(huge_pages=True).map(1, 64)
    assert all(what is None for what, _ in advice[1:])


def test_a_large_block_asks_for_huge_pages_within_it(advice: list[tuple[int, int]]) -> None:
    """For itself, not for what its range has beyond it; small ones, and the ranges they share, do not."""
    with Heap() as heap:
        heap.alloc(HUGE - 100)
        heap.alloc(1000)
        assert advice == []
        size = 2 * HUGE + 5000
        block = heap.alloc(size)
        assert advice == [(mmap.MADV_HUGEPAGE, size - size % mmap.PAGESIZE)]
        assert block.address % HUGE == 0


@pytest.mark.skipif(system.MADV_HUGEPAGE is None, reason="the system has no huge pages to ask for")
def test_what_a_large_block_has_given_back_is_no_longer_huge() -> None:
    """Else the next page of it that is used brings in the 2 MiB around it, which count nowhere."""
    with Heap() as heap:
        block = heap.alloc(4 * HUGE)
        block.view[:] = b"x" * (4 * HUGE)
        block.resize(2 * HUGE)
        heap.trim()
        block.resize(2 * HUGE + 64)
        block.view[-1:] = b"y"
        stats = heap.stats()
        assert stats.resident_bytes is not None
        assert stats.resident_bytes <= stats.committed_bytes


def test_a_kernel_without_huge_pages_gives_ordinary_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are an optimisation: EINVAL is no reason to refuse memory."""

    monkeypatch.setattr(system, "MADV_HUGEPAGE", 9999)  # EINVAL
    with Heap(backing=AnonymousMemory(huge_pages=True)) as heap:
        heap.alloc(100).view[:] = b"x" * 100


def test_slack_for_alignment_is_never_touched() -> None:
    """An alignment of 1 GiB costs address space, not memory."""
    mapping = AnonymousMemory().map(4096, 1 << 30)
    assert mapping.size == 4096
    assert len(mapping._mmap) >= 1 << 30
    assert mapping.address is not None
    view_of(mapping, 0, 4096)[:] = b"x" * 4096
    assert mapping.resident_bytes() == 4096


def test_a_range_that_no_process_can_have_is_the_systems_error() -> None:
    """And, of a heap, an honest out of memory; the heap serves on."""
    backing = AnonymousMemory()
    with pytest.raises((OSError, OverflowError, MemoryError)):
        backing.map(1 << 62, 64)
    with Heap(backing=backing) as heap:
        for size in (1 << 62, (1 << 63) - 1):
            with pytest.raises(OutOfMemoryError, match=str(size)):
                heap.alloc(size)
        heap.alloc(100)
        heap.check()
        assert heap.stats().live_blocks == 0
        heap.trim()
        assert heap.stats().reserved_bytes == 0


def test_any_number_of_heaps_may_share_one() -> None:
    """It holds no state: heaps made and used at once have nothing in common."""
    backing = AnonymousMemory()
    barrier = threading.Barrier(4)
    failures: list[BaseException] = []

    def use(number: int) -> None:
        try:
            barrier.wait()
            with Heap(backing=backing, region_bytes=8192) as heap:
                blocks = [heap.alloc(1000) for _ in range(50)]
                for block in blocks:
                    block.view[:] = bytes([number]) * 1000
                assert all(bytes(block.view) == bytes([number]) * 1000 for block in blocks)
                heap.check()
        except BaseException as error:  # noqa: BLE001 - told in the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_pages_that_the_system_will_not_take_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused ``madvise`` is an answer, not an error; the bytes are as they were."""
    mapping = AnonymousMemory().map(8192, 64)
    view_of(mapping, 0, 8192)[:] = b"x" * 8192
    assert not mapping.decommit(1, 4096)  # EINVAL: not at a page's beginning
    assert bytes(view_of(mapping, 0, 8192)) == b"x" * 8192
    monkeypatch.setattr(system, "MADV_DONTNEED", None)
    backing = AnonymousMemory()
    assert not backing.decommit_zeroes
    assert not backing.map(8192, 64).decommit(0, 4096)
