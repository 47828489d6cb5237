"""Replay the recordings named, in full unless a limit is given."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .. import recordings, trace
from ..batch import Batch, Job
from ..replay import replay
from . import options

if TYPE_CHECKING:
    import argparse

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
    options.add_seed(parser)
    options.add_json(parser)


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Replay what is named."""
    found = recordings.find(arguments.traces)
    seed, limit, serial = options.seed(arguments), arguments.limit_ops, arguments.serial
    picked = options.choices(arguments, _DEFAULT)
    words = ["replay", *options.allocator_words(picked), f"--seed={seed}"]
    words += ["--serial"] if serial else []
    words += [f"--limit-ops={limit}"] if limit is not None else []
    batch = Batch(
        command=f"{context.program} {shlex.join(words + [str(path) for path in found.paths])}",
        seed=seed,
        told=(f"recordings: {found.told}",),
        jobs=(
            job(path, choice, context.open_allocator, seed=seed, limit=limit, serial=serial)
            for choice in picked
            for path in found.paths
        ),
        json=arguments.json,
    )
    return batch.run()


def job(
    path: Path, choice: Choice, open_allocator: OpenAllocator, *, seed: int, limit: int | None, serial: bool
) -> Job:
    """One recording on one allocator. Reads it."""
    recording = trace.read(path, limit)

    def begin(watch: Watch) -> Result:
        allocator = open_allocator(dataclasses.replace(choice, name=recording.name))
        return replay(recording, allocator, seed=seed, serial=serial, watch=watch)

    return Job(recording.name, choice, begin, operations=len(recording.kinds))
