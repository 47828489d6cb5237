"""Show results as a page: one HTML file that needs nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from arenas import reports

from .. import table
from ..batch import CLEAN
from ..errors import UsageError
from ..page import build, reading

if TYPE_CHECKING:
    import argparse

    from .context import Context

HELP: Final = "show results, as --json wrote them, as an HTML page; several files stand side by side on one"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("results", nargs="+", type=Path, metavar="RESULTS.json", help="what --json wrote")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE.html", help="where to write it (default: beside the first, as .html)"
    )


def run(arguments: argparse.Namespace, context: Context) -> int:  # noqa: ARG001 - a command is called like this
    """Read all files, write the page, and say where."""
    files = [reading.read(path) for path in dict.fromkeys(arguments.results)]
    output: Path = arguments.output or arguments.results[0].with_suffix(".html")
    if output in arguments.results:
        raise UsageError(f"{output}: this would write the page over the results it shows")
    if not output.parent.is_dir():
        raise UsageError(f"{output}: there is no folder {output.parent}")
    try:
        reports.write(build.page(files), output)
    except ImportError as error:
        raise UsageError(str(error)) from None
    table.say(str(output))
    return CLEAN
