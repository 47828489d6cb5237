"""Malloc-lab recordings, as they are found: every oddity does what it did in C, or is refused by file and line."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest
from _package import module
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from pathlib import Path

trace = module("trace")
errors = module("errors")

BODY = "a 0 512\na 1 128\nr 0 640\na 2 128\nf 1\nr 0 768\nf 0\nf 2\n"
READ = ["0 a 0 512", "0 a 1 128", "0 r 0 640", "0 a 2 128", "0 f 1", "0 r 0 768", "0 f 0", "0 f 2"]


def rep(folder: Path, text: str, name: str = "some.rep") -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


def lines(path: Path, size: int = 3) -> list[str]:
    return [batch.describe(index) for batch in trace.open_trace(path).batches(size=size) for index in range(len(batch))]


def body(folder: Path, operations: str) -> list[str]:
    """The operations under a header that fits them."""
    return lines(rep(folder, f"0\n99\n{len(operations.splitlines())}\n1\n{operations}"))


@pytest.mark.parametrize(
    "header",
    [
        "20000\n3\n8\n1\n",  # 2002: suggested heap size, ids, operations, weight
        "1\n3\n8\n896\n",  # 2016: weight, ids, operations, most bytes live
        "3\n8\n1\n",  # neither the first …
        "20000\n3\n8\n",  # … nor the last
        "3\n8\n",
        "20000 3 8 1\n",  # scanf does not care
        "\r\n20000\r\n\r\n3\r\n8\r\n1\r\n",
    ],
)
@pytest.mark.parametrize("name", ["some.rep", "some.rep.gz", "misnamed.trace"])
def test_every_header(tmp_path: Path, header: str, name: str) -> None:
    path = rep(tmp_path, header + BODY, name)
    opened = trace.open_trace(path)
    assert sum(len(batch) for batch in opened.batches()) == 8
    assert opened.notes == []
    assert opened.name == name.partition(".")[0]
    assert lines(path) == READ


def test_crlf_blank_lines_and_stray_spaces(tmp_path: Path) -> None:
    text = "20000\n3\n8\n1\n" + BODY.replace("\n", " \r\n\r\n")
    assert lines(rep(tmp_path, text)) == READ
    assert lines(rep(tmp_path, text.rstrip())) == READ


@pytest.mark.parametrize(
    ("operations", "read"),
    [
        ("f -1\n", []),
        ("a 0 0\nf 0\n", ["0 a 0 0", "0 f 0"]),
        ("r 6 10\n", ["0 a 0 10"]),
        ("r 6 0\nr 6 5\n", ["0 a 0 0", "0 r 0 5"]),
        ("a 10 100\nr 10 0\n", ["0 a 0 100", "0 f 0"]),
        ("a 1 9\nr 1 0\nf 1\nr 1 0\n", ["0 a 0 9", "0 f 0", "0 a 1 0"]),
        ("a 1 9\nr 1 0\nr 1 5\nf 1\n", ["0 a 0 9", "0 f 0", "0 a 1 5", "0 f 1"]),
        ("a 1 9\nf 1\na 1 8\nf 1\n", ["0 a 0 9", "0 f 0", "0 a 1 8", "0 f 1"]),
        ("a 1 9\nr 1 0\na 1 8\nf 1\n", ["0 a 0 9", "0 f 0", "0 a 1 8", "0 f 1"]),
    ],
)
def test_what_c_makes_of_it(tmp_path: Path, operations: str, read: list[str]) -> None:
    assert body(tmp_path, operations) == read


@pytest.mark.parametrize(
    ("operations", "line_number", "why"),
    [
        ("a 0 5\na 0 5\n", 6, "block 0 is allocated again while it is live"),
        ("a 0 5\nf 0\nf 0\n", 7, "block 0 was freed before"),
        ("a 0 5\nf 0\nr 0 5\n", 7, "block 0 was freed before"),
        ("a 0 5\nr 0 0\na 0 5\nf 0\nf 0\n", 9, "block 0 was freed before"),
        ("f 4\n", 5, "block 4 was never allocated"),
        ("a -1 4\n", 5, "not an operation: 'a -1 4'"),
        ("f -2\n", 5, "not an operation: 'f -2'"),
        ("a 1\n", 5, "not an operation: 'a 1'"),
        ("a 1 5 6\n", 5, "not an operation"),
        ("w 1 5\n", 5, "not an operation: 'w 1 5'"),
        ("a 1 -5\n", 5, "not an operation"),
        ("a 0 5\n17\n", 6, "not an operation: '17'"),
    ],
)
def test_the_impossible_is_named(tmp_path: Path, operations: str, line_number: int, why: str) -> None:
    with pytest.raises(errors.TraceError) as caught:
        body(tmp_path, operations)
    assert str(caught.value).startswith(f"{tmp_path / 'some.rep'}:{line_number}: ")
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("header", "line_number", "why"),
    [
        ("20000\n3\n9\n1\n", 12, "ends after 8 operations; its header declares 9"),
        ("20000\n3\n7\n1\n", 12, "ends after 8 operations; its header declares 7"),
        ("3\n7\n1\n", 11, "its header declares 1 or 7"),
        ("3\n", 2, "has 2 to 4 numbers, not 1"),
        ("1\n2\n3\n4\n5\n", 6, "has 2 to 4 numbers, not 5"),
        ("-3\n", 1, "the first line must be"),
    ],
)
def test_headers_that_cannot_be_right(tmp_path: Path, header: str, line_number: int, why: str) -> None:
    with pytest.raises(errors.TraceError) as caught:
        lines(rep(tmp_path, header + BODY))
    assert caught.value.line_number == line_number
    assert why in str(caught.value)


def test_a_wrong_count_of_ids_is_noted(tmp_path: Path) -> None:
    opened = trace.open_trace(rep(tmp_path, "20000\n7\n8\n1\n" + BODY))
    assert sum(len(batch) for batch in opened.batches()) == 8
    assert opened.notes == ["the header declares 7 ids; the highest is 2"]


@settings(max_examples=100, deadline=None)
@given(
    script=st.lists(
        st.tuples(st.sampled_from("aarrrff"), st.integers(0, 5), st.sampled_from([0, 0, 1, 7, 4096])), max_size=60
    ),
    style=st.sampled_from(["0\n6\n{}\n1\n", "1\n6\n{}\n4096\n"]),
    end=st.sampled_from(["\n", "\r\n", " \n\n"]),
)
def test_as_a_table_of_pointers_has_it(
    tmp_path_factory: pytest.TempPathFactory, script: list[tuple[str, int, int]], style: str, end: str
) -> None:
    """The model is what a driver does: a pointer for each id, null at first; what it must not do is left out."""
    pointers: dict[int, int | None] = {}  # by id: the number of its block, None where the pointer is null
    dangling: set[int] = set()
    expected, text, born = [], [], 0
    for letter, block, size in script:
        pointer = pointers.get(block)
        if (letter == "a" and pointer is not None) or (letter in "rf" and block in dangling):
            continue
        if letter == "f" and pointer is None:
            if block not in pointers:
                continue
            text.append(f"f {block}")
            continue
        text.append(f"f {block}" if letter == "f" else f"{letter} {block} {size}")
        if letter == "f" or (letter == "r" and pointer is not None and size == 0):
            expected.append(f"0 f {pointer}")
            pointers[block] = None
            if letter == "f":
                dangling.add(block)
        elif pointer is None:
            expected.append(f"0 a {born} {size}")
            pointers[block], born = born, born + 1
            dangling.discard(block)
        else:
            expected.append(f"0 r {pointer} {size}")
    path = rep(tmp_path_factory.mktemp("made"), style.format(len(text)) + "".join(line + end for line in text))
    assert lines(path) == expected
