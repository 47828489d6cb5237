"""What every command is given, and what every command must be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import argparse

    from ..allocators.protocol import OpenAllocator


@dataclass(frozen=True, slots=True)
class Context:
    """The world as a command sees it."""

    program: str
    """What to type to come here again."""
    open_allocator: OpenAllocator
    """Makes the allocator under test."""


class Command(Protocol):
    """A module of this folder."""

    HELP: str

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's arguments."""

    def run(self, arguments: argparse.Namespace, context: Context) -> int:
        """Carry it out; the exit status."""
