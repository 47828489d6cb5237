"""Say what there is to run, and on what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .. import placements, recordings, table
from ..allocators import registry
from ..batch import CLEAN
from ..workloads import WORKLOADS

if TYPE_CHECKING:
    import argparse

    from .context import Context

HELP: Final = "list workloads, allocators, placements and recordings"


def configure(parser: argparse.ArgumentParser) -> None:
    """There are no arguments."""
    del parser


def run(arguments: argparse.Namespace, context: Context) -> int:
    """Print the lists."""
    del arguments
    table.show(
        ("workload", "threads", "what it does", "described by"),
        [(each.name, str(each.threads), each.about, each.source) for each in WORKLOADS.values()],
        {"workload", "what it does", "described by"},
    )
    table.show(("allocator", "what it is"), list(registry.ABOUT.items()), {"allocator", "what it is"})
    table.say(f"placements: {', '.join(placements.PLACEMENTS)}")
    found = recordings.find()
    table.say(f"recordings: {', '.join(path.name for path in found.paths)} ({found.told})")
    table.say(f"for instance: {context.program} run larson --allocator=blocks --threads=4 --seconds=5")
    return CLEAN
