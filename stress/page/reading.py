"""From a results file to values, every one of them looked at: the file may be anything."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Final, NoReturn

from arenas.reports import Region

from ..errors import UsageError
from . import costs, searches
from .document import SERIES, Footprint, HeapMap, Results, Run, Timeline
from .node import Node, count, measure, text, texts

if TYPE_CHECKING:
    from pathlib import Path

    from arenas.reports import Span

FORMAT: Final = "arenas-stress-results"
VERSION: Final = 1

_COUNTS: Final = ("allocations", "frees", "resizes", "remote_frees", "refused")


def read(path: Path) -> Results | costs.Costs | searches.Searches:
    """Read what ``--json`` wrote.

    Raises:
        UsageError: it is no such file; the message names it, and what is wrong with it.

    """
    root = Node(path, "", _parse(path))
    if costs.is_one(root):
        return costs.read(root)
    match text(root, "format"):
        case searches.FORMAT:
            _refuse_other(root, searches.VERSION)
            return searches.read(root)
        case found if found == FORMAT:
            _refuse_other(root, VERSION)
            return _results(root)
    raise UsageError(f"{path}: this is no results file: its format is neither {FORMAT!r} nor {searches.FORMAT!r}")


def _refuse_other(root: Node, known: int) -> None:
    version = root.need("version").count()
    if version != known:
        raise UsageError(f"{root.path}: its format has version {version}, and this program knows version {known} only")


def _results(root: Node) -> Results:
    return Results(
        path=root.path,
        command=text(root, "command"),
        started=text(root, "started"),
        seconds=measure(root, "seconds") or 0.0,
        clean=root.need("clean").flag(),
        verdict=text(root, "verdict"),
        machine=root.words("machine"),
        runs=[_run(node) for node in root.need("runs").items()],
        footprints=[_footprint(node) for node in root.each("footprints")],
    )


def _parse(path: Path) -> object:
    try:
        written = path.read_text("utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: this is no JSON: byte {error.start} is not UTF-8") from None
    if not written.strip():
        raise UsageError(f"{path}: the file is empty")
    try:
        return json.loads(written, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        cut = error.pos >= len(written.rstrip()) or "Unterminated" in error.msg
        what = "ends in the middle: it was cut off" if cut else f"is no JSON: {error.msg}"
        raise UsageError(f"{path}:{error.lineno}: the file {what}") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: this is no JSON of ours: {error}") from None


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number")


def _run(node: Node) -> Run:
    return Run(
        source=node.path,
        name=node.need("name").text(),
        kind=text(node, "kind", "workload"),
        allocator=node.need("allocator").text(),
        placement=text(node, "placement") or None,
        arenas=text(node, "arenas") or None,
        threads=node.need("threads").count(),
        seed=count(node, "seed"),
        scale=1.0 if (scale := measure(node, "scale")) is None else scale,
        operations=node.need("operations").count(),
        counts={name: found for name in _COUNTS if (found := count(node, name)) is not None},
        seconds=node.need("seconds").measure(),
        peak_live_bytes=count(node, "peak_live_bytes") or 0,
        peak_committed_bytes=count(node, "peak_committed_bytes"),
        peak_reserved_bytes=count(node, "peak_reserved_bytes"),
        timeline=None if (timeline := node.get("timeline")) is None else _timeline(timeline),
        heap_map=None if (heap_map := node.get("heap_map")) is None else _heap_map(heap_map),
        faults=count(node, "faults") or 0,
        check=text(node, "check"),
        leaked_blocks=count(node, "leaked_blocks"),
        complaints=texts(node, "complaints"),
        notes=texts(node, "notes"),
        clean=node.need("clean").flag(),
    )


def _timeline(node: Node) -> Timeline | None:
    seconds = [item.measure() for item in node.each("seconds")]
    if any(later < earlier for earlier, later in itertools.pairwise(seconds)):
        raise node.need("seconds").refuse("moments in ascending order")
    sizes = {}
    for name in SERIES:
        if (found := node.get(f"{name}_bytes")) is not None:
            sizes[name] = [item.measure() for item in found.items()]
            if len(found.items()) != len(seconds):
                raise UsageError(f"{node.path}: {found.where}: {len(found.items())} sizes for {len(seconds)} moments")
    return Timeline(seconds, sizes) if seconds and sizes else None


def _heap_map(node: Node) -> HeapMap | None:
    regions = [_region(item) for item in node.each("regions")]
    at, live = measure(node, "at_seconds") or 0.0, count(node, "live_bytes") or 0
    return HeapMap(at, live, regions) if regions else None


def _region(node: Node) -> Region:
    start, size = count(node, "offset") or 0, node.need("size").count()
    spans = [_span(item, start, start + size) for item in node.each("spans")]
    return Region(count(node, "arena") or 0, size, spans)


def _span(node: Node, start: int, end: int) -> Span:
    """A span, its offset taken from the start of its region; the file counts from where the region does."""
    parts = node.items()
    if len(parts) == len(("offset", "size", "state")):
        offset, size, state = parts[0].count(), parts[1].count(), parts[2].text()
        if start <= offset and offset + size <= end:
            return offset - start, size, state
    raise node.refuse(f"[offset, size, state] between its region's {start:,} and {end:,}")


def _footprint(node: Node) -> Footprint:
    failure = text(node, "failure") or None
    payload = count(node, "payload_bytes")
    if payload is None and failure is None:
        raise node.refuse("'payload_bytes' or a failure")
    return Footprint(
        name=node.need("name").text(),
        allocator=node.need("allocator").text(),
        placement=text(node, "placement") or None,
        payload_bytes=payload or 0,
        span_bytes=count(node, "span_bytes"),
        resident_bytes=count(node, "resident_bytes"),
        failure=failure,
    )
