"""Footprints: the plan ends at the peak, each allocator is measured in its own process, and the figures are true."""

from __future__ import annotations

import subprocess
import sys
from array import array
from typing import TYPE_CHECKING, Any

import pytest
from _package import module
from _traces import SMALL, write

if TYPE_CHECKING:
    from pathlib import Path

children = module("footprint.children")
heap_child = module("footprint.__main__")
libraries = module("footprint.libraries")
model = module("footprint.model")
plan = module("footprint.plan")
replay = module("footprint.replay")
placements = module("placements")
trace = module("trace")
errors = module("errors")

PAGE = 4096


def column(folder: Path, name: str) -> list[int]:
    return list(array(replay.COLUMNS[name], (folder / name).read_bytes()))


def test_a_plan_ends_at_the_peak(tmp_path: Path) -> None:
    folder = tmp_path / "plan"
    folder.mkdir()
    made = plan.make(trace.open_trace(write(tmp_path, SMALL)), folder)
    assert (made.payload_bytes, made.operations) == (24 + 400 + 100 + 70_000 - 100, 16)
    kinds = column(folder, "kinds")
    assert [trace.LETTERS[kind] for kind in kinds] == list("aacafrarrrffc")  # the first 13: then 70,000 bytes are live
    assert column(folder, "sizes")[-1] == 70_000
    slots = column(folder, "slots")
    assert max(slots) + 1 == made.slots == 4
    live: dict[int, int] = {}
    for kind, slot in zip(kinds, slots, strict=True):
        assert (slot in live) == (kind in {trace.RESIZE, trace.FREE})
        if kind == trace.FREE:
            del live[slot]
        else:
            live[slot] = kind
    assert column(folder, "alignments")[3] == (64).bit_length()


class Recorder:
    """Functions that remember their calls; the memory is one buffer, so that writing to it is harmless."""

    def __init__(self) -> None:
        self.buffer = bytearray(100_000)
        self.address = replay.ctypes.addressof((replay.ctypes.c_char * 100_000).from_buffer(self.buffer))
        self.calls: list[Any] = []

    def allocate(self, size: int, alignment: int) -> Any:
        self.calls.append(("a", size, alignment))
        return self.address + len(self.calls)

    def zeroed(self, size: int) -> Any:
        self.calls.append(("c", size))
        return self.address + len(self.calls)

    def resize(self, address: int, size: int) -> Any:
        self.calls.append(("r", address - self.address, size))
        return self.address + len(self.calls)

    def free(self, address: int) -> None:
        self.calls.append(("f", address - self.address))


def test_a_plan_is_carried_out_as_recorded(tmp_path: Path) -> None:
    operations = "1 a 5 100\n2 c 6 40\n1 a 7 8 4096\n1 r 5 300\n2 f 6\n1 r 5 200\n1 a 9 50000\n1 f 9\n"
    folder = tmp_path / "plan"
    folder.mkdir()
    made = plan.make(trace.open_trace(write(tmp_path, operations)), folder)
    functions = Recorder()
    replay.Work(str(folder), made.slots).carry_out(functions)
    assert functions.calls == [
        *(("a", 100, 0), ("c", 40), ("a", 8, 4096), ("r", 1, 300), ("f", 2), ("r", 4, 200), ("a", 50000, 0)),
    ]
    assert functions.buffer[7 : 7 + 50_000] == bytes([0xA5]) * 50_000


def test_footprint_of_a_heap(tmp_path: Path) -> None:
    """Blocks 0 to 2 fill a region of 32 pages, 3 to 8 one of 64, 9 begins a third; even ones go, two large ones come.

    In use are then two tens of the first region, five of the second, and all that lies in the third.
    """
    lines = [f"0 a {block} {10 * PAGE}" for block in range(10)]
    lines += [f"0 f {block}" for block in range(0, 10, 2)]
    lines += [f"0 a {block} {30 * PAGE}" for block in range(10, 12)]
    (footprint,) = children.measure(trace.open_trace(write(tmp_path, "\n".join(lines))), ["BestFit"])
    assert footprint.failure is None
    assert (footprint.allocator, footprint.placement, footprint.operations) == ("arenas", "BestFit", 17)
    assert footprint.payload_bytes == (5 * 10 + 2 * 30) * PAGE
    assert footprint.resident_bytes == footprint.payload_bytes  # what is freed goes back at once
    assert footprint.span_bytes == (2 * 10 + 5 * 10 + 10 + 2 * 30) * PAGE
    assert footprint.metadata_bytes > 7 * 200
    assert footprint.row()[3:5] == (f"{footprint.payload_bytes / footprint.span_bytes:.1%}", "100.0%")


def test_span_is_counted_by_region() -> None:
    """… also where regions adjoin, and where a range was given back and mapped anew."""
    regions = [(1000, 500), (1500, 100), (4000, 400), (4100, 800)]
    assert heap_child.in_use(regions, [(1000, 100), (1200, 50), (1500, 60), (4100, 7), (4300, 8)]) == 250 + 60 + 208
    assert heap_child.in_use(regions, []) == 0


def test_footprint_of_the_c_allocators(tmp_path: Path) -> None:
    """Two thirds of what was allocated is live at the peak; the blocks are so large that each has pages of its own."""
    size = 1 << 21
    lines = [f"0 a {block} {size}" for block in range(6)]
    lines += ["0 f 0", "0 f 2", f"0 r 1 {2 * size}", f"0 c 6 {size}", f"0 a 7 {size} 4096", "0 a 8 0", "0 f 8"]
    found = list(children.measure(trace.open_trace(write(tmp_path, "\n".join(lines))), [], native=True))
    assert [each.allocator for each in found] == ["glibc", "jemalloc", "mimalloc", "tcmalloc"]
    for each, library in zip(found, libraries.find(), strict=True):
        if library.preload is None:
            assert each.failure == "not found"
        else:
            assert each.failure is None, each
            assert each.payload_bytes == 7 * size
            assert 0.99 * each.payload_bytes <= each.resident_bytes < 2 * each.payload_bytes
            assert (each.span_bytes, each.metadata_bytes, each.placement) == (None, None, None)


def test_the_users_own_preload_is_not_mistaken_for_the_system_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trail = tmp_path / "trail"
    monkeypatch.setenv("LD_DEBUG", "files")
    monkeypatch.setenv("LD_DEBUG_OUTPUT", str(trail))
    monkeypatch.setenv("LD_PRELOAD", "libutil.so.1")
    monkeypatch.setattr(libraries.ctypes.util, "find_library", lambda _name: None)
    assert next(children.measure(trace.open_trace(write(tmp_path, SMALL)), [], native=True)).failure is None
    (told,) = tmp_path.glob("trail.*")
    assert "libutil" not in told.read_text(errors="replace")


def test_a_library_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries.ctypes.util, "find_library", lambda _name: None)
    found = list(children.measure(trace.open_trace(write(tmp_path, SMALL)), [], native=True))
    assert [each.failure for each in found] == [None, "not found", "not found", "not found"]
    assert found[1].row()[:2] == ("small", "jemalloc: not found")


def test_a_library_that_cannot_be_preloaded_is_not_mistaken_for_another(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-IS", str(replay.__file__), str(tmp_path), "1", "libnosuch.so"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "libnosuch.so could not be preloaded" in done.stderr


def test_nothing_is_tried_that_would_not_fit(tmp_path: Path) -> None:
    (footprint,) = children.measure(trace.open_trace(write(tmp_path, f"0 a 0 {1 << 46}\n")), ["BestFit"])
    assert "70,368,744,177,664 bytes of payload would be written" in footprint.failure


def test_a_child_that_fails_says_why(tmp_path: Path) -> None:
    path = write(tmp_path, "0 a 0 10\n")
    (footprint,) = children.measure(trace.open_trace(path), ["decimal:Decimal"])
    assert footprint.failure
    assert footprint.row()[1].startswith("arenas (decimal:Decimal): ")


def test_a_recording_of_nothing(tmp_path: Path) -> None:
    for footprint in children.measure(trace.open_trace(write(tmp_path, "")), ["BestFit"], native=True):
        assert footprint.failure in {None, "not found"}
        assert footprint.payload_bytes == 0


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("WorstFit", "there is no placement 'WorstFit': choose from BestFit"),
        ("no_such_module:Fit", "No module named 'no_such_module'"),
        ("math:no_such_name", "no_such_name"),
        (":x", "placement ':x'"),
        ("math:pi", "is a float, which cannot be called"),
    ],
)
def test_placements_that_are_none(name: str, why: str) -> None:
    with pytest.raises(errors.UsageError, match=why.replace("(", r"\(")):
        placements.find(name)


def test_placements_by_name() -> None:
    arenas = pytest.importorskip("arenas")
    assert placements.find("BestFit") is arenas.BestFit
    assert placements.find("arenas:BestFit") is arenas.BestFit
