"""The package keeps its rules: relative imports only, pointing downwards, and small files."""

from __future__ import annotations

import ast
import importlib
import re
from typing import TYPE_CHECKING

import pytest
from _package import FOLDER, NAME

if TYPE_CHECKING:
    from pathlib import Path

FILES = sorted(FOLDER.rglob("*.py"))
TABLE_ROW = r"^ {4}(\w+(?:, \w+)*)  "
TABLE = re.findall(TABLE_ROW, str(importlib.import_module(NAME).__doc__), re.MULTILINE)
LAYER_OF = {name: layer for layer, names in enumerate(TABLE) for name in names.split(", ")}


def component(path: Path) -> str:
    """The name by which the table knows a file."""
    return path.relative_to(FOLDER).with_suffix("").parts[0]


def imports(path: Path) -> list[ast.Import | ast.ImportFrom]:
    return [
        node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Import | ast.ImportFrom)
    ]


def targets(path: Path, node: ast.ImportFrom) -> list[str]:
    """The components a relative import names."""
    depth = len(path.relative_to(FOLDER).parts)
    if node.level < depth:
        return [component(path)]
    return [node.module.partition(".")[0]] if node.module else [alias.name for alias in node.names]


def test_the_table_names_every_module() -> None:
    assert LAYER_OF.keys() == {component(path) for path in FILES} - {"__init__"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_imports_point_downwards(path: Path) -> None:
    for node in imports(path):
        if isinstance(node, ast.ImportFrom) and node.level:
            for target in targets(path, node):
                assert LAYER_OF[target] <= LAYER_OF[component(path)], f"{path.name}:{node.lineno} imports {target}"


# Folders with a table of their own.
PARTS = ("bench", "interleave", "page")


def layers_of(part: str) -> dict[str, int]:
    rows = re.findall(TABLE_ROW, str(importlib.import_module(f"{NAME}.{part}").__doc__), re.MULTILINE)
    return {name: layer for layer, names in enumerate(rows) for name in names.split(", ")}


@pytest.mark.parametrize("part", PARTS)
def test_a_part_s_table_names_its_modules(part: str) -> None:
    names = {path.relative_to(FOLDER / part).with_suffix("").parts[0] for path in (FOLDER / part).rglob("*.py")}
    assert layers_of(part).keys() == names - {"__init__"}


@pytest.mark.parametrize(
    ("part", "path"),
    [(part, path) for part in PARTS for path in sorted((FOLDER / part).rglob("*.py"))],
    ids=lambda value: value if isinstance(value, str) else str(value.relative_to(FOLDER)),
)
def test_a_part_s_imports_point_downwards(part: str, path: Path) -> None:
    layer_of = layers_of(part)
    layer_of["__init__"] = len(layer_of)
    parts = path.relative_to(FOLDER / part).with_suffix("").parts
    for node in imports(path):
        if isinstance(node, ast.ImportFrom) and node.level == len(parts):  # from inside the part
            for target in [node.module.partition(".")[0]] if node.module else [alias.name for alias in node.names]:
                assert layer_of[target] <= layer_of[parts[0]], f"{path.name}:{node.lineno} {target}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_nothing_imports_the_package_by_its_name(path: Path) -> None:
    """It has two."""
    for node in imports(path):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
        if isinstance(node, ast.Import) or not node.level:
            assert not {name.partition(".")[0] for name in names} & {"stress", "arenas_stress"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= 250
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 40, f"{path.name}: {node.name} is too long"
