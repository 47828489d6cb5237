"""Results files of every kind, made by rule: what the stress runner might have written."""

from __future__ import annotations

import json
import math
import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1 << 20
Json = dict[str, Any]

MACHINE = {
    "CPU": "AMD EPYC 7B13, 8 cores",
    "system": "Linux 6.12, glibc 2.36",
    "Python": "CPython 3.13.1",
    "GIL": "no",
    "arenas": "0.1.0",
    "numpy": "2.4.1",
}
WORKLOADS = ("larson", "xmalloc-test", "mstress", "rptest", "malloc-large", "frames", "glibc-thread", "boom")
RECORDINGS = ("redis", "lld_link", "python_json", "ffmpeg", "sqlite", "gcc_cc1", "postgres", "numpy_svd")
RATES = {"blocks": 410e3, "malloc": 530e3, "bytearray": 705e3, "multiprocessing.heap": 21e3}
COMPLAINT = """\
Traceback (most recent call last):
  File "arenas/heap.py", line 212, in check
    raise CorruptionError(f"arena {self.number}: span at {position:,} is carved and free")
arenas.errors.CorruptionError: arena 3: span at 1,179,648 is carved and free, 4,096 bytes"""


def timeline(peak: int, seconds: float, draw: random.Random, *, ours: bool, moments: int = 80) -> Json:
    """Memory that grows, works and shrinks."""
    times = [seconds * (index + 1) / moments for index in range(moments)]
    shape = [min(1.0, at / 12) * (0.86 + 0.14 * math.sin(at / 6)) * draw.uniform(0.95, 1) for at in range(moments)]
    shape[-8:] = [shape[-8] * left / 8 for left in range(8, 0, -1)]
    live = [int(peak * share) for share in shape]
    live[moments // 2] = peak
    parked = [int(peak * 0.11 * max(0.0, math.sin(at / 9 - 1))) for at in range(moments)]
    cached = [int(peak * 0.06 * min(1.0, at / 10)) for at in range(moments)]
    committed = [0]
    for now in zip(live, parked, cached, strict=True):
        committed.append(max(int(sum(now) * 1.04), int(committed[-1] * 0.985)))
    return {
        "seconds": times,
        "live_bytes": live,
        "resident_bytes": [int(size * 0.97) + 9 * MIB for size in committed[1:]],
        "committed_bytes": committed[1:] if ours else None,
        "parked_bytes": parked if ours else None,
        "cached_bytes": cached if ours else None,
    }


def region(arena: int, size: int, draw: random.Random) -> Json:
    """A region whose spans tile it."""
    start = 140_000_000_000_000 + (arena << 30)
    spans, offset, last = [], 0, ""
    while offset < size:
        states = ["live"] * 12 + ["free"] * 3 + ["cached"] * 2 + ["parked"] * 2
        state = draw.choice([state for state in states if state != last])
        length = min(size - offset, int(draw.paretovariate(0.9) * 4096 * (6 if state == "live" else 2)) // 64 * 64)
        length = size - offset if offset > size * 0.93 else length
        state = "free" if offset > size * 0.93 else state
        spans.append([start + offset, length, state])
        offset, last = offset + length, state
    return {"arena": arena, "offset": start, "size": size, "spans": spans}


def heap_map(live: int, draw: random.Random) -> Json:
    regions = [region(arena, MIB << power, draw) for arena in range(4) for power in range(-2, 4) if power >= 0]
    regions += [
        {"arena": 4, "offset": 0, "size": size * MIB, "spans": [[0, size * MIB, state]]}
        for size, state in ((6, "live"), (6, "live"), (8, "parked"), (7, "live"), (8, "cached"))
    ]
    return {"at_seconds": 1.13, "live_bytes": live, "regions": regions}


def run(name: str = "larson", allocator: str = "blocks", **changes: Any) -> Json:
    """A clean run; ``changes`` replaces keys."""
    draw = random.Random(f"{name} {allocator}")
    ours = allocator in {"blocks", "malloc"}
    seconds = draw.uniform(1.2, 2.6)
    operations = int(RATES.get(allocator, 4e5) * draw.uniform(0.4, 1.6) * seconds)
    peak = draw.randrange(20, 160) * MIB
    return {
        "name": name,
        "kind": "workload",
        "allocator": allocator,
        "placement": "BestFit" if ours else None,
        "arenas": "thread" if ours else None,
        "threads": 4,
        "seed": 1,
        "scale": 1.0,
        "operations": operations,
        "allocations": operations // 2,
        "frees": operations // 2,
        "resizes": operations // 50,
        "remote_frees": operations // 9,
        "refused": 0,
        "seconds": seconds,
        "peak_live_bytes": peak,
        "peak_committed_bytes": int(peak * 1.11) if ours else None,
        "peak_reserved_bytes": int(peak * 1.4) if ours else None,
        "timeline": timeline(peak, seconds, draw, ours=ours),
        "heap_map": heap_map(peak, draw) if ours else None,
        "faults": 0,
        "descriptions": [],
        "check": "ok",
        "leaked_blocks": 0,
        "accounting": [],
        "failure": None,
        "complaints": [],
        "notes": [],
        "clean": True,
        **changes,
    }


def failed_run(name: str = "mstress", allocator: str = "mypool:make") -> Json:
    complaints = [COMPLAINT, "block 4711 of 8,192 bytes: byte 17 is 0x00, was written as 0xa3", "12 blocks leaked"]
    return run(name, allocator, clean=False, faults=3, complaints=complaints, leaked_blocks=12, check="CorruptionError")


def footprints() -> list[Json]:
    draw = random.Random(7)
    places = [("arenas", "BestFit"), ("arenas", "FirstFit"), ("glibc", None), ("jemalloc", None), ("mimalloc", None)]
    found = []
    for name in RECORDINGS:
        payload = draw.randrange(8 * MIB, 400 * MIB)
        for allocator, placement in places:
            ours = allocator == "arenas"
            share = draw.uniform(0.93, 0.998) if ours else draw.uniform(0.62, 0.96)
            found.append(
                {
                    "name": name,
                    "path": f"traces/{name}.trace.gz",
                    "operations": draw.randrange(10_000, 800_000),
                    "allocator": allocator,
                    "placement": placement,
                    "payload_bytes": payload,
                    "span_bytes": int(payload / draw.uniform(0.85, 0.95)) if ours else None,
                    "resident_bytes": int(payload / share),
                    "metadata_bytes": payload // 20 if ours else None,
                    "failure": None,
                }
            )
    return found


def document(runs: list[Json], measured: list[Json] | None = None) -> Json:
    return {
        "format": "arenas-stress-results",
        "version": 1,
        "command": "python -m stress run larson xmalloc-test --threads=4 --seconds=2 --seed=1 --allocator=blocks",
        "seed": 1,
        "started": "2026-11-21T18:30:00+00:00",
        "seconds": 61.2,
        "clean": all(each["clean"] for each in runs),
        "verdict": "clean" if all(each["clean"] for each in runs) else "FAILED",
        "machine": MACHINE,
        "runs": runs,
        "footprints": measured or [],
    }


def realistic() -> Json:
    """Several workloads by four allocators, and recordings' memory."""
    return document([run(name, allocator) for name in WORKLOADS for allocator in RATES], footprints())


def failed() -> Json:
    """One run of many failed."""
    clean = [run(name, "blocks") for name in WORKLOADS[:3]]
    return document([*clean, failed_run(), run("mstress", "malloc", notes=["left out: resize, which it cannot"])])


def huge() -> Json:
    """Sixty runs, of many names."""
    return document([run(f"{WORKLOADS[at % 8]}-{at // 8}", allocator) for at in range(15) for allocator in RATES])


def small() -> Json:
    """One run, of which nothing but the figures is known."""
    return document([run("larson", "ctypes", timeline=None, threads=1)])


def benchmark() -> Json:
    """A file of the other format: ``bench --json``."""
    entrants = [
        {"name": "heap.alloc", "code": "heap.alloc(n).free()", "median": 612.0, "rounds": [600.0], "missing": ""},
        {"name": "np.empty", "code": "np.empty(n)", "median": 171.5, "rounds": [170.0], "missing": ""},
        {"name": "torch", "code": "torch.empty(n)", "median": None, "rounds": [], "missing": "not installed"},
    ]
    common = {"sense": "cost", "target": 4.0, "stretch": 2.0}
    ratios = [
        {"ours": "heap.alloc", "other": "np.empty", "value": 3.57, "lowest": 3.4, "highest": 3.7, **common}
        | {"verdict": "met", "loss": True},
        {"ours": "heap.alloc", "other": "torch", "value": None, "lowest": None, "highest": None, **common}
        | {"verdict": "not measured", "loss": False},
    ]
    case = {"title": "4 KiB", "unit": "ns", "entrants": entrants, "comparisons": ratios}
    return {
        "command": "python -m stress bench",
        "machine": MACHINE,
        "budget": {"rounds": 7},
        "summary": "1 targets met (0 with their stretch), 0 missed, 1 not judged, 1 losses",
        "works": [{"name": "pair", "title": "one block, taken and given back", "cases": [case]}],
    }


def interleaved() -> Json:
    """A third format: ``interleave --json``. One promise of two was broken."""
    common = {"preemptions": 2, "seconds": 0.2}
    error = 'Traceback (most recent call last):\n  File "mine.py", line 19, in verify\nAssertionError: [1, 1]'
    broken = {
        "schedule": "A3 B",
        "number": 17,
        "stops": ["A stopped at mine.py:14 in Tickets.a, before offset 30"],
        "error": error,
    }
    broken |= {"replay": "python -m stress interleave mine:Tickets --schedule 'A3 B'"}
    protocols = [
        {"name": "Trim", "promise": "The block stays its own.", "schedules": 1500, "left_out": 543, **common}
        | {"broken": None, "clean": True},
        {"name": "mine:Tickets", "promise": "No two threads draw the same ticket.", "schedules": 17, "left_out": 0}
        | {**common, "broken": broken, "clean": False},
    ]
    return {
        "format": "arenas-stress-interleave",
        "version": 1,
        "command": "python -m stress interleave Trim mine:Tickets --schedules=1500 --seed=1",
        "seed": 1,
        "machine": MACHINE,
        "clean": False,
        "verdict": "FAILED: 1 of 2 protocols, 1,517 schedules: mine:Tickets",
        "protocols": protocols,
    }


def interleaved_well() -> Json:
    """The same, of the promise that held."""
    found = interleaved()
    return found | {"clean": True, "verdict": "clean", "protocols": found["protocols"][:1]}


def write(path: Path, content: Json) -> Path:
    path.write_text(json.dumps(content), "utf-8")
    return path
