"""One command a module: each has ``HELP``, ``configure(parser)`` and ``run(arguments, context)``.

A new command is a new module and a line in ``COMMANDS``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import bench, interleave, quick, record, replay, report, run, soak
from . import list as list_command

if TYPE_CHECKING:
    from .context import Command

COMMANDS: Final[dict[str, Command]] = {
    "quick": quick,
    "list": list_command,
    "run": run,
    "replay": replay,
    "record": record,
    "soak": soak,
    "bench": bench,
    "interleave": interleave,
    "report": report,
}
DEFAULT: Final = "quick"
