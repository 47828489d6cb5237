"""Reading recordings: what is one is read, what is none is refused by file and line."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest
from _package import module
from _traces import HEADER, SMALL, write

if TYPE_CHECKING:
    from pathlib import Path

trace = module("trace")
errors = module("errors")


@pytest.mark.parametrize("name", ["small.trace", "small.trace.gz"])
def test_reads_text_and_gzip(tmp_path: Path, name: str) -> None:
    recording = trace.read(write(tmp_path, SMALL, name))
    assert recording.name == "small"
    assert [recording.describe(place) for place in range(16)] == SMALL.splitlines()
    assert recording.block_count == 7
    assert recording.total_operations == 16


def test_blocks_are_numbered_in_order_of_allocation(tmp_path: Path) -> None:
    recording = trace.read(write(tmp_path, "7 a 4000000000 1\n7 a 12 2\n7 f 4000000000\n"))
    assert list(recording.blocks) == [0, 1, 0]
    assert list(recording.threads) == [7, 7, 7]


def test_headers(tmp_path: Path) -> None:
    header = HEADER + "# program: thing version 2: the return\n# ops: 1\n"
    recording = trace.read(write(tmp_path, "0 a 0 1\n", header=header))
    assert recording.program == "thing version 2: the return"


def test_crlf_and_blank_lines_are_tolerated(tmp_path: Path) -> None:
    path = write(tmp_path, "\r\n0 a 0 5\r\n\r\n0 f 0\r\n\r\n", header="\r\n# arenas-trace 1\r\n")
    assert len(trace.read(path).kinds) == 2


def test_without_a_last_newline(tmp_path: Path) -> None:
    assert len(trace.read(write(tmp_path, "0 a 0 5\n0 f 0")).kinds) == 2


def test_a_recording_of_nothing(tmp_path: Path) -> None:
    assert len(trace.read(write(tmp_path, "")).kinds) == 0


def test_reading_stops_at_the_limit(tmp_path: Path) -> None:
    recording = trace.read(write(tmp_path, "0 a 0 5\nnonsense\n", header=HEADER + "# ops: 2\n"), limit=1)
    assert len(recording.kinds) == 1
    assert recording.total_operations == 2


@pytest.mark.parametrize(
    ("operations", "line_number", "why"),
    [
        ("0 a 0 5\nnonsense\n", 3, "not an operation: 'nonsense'"),
        ("0 x 0 5\n", 2, "not an operation: '0 x 0 5'"),
        ("0\n", 2, "not an operation"),
        ("0 a 0\n", 2, "`a` takes 4 or 5 fields, not 3"),
        ("0 a 0 1 2 3\n", 2, "`a` takes 4 or 5 fields, not 6"),
        ("0 c 0 5 16\n", 2, "`c` takes 4 fields, not 5"),
        ("0 a 0 5\n0 r 0\n", 3, "`r` takes 4 fields, not 3"),
        ("0 a 0 5\n0 r 0 5 16\n", 3, "`r` takes 4 fields, not 5"),
        ("0 a 0 5\n0 f 0 5\n", 3, "`f` takes 3 fields, not 4"),
        ("0 a 0 five\n", 2, "not a number, or one too large: 'five'"),
        ("0 a 0 -5\n", 2, "not a number, or one too large: '-5'"),
        ("0 a 0 1_000\n", 2, "'1_000'"),
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
        trace.read(path)
    assert str(caught.value).startswith(f"{path}:{line_number}: ")
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("header", "line_number", "why"),
    [
        ("", 1, "the file is empty"),
        ("\n\n", 1, "the file is empty"),
        ("0 a 0 5\n", 1, "the first line must be '# arenas-trace 1', not '0 a 0 5'"),
        ("# arenas-trace 2\n", 1, "not '# arenas-trace 2'"),
        (HEADER + "# ops: 3\n", 2, "ends after 0 operations; its header declares 3"),
    ],
)
def test_malformed_headers_are_named(tmp_path: Path, header: str, line_number: int, why: str) -> None:
    with pytest.raises(errors.TraceError) as caught:
        trace.read(write(tmp_path, "", header=header))
    assert caught.value.line_number == line_number
    assert why in str(caught.value)


def test_damaged_gzip_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, SMALL * 1, "cut.trace.gz")
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(errors.TraceError, match=r"cut\.trace\.gz:\d+: the compressed data is damaged or cut short"):
        trace.read(path)


def test_garbage_after_the_gzip_magic_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bad.trace.gz"
    path.write_bytes(gzip.compress(b"")[:2] + b"rubbish" * 10)
    with pytest.raises(errors.TraceError, match="damaged"):
        trace.read(path)


def test_undecodable_bytes_are_named_by_line(tmp_path: Path) -> None:
    path = tmp_path / "binary.trace"
    path.write_bytes(HEADER.encode() + b"0 a 0 5\n0 a 1 \xff\xfe\n")
    with pytest.raises(errors.TraceError, match=r"binary\.trace:3: "):
        trace.read(path)


def test_a_missing_file_is_the_systems_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        trace.read(tmp_path / "none.trace")
