"""The pattern: any changed byte shows, in blocks of every length."""

from __future__ import annotations

import ctypes

import pytest
from _package import module

pattern = module("pattern")
NOISE = pattern.Noise(7)
SIZES = [0, 1, 2, 7, 8, 9, 100, 1 << 15, (1 << 15) + 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, (5 << 20) + 3]


def places(size: int) -> list[int]:
    return sorted({0, size // 3, size // 2, size - 1, min(size - 1, pattern.PERIOD)}) if size else []


@pytest.mark.parametrize("size", SIZES)
def test_every_changed_byte_shows(size: int) -> None:
    buffer = ctypes.create_string_buffer(b"\xa5" * (size + 2), size + 2)
    address = ctypes.addressof(buffer) + 1
    start = pattern.start_of(123)
    NOISE.fill(address, size, start)
    assert NOISE.holds(address, size, start)
    assert buffer[0] == buffer[size + 1] == b"\xa5"  # nothing beside the block was written
    for place in places(size):
        ctypes.memset(address + place, buffer.raw[place + 1] ^ 1, 1)
        assert not NOISE.holds(address, size, start)
        assert f"from byte {place} on" in NOISE.first_difference(address, size, start)
        ctypes.memset(address + place, buffer.raw[place + 1] ^ 1, 1)
    assert NOISE.holds(address, size, start)


@pytest.mark.parametrize("size", SIZES)
def test_every_byte_that_is_not_zero_shows(size: int) -> None:
    buffer = ctypes.create_string_buffer(size + 1)
    address = ctypes.addressof(buffer)
    assert NOISE.is_zero(address, size)
    for place in places(size):
        ctypes.memset(address + place, 1, 1)
        assert not NOISE.is_zero(address, size)
        assert f"from byte {place} on" in NOISE.first_difference(address, size, None)
        ctypes.memset(address + place, 0, 1)


def test_neighbouring_blocks_and_resizes_begin_elsewhere() -> None:
    starts = [pattern.start_of(block) for block in range(pattern.STARTS)]
    assert len(set(starts)) == pattern.STARTS
    assert all(0 <= pattern.next_start(start) < pattern.STARTS != pattern.next_start(start) for start in starts)
    assert all(pattern.next_start(start) != start for start in starts)


def test_seeds_differ_and_repeat() -> None:
    buffers = [ctypes.create_string_buffer(64) for _ in range(3)]
    for buffer, seed in zip(buffers, (1, 2, 1), strict=True):
        pattern.Noise(seed).fill(ctypes.addressof(buffer), 64, 0)
    assert buffers[0].raw != buffers[1].raw
    assert buffers[0].raw == buffers[2].raw


def test_a_difference_that_has_gone_is_said_to_have() -> None:
    buffer = ctypes.create_string_buffer(64)
    assert "still writing" in NOISE.first_difference(ctypes.addressof(buffer), 64, None)


def test_a_view_of_memory_makes_no_type_of_its_length() -> None:
    """Python without the GIL would keep each of them for ever."""
    memory = ctypes.create_string_buffer(b"abcdef")
    before = len(ctypes.Array.__subclasses__())
    views = [pattern.view(ctypes.addressof(memory), size) for size in range(6)]
    assert [bytes(each) for each in views] == [b"abcdef"[:size] for size in range(6)]
    views[-1][0] = ord("x")
    assert memory.value == b"xbcdef"
    assert len(ctypes.Array.__subclasses__()) == before


def test_a_page_moved_by_whole_pages_shows() -> None:
    """In a block longer than the noise, too."""
    noise, size, page = pattern.Noise(5), 3 << 20, 4096
    memory = (ctypes.c_char * size)()
    address = ctypes.addressof(memory)
    noise.fill(address, size, 3)
    assert noise.holds(address, size, 3)
    ctypes.memmove(address + (2 << 20), address + (1 << 20), page)
    assert not noise.holds(address, size, 3)
