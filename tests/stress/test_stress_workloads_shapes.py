"""The workloads with a shape of their own: generated traces, adversaries, frames."""

from __future__ import annotations

import ctypes
import sys
from itertools import pairwise
from typing import Any

import _allocators
import pytest
from _allocators import Sound
from _on_purpose import Deadly, Refusing, Upon, real
from _package import module

boom = module("workloads.boom")
frames = module("workloads.frames")
hoardworst = module("workloads.hoardworst")
runner = module("run")
workloads = module("workloads")

NAMES = ["binary", "binary2", "coalescing", "realloc", "realloc2", "boom", "hoardworst", "frames"]


def run(name: str, allocator: Any, **terms: Any) -> Any:
    """One workload, as small as it gets."""
    given = {"threads": 1, "scale": 0.01, "seed": 3, "seconds": 0.01} | terms
    return runner.run(workloads.WORKLOADS[name], allocator, runner.Terms(**given))


def first_round(name: str, **terms: Any) -> Upon:
    """What a single round asks for."""
    allocator = Upon(real())
    result = run(name, allocator, seconds=1e-9, **terms)
    assert result.clean, result.complaints()
    assert not allocator.live, "a round leaves nothing live"
    return allocator


@pytest.mark.parametrize(("face", "threads"), [("blocks", 1), ("malloc", 2), ("blocks", 5)])
@pytest.mark.parametrize("name", NAMES)
def test_it_runs_clean(name: str, face: str, threads: int) -> None:
    result = run(name, real(face), threads=threads)
    assert result.clean, result.complaints()
    assert result.threads == threads
    assert result.operations
    assert result.fault_kinds == {}


@pytest.mark.parametrize("name", NAMES)
def test_a_round_is_finished_though_time_is_up(name: str) -> None:
    once = first_round(name).calls
    assert sum(what == "allocate" for what, _ in once) == sum(what == "free" for what, _ in once)


@pytest.mark.parametrize("name", NAMES)
def test_refusals_are_survived(name: str) -> None:
    result = run(name, Refusing(real()), threads=2, may_refuse=True)
    assert result.clean, result.complaints()
    assert result.refused


@pytest.mark.parametrize("name", NAMES)
def test_deaths_are_survived(name: str) -> None:
    result = run(name, Deadly(real()), threads=2)
    assert result.clean, result.complaints()
    assert any("died on purpose" in note for note in result.notes)


@pytest.mark.parametrize(("name", "small", "large", "pairs"), [("binary", 64, 448, 20), ("binary2", 16, 112, 40)])
def test_binary_frees_the_larger_of_each_pair_and_wants_their_sum(
    name: str, small: int, large: int, pairs: int
) -> None:
    calls = first_round(name).calls
    assert calls[: 2 * pairs] == [("allocate", small), ("allocate", large)] * pairs
    assert calls[2 * pairs : 3 * pairs] == [("free", 0)] * pairs
    assert calls[3 * pairs : 4 * pairs] == [("allocate", small + large)] * pairs


def test_coalescing_wants_what_two_neighbours_leave() -> None:
    step = [("allocate", 4095), ("allocate", 4095), ("free", 0), ("free", 0), ("allocate", 8190), ("free", 0)]
    assert first_round("coalescing").calls == step * 24


@pytest.mark.parametrize(("name", "first", "step", "small"), [("realloc", 512, 128, 128), ("realloc2", 4092, 5, 16)])
def test_realloc_grows_one_block_beside_small_ones(name: str, first: int, step: int, small: int) -> None:
    calls = first_round(name).calls
    assert calls[:5] == [
        ("allocate", first),
        ("allocate", small),
        ("resize", first + step),
        ("allocate", small),
        ("free", 0),
    ]
    assert [size for what, size in calls if what == "resize"] == [first + n * step for n in range(1, 49)]


def test_boom_doubles_the_size_and_halves_the_count() -> None:
    allocator = first_round("boom", scale=64 / boom.UNITS)
    sizes = [size // boom.UNIT for what, size in allocator.calls if what == "allocate"]
    assert sizes == [size for size in (1, 2, 4, 8, 16, 32, 64) for _ in range(64 // size)]


def test_boom_blows_up_an_allocator_and_says_so() -> None:
    """Half of log₂(m) is what first fit loses; of payload ÷ memory well under a half is left."""
    result = run("boom", real("malloc"), scale=1, seconds=1e-9)
    assert result.clean, result.complaints()
    (note,) = result.notes
    assert note.startswith("payload ÷ memory ")
    assert float(note.split()[3].rstrip("%:")) < 40


def test_hoard_s_sizes() -> None:
    sizes = hoardworst.sizes()
    assert sizes[:6] == [16, 32, 48, 64, 80, 112]
    assert all(size % 16 == 0 and size <= hoardworst.SUPERBLOCK // 2 for size in sizes)
    assert all(larger <= smaller * 1.2 + 16 for smaller, larger in pairwise(sizes))


def test_hoardworst_keeps_one_block_of_each_superblock() -> None:
    allocator = first_round("hoardworst")
    allocated = sum(what == "allocate" for what, _ in allocator.calls)
    assert allocated == sum(hoardworst.SUPERBLOCK // size for size in hoardworst.sizes())
    # One superblock of each size: what of it is freed at once comes before the next size's first block.
    position = 0
    for size in hoardworst.sizes():
        in_one = hoardworst.SUPERBLOCK // size
        assert allocator.calls[position : position + in_one] == [("allocate", size)] * in_one
        assert allocator.calls[position + in_one : position + 2 * in_one - 1] == [("free", 0)] * (in_one - 1)
        position += 2 * in_one - 1


def test_frames_hold_seven_buffers_of_varying_size() -> None:
    allocator = first_round("frames")
    assert allocator.most_live == 7
    assert len({size for what, size in allocator.calls if what == "allocate"}) > frames.FRAMES


class Clobbering(Sound):
    """Writes into what is kept of one frame for the next: of its bytes the first is in floating point."""

    def allocate(self, size: int, alignment: int) -> int:
        sizes = list(self.live.values())
        if len(sizes) == 2 and sizes[0] == 4 * sizes[1]:
            ctypes.memset(next(iter(self.live)), 0x41, 100)
        return super().allocate(size, alignment)


def test_frames_computed_wrongly_are_noticed() -> None:
    """What is written into a block that is lent shows in the result only."""
    result = run("frames", Clobbering(), scale=0.001, seconds=1e-9)
    assert "differs from the same computed in ordinary arrays" in result.descriptions[0]


def test_frames_without_numpy_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    result = run("frames", real())
    assert result.left_out
    assert "NumPy" in result.notes[0]


def test_frames_without_memory_are_left_out() -> None:
    allocator = Sound()
    allocator.has_memory = False
    assert run("frames", allocator).left_out


@pytest.mark.parametrize(
    ("name", "broken", "kind"),
    [
        ("binary", _allocators.Overlapping, "overlap"),
        ("boom", _allocators.Misaligned, "misaligned"),
        ("realloc", _allocators.LosesAByte, "not kept"),
        ("realloc2", _allocators.ShiftsOnResize, "not kept"),
    ],
)
def test_broken_allocators_are_caught(name: str, broken: type[Sound], kind: str) -> None:
    result = run(name, broken(), seconds=1e-9)
    assert not result.clean
    assert kind in result.fault_kinds
    assert result.as_dict()["fault_kinds"] == result.fault_kinds
