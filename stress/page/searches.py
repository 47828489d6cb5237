"""A search's file, as ``interleave --json`` writes it, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .node import Node, count, text, texts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

FORMAT: Final = "arenas-stress-interleave"
VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Broken:
    """The first schedule under which a promise was broken."""

    schedule: str
    number: int | None
    """How many had been played then, this one included."""
    stops: Sequence[str]
    """Where it had stopped threads."""
    error: str
    replay: str
    """The command that plays it again."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """A few threads, what they promise, and whether that held."""

    name: str
    promise: str
    schedules: int
    left_out: int
    clean: bool
    broken: Broken | None


@dataclass(frozen=True, slots=True)
class Searches:
    """All of a file."""

    path: Path
    command: str
    machine: Mapping[str, str]
    clean: bool
    verdict: str
    protocols: Sequence[Protocol]

    @property
    def broken(self) -> list[Protocol]:
        """Those whose promise did not hold."""
        return [each for each in self.protocols if not each.clean]


def read(root: Node) -> Searches:
    """Read it; what is not as it should be is a ``UsageError``."""
    return Searches(
        path=root.path,
        command=text(root, "command"),
        machine=root.words("machine"),
        clean=root.need("clean").flag(),
        verdict=text(root, "verdict"),
        protocols=[_protocol(node) for node in root.need("protocols").items()],
    )


def _protocol(node: Node) -> Protocol:
    """One that says it is clean, and how it was broken, was broken."""
    broken = None if (found := node.get("broken")) is None else _broken(found)
    return Protocol(
        name=node.need("name").text(),
        promise=text(node, "promise"),
        schedules=node.need("schedules").count(),
        left_out=count(node, "left_out") or 0,
        clean=node.need("clean").flag() and broken is None,
        broken=broken,
    )


def _broken(node: Node) -> Broken:
    return Broken(
        schedule=node.need("schedule").text(),
        number=count(node, "number"),
        stops=texts(node, "stops"),
        error=node.need("error").text(),
        replay=text(node, "replay"),
    )
