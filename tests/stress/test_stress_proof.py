"""The proof at the end of a run: everything freed, one free span a region, all of it to be had again; and each part of
it fails where it should, with figures.
"""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Any

import pytest
from _allocators import Sound
from _package import module
from _runs import act

import arenas

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

audit = module("audit")
errors = module("errors")
faults = module("faults")
protocol = module("allocators.protocol")
run = module("run")


def used(**options: Any) -> arenas.Heap:
    """A heap that had several regions, and blocks of all kinds; all freed."""
    heap = arenas.Heap(**{"region_bytes": 65536, "decay_seconds": None, **options})
    blocks = [heap.alloc(size) for size in (10, 5000, 60_000, 30_000, 100, 64_000)]
    for block in blocks[::2] + blocks[1::2]:
        block.free()
    return heap


class Doctored:
    """A heap that tells something else of itself."""

    def __init__(self, heap: Any, **told: Callable[..., Any]) -> None:
        self.heap = heap
        self.told = told

    def __getattr__(self, name: str) -> Any:
        return self.told.get(name) or getattr(self.heap, name)


def test_a_whole_heap_has_nothing_wrong(tmp_path: Path) -> None:
    for options in (
        {},
        {"arenas": 3},
        {"limit_bytes": 400_000},
        {"backing": arenas.FileMemory(tmp_path / "memory", 1 << 20)},
        {"backing": arenas.FileMemory(tmp_path / "parts", 1 << 20), "arenas": 3},
        {"backing": arenas.AddressSpace(999_999), "arenas": 4},
    ):
        with used(**options) as heap:
            assert audit.books(heap, options.get("limit_bytes")) == []


def test_within_a_limit_no_more_than_that_is_allocated_again() -> None:
    with used(limit_bytes=300_000) as heap:
        asked: list[int] = []

        def alloc(size: int) -> arenas.Block:
            asked.append(size)
            return heap.alloc(size)

        assert audit.all_again(Doctored(heap, alloc=alloc), [100_000] * 5, 300_000) == []
        assert asked == [100_000, 100_000, 94_208]


def test_parts_that_do_not_add_up() -> None:
    with used() as heap:
        stats = heap.stats()
        assert audit.sums_everywhere(stats) == []
        wrong = dataclasses.replace(stats, cached_bytes=stats.cached_bytes + 1)
        (said,) = audit.sums_everywhere(wrong)
        assert f"the parts sum to {stats.reserved_bytes + 1:,} bytes, {stats.reserved_bytes:,} are reserved" in said
        one = dataclasses.replace(stats.arenas[0], free_bytes=0)
        assert audit.sums_everywhere(dataclasses.replace(stats, arenas=(one,)))[0].startswith("arena 0: the parts")


@pytest.mark.parametrize("field", ["live_blocks", "live_bytes", "guard_bytes", "parked_bytes", "quarantined_bytes"])
def test_something_still_live(field: str) -> None:
    told: dict[str, Any] = {field: 1234}
    (said,) = audit.nothing_live(arenas.Stats(**told))
    assert said == f"{field} is 1,234 after every block was freed"


def test_a_block_still_live_is_found_where_it_lies() -> None:
    with used() as heap:
        block = heap.alloc(5000)
        said = audit.books(heap)
        assert "live_bytes is 5,000 after every block was freed" in said
        assert any(f"at {block.offset:#x} are live after every block was freed" in line for line in said)
        assert any("regions are in pieces after trim()" in line for line in said)


def test_memory_still_seen_is_found() -> None:
    with used() as heap:
        block = heap.alloc(5000)
        view = block.view
        block.free()
        assert any("are parked after every block was freed" in line for line in audit.books(heap))
        del view
        assert audit.books(heap) == []


def test_spans_that_do_not_tile_their_regions() -> None:
    with used() as heap:
        stats, spans = heap.stats(), heap.snapshot().spans
        assert audit.idle(spans, stats) == []
        lost = spans[:1] + spans[2:]
        reserved = stats.arenas[spans[1].arena].reserved_bytes
        said = f"its spans have {reserved - spans[1].span:,} bytes, {reserved:,} are reserved"
        assert any(said in line for line in audit.idle(lost, stats))
        moved = (dataclasses.replace(spans[0], offset=spans[0].offset - 1 << 40), *spans[1:])
        assert any("pieces, and it has" in line for line in audit.idle(moved, stats))


def test_a_heap_is_looked_at_when_it_has_come_to_rest() -> None:
    """What was freed elsewhere may come home at any call; a heap that never rests is told."""
    with used() as heap:
        told = [dataclasses.replace(heap.stats(), cached_bytes=size) for size in (1, 2, 3, 3)]
        asked = iter(told)
        stats, _ = audit.at_rest(Doctored(heap, stats=lambda: next(asked)))
        assert stats.cached_bytes == 3
        endless = (dataclasses.replace(told[0], cached_bytes=size) for size in itertools.count())
        with pytest.raises(errors.MisbehaviourError, match="does not come to rest though nobody calls it"):
            audit.at_rest(Doctored(heap, stats=lambda: next(endless)))


def test_a_heap_that_keeps_pages() -> None:
    with used() as heap:
        said = audit.books(Doctored(heap, trim=lambda: 0))
        assert any("bytes are still committed after everything was freed and trimmed" in line for line in said)


def test_a_region_in_pieces() -> None:
    """Exact, whatever the lengths: two free spans that add up to the region are one too many."""
    with used(backing=arenas.AddressSpace(200_000)) as heap:
        (whole,) = heap.snapshot().spans
        halves = tuple(dataclasses.replace(whole, offset=offset, span=100_000) for offset in (0, 100_000))
        (said,) = audit.nothing_left(Doctored(heap, snapshot=lambda: arenas.Snapshot(halves)))
        assert said == "arena 0: 1 regions are in pieces after trim(): 2 spans, the first 100,000 free, 100,000 free"


def test_a_region_that_is_not_all_free() -> None:
    with used(backing=arenas.AddressSpace(200_000)) as heap:
        (whole,) = heap.snapshot().spans
        kept = (dataclasses.replace(whole, state="cached"),)
        (said,) = audit.nothing_left(Doctored(heap, snapshot=lambda: arenas.Snapshot(kept)))
        assert said == "arena 0: 0 of 200,000 bytes are free after trim()"


def test_a_heap_that_does_not_give_it_all_again() -> None:
    with used(backing=arenas.AddressSpace(200_000)) as heap:
        heap.alloc(1)  # dropped at once
        (said,) = audit.all_again(heap, [200_001], None)
        assert said.startswith("200,001 bytes, which it had before, are not to be had again: cannot allocate 200001")


def test_blocks_given_twice() -> None:
    with used() as heap:
        same = heap.alloc(100)
        said = audit.all_again(Doctored(heap, alloc=lambda _size: Doctored(same, free=lambda: None)), [100, 100], None)
        assert any("overlaps block" in line for line in said)


def test_a_limit_that_does_not_hold() -> None:
    with used(limit_bytes=400_000) as heap:
        lax = dataclasses.replace(heap.stats(), committed_bytes=400_001)
        said = audit.all_again(Doctored(heap, stats=lambda: lax), [], 400_000)
        assert "400,001 bytes are committed, the limit is 400,000" in said


def test_miscounted_when_all_is_allocated_again() -> None:
    with used() as heap:
        before = heap.stats()
        said = audit.all_again(Doctored(heap, stats=lambda: before), [5000], None)
        assert said == ["all allocated again: 0 blocks of 0 bytes are live, handed out are 1 of 5,000"]


@pytest.mark.parametrize("what", ["allocations", "frees", "live_blocks", "live_bytes"])
def test_the_books_are_compared_with_what_was_done(what: str) -> None:
    """While blocks are still live."""

    class Miscounts(Sound):
        def measure(self) -> Any:
            counts = {"allocations": 3, "frees": 1, "live_blocks": 2, "live_bytes": 200}
            return protocol.Memory(**{**counts, what: counts[what] + 1})

    def body(client: Any) -> None:
        client.free([client.allocate(100) for _ in range(3)][1])

    result = act(Miscounts(), body)
    theirs, ours = {"allocations": (4, 3), "frees": (2, 1), "live_blocks": (3, 2), "live_bytes": (201, 200)}[what]
    assert result.descriptions == [
        f"books: the allocator counts {theirs} {what.replace('_', ' ')}, and there are {ours}"
    ]


def test_the_sums_are_proven_while_blocks_are_live(monkeypatch: pytest.MonkeyPatch) -> None:
    face = module("allocators.registry").open_allocator(protocol.Choice())
    seen: list[int] = []

    def sums_everywhere(stats: arenas.Stats) -> list[str]:
        seen.append(stats.live_blocks)
        return ["off by one"]

    monkeypatch.setattr(audit, "sums_everywhere", sums_everywhere)
    result = act(face, lambda client: client.allocate(100))
    assert seen[0] == 1
    assert result.check == "off by one"
