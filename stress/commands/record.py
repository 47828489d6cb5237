"""Record what a Python program allocates, for replays."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .. import progress, table
from ..errors import UsageError
from ..record import program

if TYPE_CHECKING:
    from ..record.program import Recorded
    from .context import Context

HELP: Final = "run a Python program under memray and write a recording of what it allocates"

_DONE: Final = 0


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.usage = "%(prog)s [-o FILE] [--python-allocators] -- PROGRAM [ARGUMENT …]"
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: PROGRAM.trace.gz")
    parser.add_argument(
        "--python-allocators",
        action="store_true",
        help="also what Python takes from its own allocator of small objects: many more operations",
    )
    parser.add_argument(
        "program",
        nargs=argparse.REMAINDER,
        metavar="PROGRAM",
        help="a file, -m MODULE or -c CODE, and its arguments",
    )


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Record, whatever the program's own exit status."""
    words = arguments.program[1:] if arguments.program[:1] == ["--"] else arguments.program
    program.refuse(words)
    path = arguments.output or program.default_path(words)
    if not path.absolute().parent.is_dir():
        raise UsageError(f"{path}: there is no folder {path.parent}")
    with progress.bar() as begin:
        done = program.record(
            words, path, python_allocators=arguments.python_allocators, watch=begin(f"writing {path}", None)
        )
    _tell(done, context)
    return _DONE


def _tell(done: Recorded, context: Context) -> None:
    facts = done.facts
    threads = len(facts.threads)
    table.say(f"the program ended with exit status {done.status}")
    for each in done.left_out:
        table.say(f"left out: {each}")
    table.say(
        f"{done.path}: {facts.operations:,} operations of {threads:,} thread{'s' * (threads != 1)}, "
        f"at most {facts.peak_live_bytes:,} bytes live in {facts.peak_live_blocks:,} blocks, "
        f"{facts.cross_thread_frees:,} frees by another thread"
    )
    table.say(f"{context.program} replay {shlex.quote(str(done.path))}")
