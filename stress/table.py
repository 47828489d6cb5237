"""A table on the output stream: by rich where it is installed, else in plain columns."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_WIDTH_OF_A_FILE: Final = 160


def say(text: str) -> None:
    """Print, at once: a run that dies must have shown its command."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def show(headings: Sequence[str], rows: Sequence[Sequence[str]], text_columns: Collection[str]) -> None:
    """Print rows under their headings; what is in ``text_columns`` is flush left, the rest are numbers."""
    try:
        _show_rich(headings, rows, text_columns)
    except ImportError:
        _show_plain(headings, rows, text_columns)


def _show_rich(headings: Sequence[str], rows: Sequence[Sequence[str]], text_columns: Collection[str]) -> None:
    from rich import box  # noqa: PLC0415 - optional
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=box.SIMPLE_HEAD)
    for heading in headings:
        table.add_column(heading, justify="left" if heading in text_columns else "right")
    for row in rows:
        table.add_row(*row)
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else _WIDTH_OF_A_FILE)
    with console.capture() as captured:  # rich would end the program where nobody reads any more
        console.print(table)
    say(captured.get().rstrip("\n"))


def _show_plain(headings: Sequence[str], rows: Sequence[Sequence[str]], text_columns: Collection[str]) -> None:
    lines = [[heading.replace("\n", " ") for heading in headings], *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    for line in lines:
        cells = [
            cell.ljust(width) if heading in text_columns else cell.rjust(width)
            for cell, width, heading in zip(line, widths, headings, strict=True)
        ]
        say("  ".join(cells).rstrip())
