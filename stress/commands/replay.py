"""Replay the recordings named, in full unless a limit is given; and say how much memory they need at their peak."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .. import progress, recordings, table
from ..batch import Batch, Job
from ..footprint import children, model
from ..replay import replay
from ..trace import open_trace
from . import options

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ..allocators.protocol import Choice, OpenAllocator
    from ..batch import Watch
    from ..results import Result
    from .context import Context

HELP: Final = "replay recordings through an allocator, every byte checked"
_DEFAULT: Final = "malloc"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("traces", nargs="*", type=Path, metavar="TRACE", help="files or folders (default: as found)")
    options.add_allocator(parser, _DEFAULT)
    parser.add_argument("--serial", action="store_true", help="one thread, the lines as they come")
    parser.add_argument("--limit-ops", type=options.positive, default=None, metavar="N", help="of each recording")
    parser.add_argument("--native", action="store_true", help="footprints beside glibc, jemalloc, mimalloc, tcmalloc")
    parser.add_argument("--no-footprints", action="store_true", help="replay only: peak memory is not measured")
    options.add_mishaps(parser, deaths=False)
    options.add_seed(parser)
    options.add_json(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Replay what is named."""
    found = recordings.find(arguments.traces)
    seed, limit, serial = options.seed(arguments), arguments.limit_ops, arguments.serial
    picked = options.choices(arguments, _DEFAULT, options.mishaps(arguments, seed))
    words = ["replay", *options.allocator_words(picked), f"--seed={seed}"]
    words += ["--serial"] if serial else []
    words += [f"--limit-ops={limit}"] if limit is not None else []
    words += ["--native"] if arguments.native else []
    words += ["--no-footprints"] if arguments.no_footprints else []
    batch = Batch(
        command=f"{context.program} {shlex.join(words + [str(path) for path in found.paths])}",
        seed=seed,
        told=(f"recordings: {found.told}",),
        jobs=(
            job(path, choice, context.open_allocator, seed=seed, limit=limit, serial=serial)
            for choice in options.distinct(picked)
            for path in found.paths
        ),
        json=arguments.json,
        footprints=list
        if arguments.no_footprints
        else lambda: _footprints(found.paths, options.placements_of(picked), native=arguments.native, limit=limit),
    )
    return batch.run()


def job(
    path: Path, choice: Choice, open_allocator: OpenAllocator, *, seed: int, limit: int | None, serial: bool
) -> Job:
    """One recording on one allocator. Reads its header."""
    trace = open_trace(path)
    declared = [number for number in (trace.declared_operations, limit) if number is not None]

    def begin(watch: Watch) -> Result:
        allocator = open_allocator(dataclasses.replace(choice, name=trace.name))
        return replay(trace, allocator, seed=seed, serial=serial, limit=limit, mishaps=choice.mishaps, watch=watch)

    return Job(trace.name, choice, begin, operations=min(declared, default=None))


def _footprints(
    paths: Sequence[Path], placements: Sequence[str], *, native: bool, limit: int | None
) -> list[dict[str, object]]:
    """Measure the peak of each recording, and show it."""
    found: list[model.Footprint] = []
    with progress.bar() as begin:
        for path in paths:
            watch = begin(f"footprints of {path.name}", None)
            for footprint in children.measure(open_trace(path), placements, native=native, limit=limit):
                found.append(footprint)
                watch(len(found))
    table.show(model.HEADINGS, model.rows(found), model.TEXT_COLUMNS)
    return [footprint.as_dict() for footprint in found]
