"""The limit on committed bytes: never exceeded, reached only after all that can be given up was, and explained."""

from __future__ import annotations

import functools
import random
import threading
from typing import TYPE_CHECKING, Any

import pytest

import arenas
from tests.heap._support import assert_whole, books, in_thread

if TYPE_CHECKING:
    from pathlib import Path

PAGE = arenas.AnonymousMemory().page_bytes


def allocate_at_random(heap: arenas.Heap, seed: int, check: Any, rounds: int = 150) -> int:
    """Allocates, resizes, frees and drops; how many requests were out of memory."""
    chance = random.Random(seed)
    blocks: list[arenas.Block] = []
    refused = 0
    for _ in range(rounds):
        action = chance.random()
        size = chance.choice([0, 100, 3000, PAGE, 3 * PAGE, 20 * PAGE])
        try:
            if action < 0.5 or not blocks:
                blocks.append(heap.alloc(size, alignment=chance.choice([1, 64, PAGE, 4 * PAGE])))
            elif action < 0.7:
                chance.choice(blocks).resize(size)
            elif action < 0.8:
                with heap.scope() as scope:
                    scope.alloc(size)
                    check()
            else:
                blocks.pop(chance.randrange(len(blocks)))
        except arenas.OutOfMemoryError:
            refused += 1
        check()
    return refused


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("options", [{"arenas": 1}, {"arenas": 3}, {"arenas": "thread", "decay_seconds": 0}], ids=str)
def test_the_limit_is_never_exceeded(options: dict[str, Any], seed: int) -> None:
    """At no moment are more bytes committed than the limit, nor more resident: sampled after every operation."""
    limit = 40 * PAGE
    heap = arenas.Heap(limit_bytes=limit, region_bytes=16 * PAGE, **options)

    def check() -> None:
        stats = heap.stats()
        assert stats.committed_bytes <= limit
        assert (stats.resident_bytes or 0) <= stats.committed_bytes

    assert allocate_at_random(heap, seed, check) > 0
    assert_whole(heap)


def test_the_limit_holds_for_several_threads() -> None:
    """Threads that commit at once stay below the limit together, and in the end all of it is to be had again."""
    limit = 64 * PAGE
    heap = arenas.Heap(limit_bytes=limit, region_bytes=16 * PAGE)
    start = threading.Barrier(4)
    budget = heap._manager.budget
    highest = []

    def sample() -> None:
        # Statistics read one arena after the other; only the budget knows the sum of one moment, between two grants.
        with budget.lock:
            highest.append(budget.committed_bytes)

    def work(seed: int) -> None:
        start.wait()
        allocate_at_random(heap, seed, sample)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0 < max(highest) <= limit
    heap.alloc(limit).free()
    assert_whole(heap)


@pytest.mark.parametrize("pages", [1, 2, 16, 64])
def test_all_of_the_limit_can_be_had(pages: int) -> None:
    """A limit of n pages serves n pages, in one block or in many, again and again; one byte more is out of memory."""
    heap = arenas.Heap(limit_bytes=pages * PAGE, region_bytes=8 * PAGE)
    for size in (pages * PAGE, PAGE, 64, pages * PAGE):
        blocks = [heap.alloc(size) for _ in range(pages * PAGE // size)]
        with pytest.raises(arenas.OutOfMemoryError):
            heap.alloc(1)
        assert books(heap).committed_bytes == pages * PAGE
        del blocks
    assert_whole(heap)


def test_free_pages_elsewhere_are_given_back_first() -> None:
    """Pages that an ended thread's arena or the large blocks' has lying about are given up before a request fails."""
    heap = arenas.Heap(limit_bytes=32 * PAGE, region_bytes=8 * PAGE)
    in_thread(lambda: [heap.alloc(2 * PAGE) for _ in range(8)])
    heap.alloc(16 * PAGE).free()
    assert books(heap).committed_bytes == 32 * PAGE
    assert heap.alloc(30 * PAGE).size == 30 * PAGE
    assert heap.stats().out_of_memory == 0


def free_all(blocks: list[arenas.Block]) -> None:
    for block in blocks:
        block.free()


def test_refused_requests_leave_nothing_behind() -> None:
    """However often: a region that was mapped for one, and whose pages the limit then refused, goes back."""
    heap = arenas.Heap(limit_bytes=8 * PAGE, region_bytes=16 * PAGE)
    block = heap.alloc(4 * PAGE)
    reserved = heap.stats().reserved_bytes
    for _ in range(3):
        with pytest.raises(arenas.OutOfMemoryError):
            heap.alloc(6 * PAGE)
        assert heap.stats().reserved_bytes == reserved
    block.free()


def test_frees_in_mailboxes_are_found_first() -> None:
    """What other threads freed, and what was dropped, serves a request at the limit."""
    heap = arenas.Heap(limit_bytes=16 * PAGE, region_bytes=8 * PAGE)
    blocks = [heap.alloc(PAGE) for _ in range(16)]
    in_thread(functools.partial(free_all, blocks[:8]))
    assert heap.alloc(8 * PAGE).size == 8 * PAGE
    del blocks[8:]
    assert heap.alloc(16 * PAGE).size == 16 * PAGE
    assert all(block.released for block in blocks)


def test_resize_in_place_at_the_limit() -> None:
    """A block that can grow where it is grows, although elsewhere there is no room for all of it."""
    heap = arenas.Heap(limit_bytes=8 * PAGE, region_bytes=64 * PAGE, arenas=1)
    other, block = heap.alloc(4 * PAGE), heap.alloc(4 * PAGE)
    block.view[:] = b"x" * (4 * PAGE)
    other.free()  # its pages stay committed until somebody needs them
    block.resize(6 * PAGE)
    assert bytes(block.view[: 4 * PAGE]) == b"x" * (4 * PAGE)
    assert books(heap).resizes_in_place == 1


def test_a_scope_in_a_small_heap() -> None:
    """A scope serves what the limit allows, however little that is."""
    heap = arenas.Heap(limit_bytes=2 * PAGE, region_bytes=8 * PAGE)
    with heap.scope() as scope:
        blocks = [scope.alloc(100) for _ in range(10)]
        assert books(heap).live_bytes == 1000
        assert len({block.address for block in blocks}) == 10
    assert_whole(heap)


@pytest.mark.parametrize("kind", ["file", "space"])
def test_a_scope_over_a_small_backing(kind: str, tmp_path: Path) -> None:
    """A scope works over a backing that is smaller than its chunks."""
    backing: Any = arenas.AddressSpace(5000) if kind == "space" else arenas.FileMemory(tmp_path / "file", 8192)
    heap = arenas.Heap(backing=backing)
    with heap.scope() as scope:
        assert [scope.alloc(100).size for _ in range(10)] == [100] * 10
    assert_whole(heap)


def test_a_file_has_a_limit_too(tmp_path: Path) -> None:
    """limit_bytes bounds what of a file is handed out; adopting more than it is out of memory, too."""
    heap = arenas.Heap(backing=arenas.FileMemory(tmp_path / "file", 64 * PAGE), limit_bytes=4 * PAGE)
    with pytest.raises(arenas.OutOfMemoryError, match=f"limit {4 * PAGE}"):
        heap.alloc(5 * PAGE)
    with pytest.raises(arenas.OutOfMemoryError):
        heap.adopt(0, 5 * PAGE)
    assert heap.alloc(4 * PAGE).size == 4 * PAGE


def test_the_message_has_the_numbers() -> None:
    """Out of memory names what was asked, free, largest, live, parked, cached, mailed, the limit, and top holders."""
    heap = arenas.Heap(limit_bytes=64 * PAGE, region_bytes=32 * PAGE, arenas=1)
    kept = [
        heap.alloc(size, tag=tag) for size, tag in [(20_000, "video"), (30_000, "video"), (9_000, "audio"), (64, None)]
    ]
    small = [heap.alloc(100, tag=f"tag {number}") for number in range(5)]
    parked = heap.alloc(5_000)
    view = parked.view
    parked.free()
    scope = heap.scope()
    scope.alloc(10)
    with pytest.raises(arenas.OutOfMemoryError) as caught:
        heap.alloc(60 * PAGE + 1, alignment=128, tag="more")
    stats, message = heap.stats(), str(caught.value)
    for words in (
        f"cannot allocate {60 * PAGE + 1} bytes",
        "alignment 128",
        f"free {stats.free_bytes}",
        f"largest free span {stats.largest_free_bytes}",
        f"live {stats.live_bytes} in {stats.live_blocks} blocks",
        "parked 5056",
        f"cached {(64 << 10) - 64}",
        "mailbox 0",
        f"limit {64 * PAGE}",
        "held by video: 50000, audio: 9000, ",
    ):
        assert words in message
    del kept, small, view
    scope.close()
    assert_whole(heap)


def test_the_message_without_a_limit() -> None:
    """A full address space says how long it is, what is free in it, and who has the rest; resize says the same."""
    heap = arenas.Heap(backing=arenas.AddressSpace(1000))
    block, kept = heap.alloc(400, tag="left"), heap.alloc(500, tag="right")
    for ask in (lambda: heap.alloc(101), lambda: block.resize(501)):
        with pytest.raises(arenas.OutOfMemoryError) as caught:
            ask()
        for words in ("free 100", "largest free span 100", "1000", "right: 500, left: 400"):
            assert words in str(caught.value)
    assert heap.stats().out_of_memory == 2
    kept.free()
