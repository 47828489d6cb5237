"""Memory that is a file."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from arenas import FileMemory, Heap, InvalidRequestError
from tests.unit._backings import in_child, view_of

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "memory"


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """One that other users can enter, as pytest's own are not."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_a_missing_file_is_made_with_its_disk_space(path: Path) -> None:
    """As long as asked, and allocated: a full disk must not show as a crash in the middle of a write."""
    memory = FileMemory(path, 100_000)
    assert path.stat().st_size == memory.size_bytes == 100_000
    assert path.stat().st_blocks * 512 >= 100_000


def test_an_empty_file_is_as_good_as_none(path: Path) -> None:
    path.touch()
    assert FileMemory(path, 8192).size_bytes == path.stat().st_size == 8192


def test_what_blocks_hold_is_in_the_file(path: Path) -> None:
    """At the block's offset, for whoever reads the file, without a flush."""
    with Heap(backing=FileMemory(path, 65536)) as heap:
        heap.alloc(1000)
        block = heap.alloc(1000)
        block.view[:] = bytes(number % 251 for number in range(1000))
        assert path.read_bytes()[block.offset : block.offset + 1000] == bytes(block.view)


def test_a_reopened_file_starts_empty_with_its_bytes(path: Path) -> None:
    """Nothing is allocated; what was, can be adopted at its offset, and the rest goes to others."""
    with Heap(backing=FileMemory(path, 65536)) as heap:
        first, second = heap.alloc(1000), heap.alloc(2000)
        first.view[:], second.view[:] = b"1" * 1000, b"2" * 2000
        offsets = first.offset, second.offset

    with Heap(backing=FileMemory(path)) as heap:
        assert heap.stats().free_bytes == heap.stats().reserved_bytes == 65536
        kept = heap.adopt(offsets[1], 2000, tag="kept")
        assert (kept.offset, kept.size, kept.tag) == (offsets[1], 2000, "kept")
        assert bytes(kept.view) == b"2" * 2000
        others = [heap.alloc(1000) for _ in range(20)]
        for other in others:
            other.view[:] = b"x" * 1000
        assert bytes(kept.view) == b"2" * 2000
        heap.check()
        # Never handed out is not the same as zero, when the file has a past.
        for block in (*others, kept):
            block.free()
        assert bytes(heap.alloc(65536, zero=True).view) == bytes(65536)


@pytest.mark.parametrize("offset", [0, 64, 960])
def test_what_is_not_free_cannot_be_adopted(path: Path, offset: int) -> None:
    """Wholly or in part; the refusal changes nothing."""
    with Heap(backing=FileMemory(path, 65536)) as heap:
        block = heap.adopt(64, 1000)
        with pytest.raises(InvalidRequestError, match="not free"):
            heap.adopt(offset, 100)
        with pytest.raises(InvalidRequestError, match="not inside"):
            heap.adopt(65536 - 64, 100)
        with pytest.raises(InvalidRequestError, match="multiple of the alignment"):
            heap.adopt(8001, 100)
        heap.check()
        assert heap.stats().live_blocks == 1
        assert block.offset == 64


def test_an_existing_file_is_taken_as_far_as_asked(path: Path) -> None:
    """Its length and the bytes behind the range stay as they are."""
    path.write_bytes(b"x" * 20000)
    memory = FileMemory(path, 8192)
    assert memory.size_bytes == 8192
    with Heap(backing=memory) as heap:
        heap.alloc(8192).view[:] = b"y" * 8192
    assert path.read_bytes() == b"y" * 8192 + b"x" * (20000 - 8192)


def test_all_of_an_existing_file(path: Path) -> None:
    """Also when it ends in the middle of a page: the last byte counts, the one after it does not exist."""
    path.write_bytes(b"x" * 10_000)
    with Heap(backing=FileMemory(path), alignment=1) as heap:
        assert heap.stats().reserved_bytes == 10_000
        block = heap.alloc(10_000)
        assert bytes(block.view) == b"x" * 10_000
        block.free()
        heap.trim()
        heap.check()
        assert heap.stats().committed_bytes == 0
    assert path.read_bytes() == bytes(10_000)


def test_flush_writes_out(path: Path) -> None:
    memory = FileMemory(path, 4096)
    view_of(memory.map(4096, 64), 0, 5)[:] = b"hello"
    memory.flush()
    assert path.read_bytes()[:5] == b"hello"


@pytest.mark.parametrize("size", [0, -1])
def test_a_range_is_not_empty(path: Path, size: int) -> None:
    with pytest.raises(InvalidRequestError, match=f"{size} bytes"):
        FileMemory(path, size)
    assert not path.exists()


def test_a_file_that_is_too_small_is_refused_untouched(path: Path) -> None:
    """With both lengths; and it is not made longer behind its owner's back."""
    path.write_bytes(b"x" * 100)
    with pytest.raises(InvalidRequestError, match=r"100 bytes, 101"):
        FileMemory(path, 101)
    assert path.read_bytes() == b"x" * 100


def test_a_file_without_length_cannot_be_taken_whole(path: Path) -> None:
    path.touch()
    with pytest.raises(InvalidRequestError, match="too small: 0 bytes"):
        FileMemory(path)


def test_a_missing_file_cannot_be_taken_whole(path: Path) -> None:
    """And none appears by asking."""
    with pytest.raises((InvalidRequestError, FileNotFoundError)):
        FileMemory(path)
    assert not path.exists()


def test_a_directory_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError, match="directory"):
        FileMemory(tmp_path, 4096)


def test_a_missing_directory_is_the_systems_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        FileMemory(tmp_path / "missing" / "file", 4096)


def test_a_read_only_file_is_refused_by_name(open_folder: Path) -> None:
    """Tried as a user for whom the file's mode counts, which root's it does not."""
    path = open_folder / "memory"
    path.write_bytes(bytes(4096))
    path.chmod(0o444)

    def refused() -> bool:
        if os.geteuid() == 0:
            os.seteuid(65534)
        assert path.read_bytes() == bytes(4096)
        try:
            FileMemory(path, 4096)
        except InvalidRequestError as error:
            return "cannot be opened for writing" in str(error) and isinstance(error.__cause__, PermissionError)
        return False

    assert in_child(refused)


@pytest.mark.parametrize("existed", [False, True])
def test_a_full_disk_is_an_error_at_once(path: Path, existed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's own, with its number; the file is as before, there or not, and can be made once there is room."""

    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if existed:
        path.touch()
    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", full)
        with pytest.raises(OSError, match="No space left") as caught:
            FileMemory(path, 65536)
    assert caught.value.errno == errno.ENOSPC
    assert path.exists() == existed
    assert not existed or path.stat().st_size == 0
    assert FileMemory(path, 65536).size_bytes == 65536


def test_a_file_larger_than_any_disk_is_an_error_at_once(path: Path) -> None:
    """Asked of the real system; no file is left."""
    with pytest.raises(OSError, match=r"too large|No space left"):
        FileMemory(path, 1 << 62)
    assert not path.exists()


def test_no_descriptor_is_left_open(path: Path) -> None:
    """Not by success, which needs the mapping alone (and its own descriptor), nor by failure."""
    before = set(Path("/proc/self/fd").iterdir())
    memory = FileMemory(path, 4096)
    for size in (4097, 1 << 40):
        with pytest.raises(InvalidRequestError):
            FileMemory(path, size)
    del memory
    assert set(Path("/proc/self/fd").iterdir()) == before


def test_an_alignment_beyond_that_of_the_mapping_is_refused_by_name(path: Path) -> None:
    """The system decides where a file is mapped: to a page, no further."""
    memory = FileMemory(path, 65536)
    mapping = memory.map(65536, 4096)
    assert mapping.address is not None
    lowest = mapping.address & -mapping.address
    del mapping
    with pytest.raises(InvalidRequestError, match=f"not of {2 * lowest}"):
        memory.map(65536, 2 * lowest)
    assert memory.map(65536, lowest).size == 65536
