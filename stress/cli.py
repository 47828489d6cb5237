"""The command line: parses, chooses the command, turns errors into exit statuses.

0 clean; 1 something is wrong with the allocator; 2 something is wrong with the command or its input.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Final

from .allocators.registry import open_allocator
from .batch import USAGE
from .commands import COMMANDS, DEFAULT
from .commands.context import Context
from .errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .allocators.protocol import OpenAllocator

INTERRUPTED: Final = 130
UNREAD: Final = 141
"""As the shell tells of a program that SIGPIPE has ended."""
_CHECKOUT_NAME: Final = "stress"


def main(argv: Sequence[str] | None = None, *, open_allocator: OpenAllocator = open_allocator) -> int:
    """Run a command; the exit status. Arguments that cannot be parsed end in ``SystemExit(2)``, as argparse has it.

    ``open_allocator`` is where a test brings an allocator of its own.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    arguments = _parser().parse_args(_with_command(words))
    try:
        _see_where_results_go(getattr(arguments, "json", None))
        return COMMANDS[arguments.command].run(arguments, Context(_program(), open_allocator))
    except BrokenPipeError:  # whoever reads has seen enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python complains when it flushes at its end
        return UNREAD
    except (UsageError, OSError) as error:
        sys.stderr.write(f"{_program()}: {error}\n")
        return USAGE
    except KeyboardInterrupt:
        sys.stderr.write(f"{_program()}: interrupted\n")
        return INTERRUPTED


def _see_where_results_go(path: Path | None) -> None:
    """Find out before a long run, not after it, that its results could not be written."""
    if path is None:
        return
    if path.is_dir():
        raise UsageError(f"--json={path} is a folder: results need a file")
    if not path.parent.is_dir():
        raise UsageError(f"--json={path}: there is no folder {path.parent}")


def _with_command(words: list[str]) -> list[str]:
    """Put the default command first where none is named, so that its options work alone."""
    if words and (words[0] in COMMANDS or words[0] in {"-h", "--help"}):
        return words
    return [DEFAULT, *words]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=_program(),
        description="Try to break an allocator: workloads and recordings of real programs, every byte checked.",
    )
    commands = parser.add_subparsers(dest="command", metavar="command", required=True)
    for name, command in COMMANDS.items():
        command.configure(commands.add_parser(name, help=command.HELP, description=command.HELP))
    return parser


def _program() -> str:
    """What was typed: the package has another name in a checkout than when installed."""
    package = __name__.partition(".")[0]
    return f"python -m {package}" if package == _CHECKOUT_NAME else package.replace("_", "-")
