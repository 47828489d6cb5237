"""Options that cannot be: Heap() and its backings refuse each by name, before anything is made."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pytest

import arenas
from tests.heap._support import books

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

INVALID: dict[str, tuple[dict[str, Any], str]] = {
    "arenas 0": ({"arenas": 0}, "at least 1: 0"),
    "arenas negative": ({"arenas": -3}, "-3"),
    "arenas word": ({"arenas": "process"}, "'process'"),
    "arenas fraction": ({"arenas": 1.5}, r"1\.5"),
    "arenas bool": ({"arenas": True}, "True"),
    "alignment 0": ({"alignment": 0}, "power of two: 0"),
    "alignment 48": ({"alignment": 48}, "power of two: 48"),
    "alignment negative": ({"alignment": -64}, "-64"),
    "alignment too large": ({"alignment": 1 << 31}, f"{1 << 31}"),
    "limit 0": ({"limit_bytes": 0}, r"limit_bytes of 0.*page \(\d+"),
    "limit below a page": ({"limit_bytes": 100}, r"limit_bytes of 100.*page \(\d+"),
    "limit negative": ({"limit_bytes": -1}, "limit_bytes.*-1"),
    "limit absurd": ({"limit_bytes": 1 << 80}, f"{1 << 80}"),
    "region 0": ({"region_bytes": 0}, "region_bytes.*0"),
    "region negative": ({"region_bytes": -4096}, "region_bytes.*-4096"),
    "region absurd": ({"region_bytes": 1 << 80}, f"{1 << 80}"),
    "decay negative": ({"decay_seconds": -0.5}, r"decay_seconds.*-0\.5"),
    "decay no number": ({"decay_seconds": float("nan")}, "decay_seconds.*nan"),
    "split 0": ({"placement": functools.partial(arenas.BestFit, split_bytes=0), "arenas": 1}, "split_bytes.*0"),
}

WRONG_TYPES: dict[str, dict[str, Any]] = {
    "alignment": {"alignment": 64.0},
    "alignment text": {"alignment": "64"},
    "limit": {"limit_bytes": 1e9},
    "limit text": {"limit_bytes": "512M"},
    "region": {"region_bytes": 4096.5},
    "decay": {"decay_seconds": "10"},
    "backing": {"backing": 4096},
    "placement": {"placement": "best_fit", "arenas": 1},
    "unknown": {"limit": 5},
}


@pytest.mark.parametrize("name", INVALID)
def test_invalid_options(name: str) -> None:
    """An option that cannot be is an InvalidRequestError with its number."""
    options, message = INVALID[name]
    with pytest.raises(arenas.InvalidRequestError, match=message):
        arenas.Heap(**options)


@pytest.mark.parametrize("name", WRONG_TYPES)
def test_options_of_a_wrong_type(name: str) -> None:
    """An option of a wrong type is a TypeError."""
    with pytest.raises(TypeError):
        arenas.Heap(**WRONG_TYPES[name])


def test_options_are_keywords() -> None:
    """Every option is by keyword only."""
    make: Any = arenas.Heap
    with pytest.raises(TypeError):
        make(arenas.AnonymousMemory())


@pytest.mark.parametrize("options", [{"arenas": "thread"}, {"limit_bytes": 1 << 20}], ids=str)
def test_what_an_address_space_cannot_do(options: dict[str, Any]) -> None:
    """One arena a thread needs a backing that grows, a limit one that commits; refused, the backing stays free."""
    space = arenas.AddressSpace(100)
    with pytest.raises(arenas.InvalidRequestError, match=r"AddressSpace\(100\)|backing"):
        arenas.Heap(backing=space, **options)
    assert books(arenas.Heap(backing=space)).free_bytes == 100


@pytest.mark.parametrize(
    ("size", "error"), [(0, ValueError), (-1, ValueError), (1 << 80, ValueError), (1.5, TypeError)]
)
def test_invalid_address_space(size: Any, error: type[Exception]) -> None:
    """An address space of no, negative, absurd or fractional size is refused."""
    with pytest.raises(error) as caught:
        arenas.AddressSpace(size)
    assert isinstance(caught.value, (arenas.InvalidRequestError, TypeError))


def test_invalid_files(tmp_path: Path) -> None:
    """A file range of no size, a file too short, an empty one without a size, a folder: each is named."""
    short, empty = tmp_path / "short", tmp_path / "empty"
    short.write_bytes(b"x" * 100)
    empty.touch()
    attempts: list[tuple[Callable[[], Any], str]] = [
        (lambda: arenas.FileMemory(tmp_path / "new", 0), "0 bytes"),
        (lambda: arenas.FileMemory(tmp_path / "new", -4096), "-4096"),
        (lambda: arenas.FileMemory(short, 4096), "100 bytes, 4096 bytes needed"),
        (lambda: arenas.FileMemory(empty), "0 bytes"),
        (lambda: arenas.FileMemory(tmp_path, 4096), "cannot be opened"),
    ]
    for attempt, message in attempts:
        with pytest.raises(arenas.InvalidRequestError, match=message):
            attempt()
    assert not (tmp_path / "new").exists()
    with pytest.raises(FileNotFoundError):
        arenas.FileMemory(tmp_path / "nowhere" / "file", 4096)


def test_one_heap_at_a_time_over_a_backing_with_one_region(tmp_path: Path) -> None:
    """A second heap over a file or an address space in use is refused; after close() it is welcome."""
    for backing in (arenas.AddressSpace(4096), arenas.FileMemory(tmp_path / "file", 8192)):
        first = arenas.Heap(backing=backing)
        handle = first.alloc(10)
        with pytest.raises(arenas.InvalidRequestError, match="in use"):
            arenas.Heap(backing=backing)
        first.close()
        with arenas.Heap(backing=backing) as second:
            assert second.alloc(10).offset == 0
        assert handle.released


def test_a_view_keeps_a_file_in_use(tmp_path: Path) -> None:
    """A file whose heap was closed is in use while a view of it is alive, and no longer."""
    backing = arenas.FileMemory(tmp_path / "file", 8192)
    with arenas.Heap(backing=backing) as first:
        view = first.alloc(10).view
    with pytest.raises(arenas.InvalidRequestError, match="a view that outlived"):
        arenas.Heap(backing=backing)
    view[0] = 1
    del view
    arenas.Heap(backing=backing).close()
