"""What threads promise each other, and whether it held in every order of turns that was played."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from arenas.reports import Cell, Code, Heading, Section, Table, Text, units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from arenas.reports import Part

    from .searches import Protocol, Searches

_ABOUT: Final = (
    "A few threads did the same again and again, one at a time, and took turns in another order each time: that is a "
    "schedule. Left out are those with one preemption that there was no time for."
)
_HEADINGS: Final = (
    Heading("Protocol", is_number=False),
    Heading("Verdict", is_number=False),
    Heading("Schedules played"),
    Heading("Left out"),
    Heading("Promise", is_number=False),
)
"""A promise is a sentence, which no cell breaks: it stands last, or it would push all else off the screen."""


def section(files: Sequence[Searches]) -> Section | None:
    """A table a file; None where nothing was searched."""
    tables = [
        Table(f"As {each.path.name} says", _HEADINGS, [_row(protocol) for protocol in each.protocols], sortable=True)
        for each in files
        if each.protocols
    ]
    return Section("Promises", [Text(_ABOUT, quiet=True), *tables], "promises") if tables else None


def complaints(files: Sequence[Searches]) -> list[Part]:
    """How each promise was broken, and the verdict of a file that says no more than that something was."""
    parts: list[Part] = []
    for each in files:
        parts += [part for protocol in each.broken for part in _complaint(protocol)]
        if not each.clean and not each.broken:
            parts.append(Text(each.verdict or f"{each.path.name} says that it failed, and not why."))
    return parts


def _row(protocol: Protocol) -> list[Cell]:
    return [
        Cell(protocol.name),
        Cell("holds", tone="good") if protocol.clean else Cell("broken", tone="bad"),
        Cell(units.count(protocol.schedules), key=protocol.schedules),
        Cell(units.count(protocol.left_out), key=protocol.left_out),
        Cell(protocol.promise or "–", tone="" if protocol.promise else "quiet"),
    ]


def _complaint(protocol: Protocol) -> list[Part]:
    """What is short stands first: a traceback is long."""
    broken = protocol.broken
    if broken is None:
        return [Code(protocol.name, "The file says that it was broken, and not how.", bad=True)]
    after = "" if broken.number is None else f", after {units.plural(broken.number, 'schedule')}"
    text = "\n\n".join(filter(None, ("\n".join(broken.stops), broken.error)))
    error = Code(f"{protocol.name}{after}: {broken.schedule}", text, bad=True)
    return [error, Code("To replay it", broken.replay, is_command=True)] if broken.replay else [error]
