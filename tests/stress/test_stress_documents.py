"""What docs/stress.md lists is what there is, and its commands can be typed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from _package import module

if TYPE_CHECKING:
    from argparse import Namespace

TEXT = (Path(__file__).parents[2] / "docs" / "stress.md").read_text("utf-8")
COMMANDS = re.findall(r"^\$ python -m stress(.*?)(?: {2,}#.*)?$", TEXT, re.MULTILINE)


def listed(section: str) -> set[str]:
    """What the first column of the first table under a heading names."""
    table = re.search(r"(?:^\|.*\n)+", TEXT.split(f"# {section}\n")[1], re.MULTILINE)
    assert table is not None
    first_column = [line.split("|")[1] for line in table[0].splitlines()[2:]]
    return {name.split()[0] for cell in first_column for name in re.findall(r"`([^`]+)`", cell)}


def options() -> set[str]:
    """What the section on mishaps names."""
    return {name for name in listed("What is to go wrong") if name.startswith("--")}


def test_the_commands_are_those_there_are() -> None:
    assert {name.rstrip("…") for name in listed("The stress runner")} == module("commands").COMMANDS.keys()


def test_the_workloads_are_those_there_are() -> None:
    assert listed("Workloads") == module("workloads").WORKLOADS.keys()


def test_the_allocators_are_those_there_are() -> None:
    assert listed("Any allocator") == module("allocators.registry").ABOUT.keys()


def test_the_mishaps_are_those_there_are() -> None:
    mishaps = module("mishaps").Mishaps(fail_nth=1, fail_rate=0.5, limit_bytes=1, die_rate=0.5, collect=True)
    assert options() == {word.partition("=")[0] for word in mishaps.words()}


@pytest.mark.parametrize("words", COMMANDS)
def test_each_command_can_be_typed(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As far as its arguments: the files it names are anybody's."""
    cli = module("cli")
    begun = []

    def run(arguments: Namespace, _context: Any) -> int:
        begun.append(arguments)
        return 0

    for command in module("commands").COMMANDS.values():
        monkeypatch.setattr(command, "run", run)
    assert cli.main(shlex.split(words)) == 0
    assert len(begun) == 1
