"""A mutant: the package with one of its guards taken out."""

from __future__ import annotations

import ast
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path

Kind = Literal["lock", "drain", "claim", "re-check"]


class StaleMutantError(Exception):
    """The list of mutants does not fit the source any more: somebody changed the one and not the other."""


@dataclass(frozen=True)
class Mutant:
    """One guard, and what stands in its place. Indentation is the source's: fragments begin at the margin."""

    kind: Kind
    where: str
    """The function: ``arena.py::Arena.take``; a whole module without the second half."""
    removed: str
    """A part of one line, or whole lines, found exactly once in that function."""
    instead: str
    why: str
    """What goes wrong without the guard."""
    tests: tuple[str, ...]
    """Which are to notice."""

    @property
    def file(self) -> str:
        """Its path in the package."""
        return self.where.partition("::")[0]

    @property
    def function(self) -> str:
        """Its name in the module; empty for the module itself."""
        return self.where.partition("::")[2]


@dataclass(frozen=True)
class Edit:
    """A mutant's source, and the lines that were replaced."""

    source: str
    first: int
    last: int


def edit(mutant: Mutant, package: Path) -> Edit:
    """The mutated module. Raises ``StaleMutantError`` unless its fragment is there exactly once."""
    path = package / mutant.file
    if not path.is_file():
        raise StaleMutantError(f"{mutant.where}: there is no such module")
    lines = path.read_text("utf-8").splitlines()
    inside = function_lines("\n".join(lines), mutant.function)
    if inside is None:
        raise StaleMutantError(f"{mutant.where}: there is no such function")
    removed = mutant.removed.strip("\n").splitlines()
    places = [
        number
        for number in inside
        for _ in range(_occurrences(lines[number - 1 : min(number - 1 + len(removed), inside.stop - 1)], removed))
    ]
    if len(places) != 1:
        raise StaleMutantError(f"{mutant.where}: found {len(places)} times, not once: {mutant.removed!r}")
    (first,) = places
    old = lines[first - 1 : first - 1 + len(removed)]
    lines[first - 1 : first - 1 + len(removed)] = _replace(old, removed, mutant.instead)
    source = "\n".join(lines) + "\n"
    try:
        compile(source, str(path), "exec")
    except SyntaxError as error:
        raise StaleMutantError(f"{mutant.where}: no Python any more: {error}") from error
    return Edit(source, first, first + len(removed) - 1)


def function_lines(source: str, function: str) -> range | None:
    """The numbers of a function's lines, decorators included; of all lines where none is named."""
    tree = ast.parse(source)
    if not function:
        return range(1, len(source.splitlines()) + 1)
    found: ast.AST = tree
    for name in function.split("."):
        inner = [
            node
            for node in ast.iter_child_nodes(found)
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name
        ]
        if len(inner) != 1:
            return None
        found = inner[0]
    assert isinstance(found, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    first = min([found.lineno, *(decorator.lineno for decorator in found.decorator_list)])
    return range(first, (found.end_lineno or first) + 1)


def _occurrences(lines: list[str], removed: list[str]) -> int:
    if len(removed) == 1:
        return lines[0].count(removed[0])
    return _dedent(lines) == removed


def _replace(old: list[str], removed: list[str], instead: str) -> list[str]:
    if len(removed) == 1 and "\n" not in instead.strip("\n"):
        return [old[0].replace(removed[0], instead.strip("\n"))]
    if _dedent(old) != removed:
        raise StaleMutantError(f"several lines cannot take the place of a part of one: {removed[0]!r}")
    margin = old[0][: len(old[0]) - len(old[0].lstrip())]
    return textwrap.indent(instead.strip("\n"), margin).splitlines()


def _dedent(lines: list[str]) -> list[str]:
    return textwrap.dedent("\n".join(lines)).splitlines()
