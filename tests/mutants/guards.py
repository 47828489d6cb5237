"""Every lock, drain and claim of a package, found in its source: so that none is without a mutant."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from tests.mutants.mutant import Edit, Kind, Mutant


class Guard(NamedTuple):
    """One place that guards against other threads."""

    kind: Kind
    where: str  # as a mutant says it
    line: int

    def __str__(self) -> str:
        file, _, function = self.where.partition("::")
        return f"{self.kind} at {file}:{self.line} in {function or 'the module'}"


def guards_of(package: Path) -> list[Guard]:
    """All that are found. What a re-check is, no syntax tells: those are declared only."""
    return [
        guard
        for path in sorted(package.rglob("*.py"))
        for guard in _guards_in(ast.parse(path.read_text("utf-8")), path.relative_to(package).as_posix(), "")
    ]


def uncovered(
    guards: Iterable[Guard], mutants: Iterable[tuple[Mutant, Edit]], exempt: Mapping[tuple[Kind, str], str]
) -> list[str]:
    """What is wrong: guards that no mutant of their kind removes and no exemption names, and idle exemptions."""
    removed = {
        (mutant.kind, mutant.file, line) for mutant, edit in mutants for line in range(edit.first, edit.last + 1)
    }
    left = [guard for guard in guards if (guard.kind, guard.where.partition("::")[0], guard.line) not in removed]
    idle = exempt.keys() - {(guard.kind, guard.where) for guard in left}
    return [f"no mutant removes the {guard}" for guard in left if (guard.kind, guard.where) not in exempt] + [
        f"nothing is exempt as the {kind} in {where}" for kind, where in sorted(idle)
    ]


def _guards_in(node: ast.AST, file: str, function: str) -> Iterator[Guard]:
    where = f"{file}::{function}" if function else file
    for child in ast.iter_child_nodes(node):
        yield from (Guard(kind, where, line) for kind, line in _kinds(child))
        inner = function
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            inner = f"{function}.{child.name}" if function else child.name
        yield from _guards_in(child, file, inner)


def _kinds(node: ast.AST) -> Iterator[tuple[Kind, int]]:
    """What the node itself is, apart from its parts."""
    match node:
        case ast.withitem(context_expr=lock) if _name(lock).endswith("lock"):
            yield "lock", lock.lineno
        case ast.Attribute(attr="acquire", value=lock) if _name(lock).endswith("lock"):
            yield "lock", lock.lineno
        case ast.Constant(value="acquire"):  # methodcaller("acquire")
            yield "lock", node.lineno
        case ast.Call(func=called) if "drain" in _name(called):
            yield "drain", called.end_lineno or called.lineno
        case ast.Call(func=ast.Name("flush" | "settle")):  # of caches
            yield "drain", node.lineno
        case ast.Call(func=ast.Attribute(attr="claim" | "setdefault") as called):
            yield "claim", called.end_lineno or called.lineno
        case ast.Attribute(attr="pop", value=live) if _name(live).endswith("live"):
            yield "claim", live.end_lineno or live.lineno
        case ast.Delete(targets=[ast.Subscript(value=live)]) if _name(live).endswith("live"):
            yield "claim", node.lineno


def _name(node: ast.expr) -> str:
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""
