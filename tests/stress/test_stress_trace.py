"""Reading recordings as a stream: what is one is read, what is none is refused by file and line; and writing them."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import pytest
from _package import module
from _traces import HEADER, SMALL, write
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from pathlib import Path

trace = module("trace")
errors = module("errors")


def lines(path: Path, limit: int | None = None, size: int = 5) -> list[str]:
    """Every operation, as the reader understands it."""
    return [
        batch.describe(index) for batch in trace.open_trace(path).batches(limit, size) for index in range(len(batch))
    ]


@pytest.mark.parametrize("name", ["small.trace", "small.trace.gz"])
@pytest.mark.parametrize("size", [1, 5, 16, 17])
def test_reads_text_and_gzip_in_batches_of_any_size(tmp_path: Path, name: str, size: int) -> None:
    path = write(tmp_path, SMALL, name)
    opened = trace.open_trace(path)
    assert opened.name == "small"
    batches = list(opened.batches(size=size))
    assert [batch.first for batch in batches] == list(range(0, 16, size))
    assert {len(batch) for batch in batches[:-1]} <= {size}
    assert lines(path, size=size) == SMALL.splitlines()
    assert lines(path) == SMALL.splitlines()  # as often as one likes


def test_blocks_are_numbered_in_order_of_allocation(tmp_path: Path) -> None:
    path = write(tmp_path, "7 a 4000000000 1\n7 a 12 2\n7 f 4000000000\n7 a 999999999999999999 3\n")
    assert lines(path) == ["7 a 0 1", "7 a 1 2", "7 f 0", "7 a 2 3"]


def test_headers(tmp_path: Path) -> None:
    header = HEADER + "# program: thing version 2: the return\n# ops: 1\n"
    opened = trace.open_trace(write(tmp_path, "0 a 0 1\n", header=header))
    assert opened.program == "thing version 2: the return"
    assert opened.declared_operations == 1
    assert trace.open_trace(write(tmp_path, "0 a 0 1\n")).program == "small"


@pytest.mark.parametrize("count", ["", "many", "-1", "1 2", "9" * 5000])
def test_a_header_may_count_nothing_that_makes_sense(tmp_path: Path, count: str) -> None:
    path = write(tmp_path, "0 a 0 1\n", header=HEADER + f"# ops: {count}\n")
    assert trace.open_trace(path).declared_operations is None
    assert len(lines(path)) == 1


def test_crlf_and_blank_lines_are_tolerated(tmp_path: Path) -> None:
    path = write(tmp_path, "\r\n0 a 0 5\r\n\r\n0 f 0\r\n\r\n", header="\r\n# arenas-trace 1\r\n")
    assert len(lines(path)) == 2


def test_without_a_last_newline(tmp_path: Path) -> None:
    assert len(lines(write(tmp_path, "0 a 0 5\n0 f 0"))) == 2


def test_a_recording_of_nothing(tmp_path: Path) -> None:
    assert lines(write(tmp_path, "")) == []


@pytest.mark.parametrize("limit", [0, 1, 5, 7, 10])
def test_reading_stops_at_the_limit(tmp_path: Path, limit: int) -> None:
    first = SMALL.splitlines()[:10]
    path = write(tmp_path, "\n".join([*first, "nonsense", ""]), header=HEADER + "# ops: 11\n")
    assert lines(path, limit) == first[:limit]
    assert trace.open_trace(path).declared_operations == 11


@pytest.mark.parametrize(
    ("operations", "line_number", "why"),
    [
        ("0 a 0 5\nnonsense\n", 3, "not an operation: 'nonsense'"),
        ("0 x 0 5\n", 2, "not an operation: '0 x 0 5'"),
        ("0\n", 2, "not an operation"),
        ("0 a 0\n", 2, "`a` takes 4 or 5 fields, not 3"),
        ("0 a 0 1 2 3\n", 2, "`a` takes 4 or 5 fields, not 6"),
        ("0 c 0 1 16\n", 2, "`c` takes 4 fields, not 5"),
        ("0 a 0 5\n0 f 0 0\n", 3, "`f` takes 3 fields, not 4"),
        ("0 a 0 -5\n", 2, "'-5'"),
        ("-1 a 0 5\n", 2, "'-1'"),
        ("0 a x 5\n", 2, "'x'"),
        ("0 a 0 9999999999999999999999\n", 2, "too large"),
        ("0 a 0 5 48\n", 2, "alignment 48"),
        ("0 a 0 5 0\n", 2, "alignment 0"),
        ("0 a 0 5\n\n\n1 a 0 5\n", 5, "block 0 is allocated a second time"),
        ("0 a 0 5\n0 f 0\n1 a 0 5\n", 4, "block 0 is allocated a second time"),
        ("0 f 3\n", 2, "block 3 was never allocated"),
        ("0 r 3 5\n", 2, "block 3 was never allocated"),
        ("0 a 9 5\n0 f 9\n1 f 9\n", 4, "block 9 was freed before"),
        ("0 a 9 5\n0 f 9\n1 r 9 1\n", 4, "block 9 was freed before"),
    ],
)
def test_malformed_lines_are_named(tmp_path: Path, operations: str, line_number: int, why: str) -> None:
    path = write(tmp_path, operations)
    with pytest.raises(errors.TraceError) as caught:
        lines(path)
    assert str(caught.value).startswith(f"{path}:{line_number}: ")
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("header", "line_number", "why"),
    [
        ("", 1, "the file is empty"),
        ("\n\n", 1, "the file is empty"),
        ("0 a 0 5\n", 1, "the first line must be '# arenas-trace 1', or a number"),
        ("# arenas-trace 2\n", 1, "not '# arenas-trace 2'"),
        (HEADER + "# ops: 3\n", 2, "ends after 0 operations; its header declares 3"),
    ],
)
def test_malformed_headers_are_named(tmp_path: Path, header: str, line_number: int, why: str) -> None:
    with pytest.raises(errors.TraceError) as caught:
        lines(write(tmp_path, "", header=header))
    assert caught.value.line_number == line_number
    assert why in str(caught.value)


def test_damaged_gzip_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, SMALL, "cut.trace.gz")
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(errors.TraceError, match=r"cut\.trace\.gz:\d+: the compressed data is damaged or cut short"):
        lines(path)


def test_garbage_after_the_gzip_magic_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bad.trace.gz"
    path.write_bytes(gzip.compress(b"")[:2] + b"rubbish" * 10)
    with pytest.raises(errors.TraceError, match="damaged"):
        lines(path)


def test_undecodable_bytes_are_named_by_line(tmp_path: Path) -> None:
    path = tmp_path / "binary.trace"
    path.write_bytes(HEADER.encode() + b"0 a 0 5\n0 a 1 \xff\xfe\n")
    with pytest.raises(errors.TraceError, match=r"binary\.trace:3: "):
        lines(path)


def test_a_missing_file_is_the_systems_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        trace.open_trace(tmp_path / "none.trace")


@st.composite
def operations(draw: st.DrawFn) -> list[tuple[int, int, int, int, int]]:
    """Any valid recording: thread, kind, block, size, alignment."""
    made: list[tuple[int, int, int, int, int]] = []
    live: list[int] = []
    born = 0
    for _ in range(draw(st.integers(0, 40))):
        thread = draw(st.integers(0, 3))
        kind = draw(st.sampled_from([0, 1, 2, 3] if live else [0, 1]))
        if kind <= trace.ZEROED:
            block, born = born, born + 1
            live.append(block)
        else:
            block = draw(st.sampled_from(live))
        if kind == trace.FREE:
            live.remove(block)
        size = 0 if kind == trace.FREE else draw(st.integers(0, 1 << 40))
        alignment = draw(st.sampled_from([0, 1, 64, 4096])) if kind == trace.ALLOCATE else 0
        made.append((thread, kind, block, size, alignment))
    return made


def collect(opened: Any, size: int) -> list[tuple[int, int, int, int, int]]:
    return [
        row
        for batch in opened.batches(size=size)
        for row in zip(batch.threads, batch.kinds, batch.blocks, batch.sizes, batch.alignments, strict=True)
    ]


@settings(max_examples=60, deadline=None)
@given(made=operations(), ending=st.sampled_from([".trace", ".trace.gz"]), size=st.integers(1, 50))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, made: list[tuple[int, int, int, int, int]], ending: str, size: int
) -> None:
    folder = tmp_path_factory.mktemp("written")
    path = folder / f"some{ending}"
    with trace.Writer(path, {"program": "a\nb é", "what": "made up"}) as writer:
        for row in made:
            writer.add(*row)
    assert [entry.name for entry in folder.iterdir()] == [path.name]
    assert (path.read_bytes()[:2] == b"\x1f\x8b") == ending.endswith(".gz")
    opened = trace.open_trace(path)
    assert opened.program == "a b \\xe9"
    assert opened.declared_operations == len(made)
    assert collect(opened, size) == made
    live: dict[int, int] = {}
    sums, counts = [0], [0]
    for _, kind, block, size_bytes, _ in made:
        live.pop(block, None) if kind == trace.FREE else live.__setitem__(block, size_bytes)
        sums.append(sum(live.values()))
        counts.append(len(live))
    assert opened.headers["peak-live-bytes"] == str(max(sums))
    assert opened.headers["peak-live-blocks"] == str(max(counts))
    assert writer.facts.peak_place == sums.index(max(sums)) - 1
    assert opened.headers["threads"] == str(len({row[0] for row in made}))


def test_a_batch_is_written_as_it_was_read(tmp_path: Path) -> None:
    with trace.Writer(tmp_path / "copy.trace.gz", {}) as writer:
        for batch in trace.open_trace(write(tmp_path, SMALL)).batches(size=3):
            writer.write(batch)
    assert lines(tmp_path / "copy.trace.gz") == SMALL.splitlines()
    assert writer.facts.cross_thread_frees == 4
    assert writer.facts.live_blocks == 2


def test_a_recording_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    def half() -> None:
        with trace.Writer(tmp_path / "half.trace", {}) as writer:
            writer.add(0, trace.ALLOCATE, 0, 5)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=50, deadline=None)
@given(numbers=st.lists(st.tuples(st.booleans(), st.sampled_from([0, 1, 2047, 2048, 10**17]) | st.integers(0, 5000))))
def test_the_bitmap_is_a_set(numbers: list[tuple[bool, int]]) -> None:
    bitmap, model = module("trace.blocks").Bitmap(), set()
    for adding, number in numbers:
        if adding:
            bitmap.add(number)
            model.add(number)
        else:
            bitmap.discard(number)
            model.discard(number)
    assert all((number in bitmap) == (number in model) for number in range(5001))
    assert (10**17 in bitmap) == (10**17 in model)
