"""Snapshots: every span of a heap at one moment, kept in a file, grouped and compared."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

import arenas
from tests.heap._support import books, in_thread

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def heap() -> Iterator[arenas.Heap]:
    with arenas.Heap(name="pictures", region_bytes=1 << 18) as heap:
        yield heap


@pytest.fixture
def kept(heap: arenas.Heap) -> list[Any]:
    """Blocks of every state."""
    parked = heap.alloc(300, tag="parked")
    held: list[Any] = [heap.alloc(100, tag="a"), heap.alloc(200, tag="a"), heap.alloc(5000, tag="b"), heap.alloc(7)]
    held += [heap.malloc(50), heap.scope(), parked.view]
    held.append(held[5].alloc(33, tag="b"))
    held.append(in_thread(lambda: heap.alloc(1000, tag="theirs")))
    parked.free()
    return held


def test_it_has_every_span(heap: arenas.Heap, kept: list[Any]) -> None:
    """The spans tile every region, each once, with what the handles say; the states add up to the statistics."""
    snapshot, stats = heap.snapshot(), books(heap)
    assert snapshot.heap == "pictures"
    assert sum(span.span for span in snapshot.spans) == stats.reserved_bytes
    ends = {(span.arena, span.offset + span.span) for span in snapshot.spans}
    starts = {(span.arena, span.offset) for span in snapshot.spans}
    assert len(starts) == len(ends) == len(snapshot.spans)
    assert len(starts - ends) == stats.regions
    by_offset = {span.offset: span for span in snapshot.spans}
    for block in (*kept[:4], kept[-1]):
        span = by_offset[block.offset]
        assert (span.size, span.span, span.tag) == (block.size, block.capacity, block.tag)
        assert (span.address, span.arena, span.alignment) == (block.address, block.arena, block.alignment)
        assert (span.state, span.held) == ("live", "handle")
        assert f"{span.number} of" in repr(block)
    states = {one.key: one.size for one in snapshot.statistics("state")}
    assert states["live"] == stats.live_bytes + stats.rounding_bytes
    assert (states["free"], states["parked"], states["scope"]) == (
        stats.free_bytes,
        stats.parked_bytes,
        stats.cached_bytes,
    )
    assert [span.held for span in snapshot.spans if span.address == kept[4]] == ["address"]


def test_it_does_not_change(heap: arenas.Heap, kept: list[Any]) -> None:
    """A snapshot is of one moment: what happens later does not show in it."""
    snapshot = heap.snapshot()
    spans = list(snapshot.spans)
    kept[0].free()
    heap.alloc(10)
    assert list(snapshot.spans) == spans
    assert heap.snapshot() != snapshot


def test_statistics(heap: arenas.Heap, kept: list[Any]) -> None:
    """Live allocations by tag, size, holder or arena: counted, added up, largest first."""
    snapshot = heap.snapshot()
    groups = [(one.key, one.count, one.size) for one in snapshot.statistics()]
    assert groups == [("b", 2, 5033), ("theirs", 1, 1000), ("a", 2, 300), ("untagged", 2, 57)]
    assert snapshot.statistics("tag") == snapshot.statistics()
    assert {one.key: one.count for one in snapshot.statistics("held")} == {"handle": 6, "address": 1}
    assert {one.key: one.size for one in snapshot.statistics("arena")} == {"0": 5390, str(kept[-1].arena): 1000}
    assert {one.key for one in snapshot.statistics("size")} == {"100", "200", "5000", "7", "50", "33", "1000"}
    assert [one.count for one in snapshot.statistics("site")] == [7]
    with pytest.raises(arenas.InvalidRequestError, match=r"'colour'.*tag"):
        snapshot.statistics("colour")


def test_comparing(heap: arenas.Heap, kept: list[Any]) -> None:
    """compare_to gives each group's change since then: grown, shrunk, new and gone, the largest change first."""
    before = heap.snapshot()
    kept[2].free()
    kept[0].resize(150)
    new = heap.alloc(9000, tag="new")
    kept[-1].free()
    changes = heap.snapshot().compare_to(before, "tag")
    assert [(one.key, one.count, one.size, one.count_change, one.size_change) for one in changes] == [
        ("new", 1, 9000, 1, 9000),
        ("b", 1, 33, -1, -5000),
        ("theirs", 0, 0, -1, -1000),
        ("a", 2, 350, 0, 50),
        ("untagged", 2, 57, 0, 0),
    ]
    del new


def test_comparing_with_oneself(heap: arenas.Heap, kept: list[Any]) -> None:
    """A snapshot compared with itself has no changes."""
    snapshot = heap.snapshot()
    assert all((one.count_change, one.size_change) == (0, 0) for one in snapshot.compare_to(snapshot))


def test_kept_in_a_file(heap: arenas.Heap, kept: list[Any], tmp_path: Path) -> None:
    """dump and load give back an equal snapshot, which answers as the first."""
    snapshot = heap.snapshot()
    snapshot.dump(tmp_path / "snapshot")
    loaded = arenas.Snapshot.load(tmp_path / "snapshot")
    assert loaded == snapshot
    assert loaded.statistics("size") == snapshot.statistics("size")
    snapshot.dump(str(tmp_path / "snapshot"))
    assert arenas.Snapshot.load(str(tmp_path / "snapshot")).heap == "pictures"


def test_of_an_empty_heap(tmp_path: Path) -> None:
    """A heap without a span has a snapshot, which can be kept as well."""
    snapshot = arenas.Heap().snapshot()
    assert snapshot.spans == ()
    snapshot.dump(tmp_path / "empty")
    assert arenas.Snapshot.load(tmp_path / "empty") == snapshot
    assert snapshot.statistics() == snapshot.compare_to(snapshot) == []


def test_of_integers(tmp_path: Path) -> None:
    """Over an AddressSpace spans have offsets and no addresses."""
    heap = arenas.Heap(backing=arenas.AddressSpace(100))
    kept = heap.alloc(30)
    snapshot = heap.snapshot()
    assert [(span.offset, span.span, span.state, span.address) for span in snapshot.spans] == [
        (0, 30, "live", None),
        (30, 70, "free", None),
    ]
    snapshot.dump(tmp_path / "snapshot")
    assert arenas.Snapshot.load(tmp_path / "snapshot") == snapshot
    del kept


HEADER = json.dumps({"format": "arenas-snapshot 1", "heap": None})
SPAN = {"arena": 0, "offset": 0, "address": None, "span": 64, "state": "free"}
BAD: dict[str, bytes] = {
    "empty": b"",
    "text": b"hello\n",
    "gzip of nothing": gzip.compress(b""),
    "gzip of text": gzip.compress(b"hello\n"),
    "gzip of bytes": gzip.compress(b"\xff\xfe\x00"),
    "another header": gzip.compress(b'{"format": "arenas-snapshot 99", "heap": null}\n'),
    "no header": gzip.compress(json.dumps(SPAN).encode()),
    "a list": gzip.compress(b"[]\n"),
    "a number": gzip.compress(b"7\n"),
    "a header without a heap": gzip.compress(b'{"format": "arenas-snapshot 1"}\n'),
    "a field too many": gzip.compress(f"{HEADER}\n{json.dumps({**SPAN, 'colour': 1})}\n".encode()),
    "a field too few": gzip.compress(f'{HEADER}\n{{"arena": 0}}\n'.encode()),
    "a line cut off": gzip.compress(f"{HEADER}\n{json.dumps(SPAN)[:20]}\n".encode()),
    "a line of another kind": gzip.compress(f"{HEADER}\n[1, 2]\n".encode()),
}


@pytest.mark.parametrize("name", BAD)
def test_files_that_are_no_snapshots(name: str, tmp_path: Path) -> None:
    """Any other file is an InvalidRequestError that names it."""
    path = tmp_path / "file"
    path.write_bytes(BAD[name])
    with pytest.raises(arenas.InvalidRequestError, match=str(path)):
        arenas.Snapshot.load(path)


def test_damaged_files(heap: arenas.Heap, kept: list[Any], tmp_path: Path) -> None:
    """A snapshot cut short, or with any byte changed, is refused, or still reads as what it was."""
    path = tmp_path / "file"
    snapshot = heap.snapshot()
    snapshot.dump(path)
    whole = path.read_bytes()
    refused = 0
    for place in range(len(whole)):
        changed = whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :]
        for damaged in (whole[:place], changed):
            path.write_bytes(damaged)
            try:
                assert arenas.Snapshot.load(path) == snapshot
            except arenas.InvalidRequestError:
                refused += 1
    assert refused > len(whole)


def test_a_missing_file(tmp_path: Path) -> None:
    """A file that is not there is the system's own error."""
    with pytest.raises(FileNotFoundError):
        arenas.Snapshot.load(tmp_path / "nothing")
