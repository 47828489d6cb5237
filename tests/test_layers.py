"""The package keeps its rules: imports point downwards, dependencies stay out, files are small, names have one home."""

from __future__ import annotations

import ast
import graphlib
import importlib
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

import arenas

# The layers, lowest first. A module imports from its own layer or from those before it in this table. The modules of a
# package below share its layer. docs/design.md prints the same table.
LAYERS = (
    ("errors", "sizes", "stats", "protocols"),
    ("system",),
    ("backing",),
    ("placement",),
    (
        *("region", "address_map", "record", "repair", "table", "lost", "search", "summary", "audit", "section"),
        *("growth", "arena"),
    ),
    ("cache", "decay", "routing", "slices", "roster", "manager"),
    (
        *("snapshot", "lookup", "shortage", "line", "waiting", "layout", "options"),
        *("block", "resizing", "ends", "service", "scope", "arrays", "pool", "raw", "upkeep", "fork", "heap"),
    ),
    ("default",),
    ("reports",),
    ("__init__",),
)
LAYER_OF = {name: layer for layer, names in enumerate(LAYERS) for name in names}

# Imports for annotations only that point upwards, as ("importer", "imported"). Each needs a reason beside it.
UPWARD_FOR_TYPING: set[tuple[str, str]] = set()

# What may be imported beside the standard library: at a module's top, and inside functions.
DEPENDENCIES = {"sortedcontainers"}
OPTIONAL_DEPENDENCIES = {"jinja2", "markupsafe", "numpy"}

LINES_AT_MOST = 300

PACKAGE = Path(arenas.__file__).parent


class Import(NamedTuple):
    """One imported module, as a module of ours or of others imports it."""

    importer: str
    imported: str
    line: int
    typing_only: bool
    in_function: bool

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.imported}"


def module_name(path: Path) -> str:
    """`arenas.backing.file` for its file, `arenas.backing` for the package's `__init__.py`."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}
TREES = {module: ast.parse(path.read_text("utf-8"), str(path)) for module, path in FILES.items()}


def component(module: str) -> str:
    """The name by which the table knows a module: the first one below the package."""
    return module.split(".")[1] if "." in module else "__init__"


def is_ours(module: str) -> bool:
    return module.partition(".")[0] == "arenas"


def is_type_checking(node: ast.expr) -> bool:
    return ast.unparse(node) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}


def targets(module: str, node: ast.Import | ast.ImportFrom) -> list[str]:
    """The modules that a statement imports, by full name; `from package import name` means the name if it is one."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    base = node.module or ""
    if node.level:
        package = module.split(".") if FILES[module].name == "__init__.py" else module.split(".")[:-1]
        parents = package[: len(package) - node.level + 1]
        base = ".".join([*parents, base] if base else parents)
    return [f"{base}.{alias.name}" if f"{base}.{alias.name}" in FILES else base for alias in node.names]


def imports_of(module: str) -> list[Import]:
    found: list[Import] = []

    def walk(node: ast.AST, *, typing_only: bool, in_function: bool) -> None:
        if isinstance(node, ast.Import | ast.ImportFrom):
            found.extend(
                Import(module, target, node.lineno, typing_only, in_function)
                for target in dict.fromkeys(targets(module, node))
            )
        elif isinstance(node, ast.If) and is_type_checking(node.test):
            for child in node.body:
                walk(child, typing_only=True, in_function=in_function)
            for child in node.orelse:
                walk(child, typing_only=typing_only, in_function=in_function)
        else:
            inside = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            for inner in ast.iter_child_nodes(node):
                walk(inner, typing_only=typing_only, in_function=inside)

    walk(TREES[module], typing_only=False, in_function=False)
    return found


IMPORTS = [found for module in FILES for found in imports_of(module)]


def points_upwards(found: Import) -> bool:
    return LAYER_OF[component(found.imported)] > LAYER_OF[component(found.importer)]


def test_every_module_has_a_layer() -> None:
    assert {component(module) for module in FILES} - LAYER_OF.keys() == set()


def test_every_name_in_the_table_is_a_module() -> None:
    assert LAYER_OF.keys() - {component(module) for module in FILES} == set()


def test_every_import_of_ours_exists() -> None:
    assert [str(found) for found in IMPORTS if is_ours(found.imported) and found.imported not in FILES] == []


def test_imports_point_downwards() -> None:
    wrong = [
        str(found)
        for found in IMPORTS
        if is_ours(found.imported)
        and points_upwards(found)
        and not (found.typing_only and (found.importer, found.imported) in UPWARD_FOR_TYPING)
    ]
    assert wrong == []


def test_every_upward_import_listed_for_typing_is_still_there() -> None:
    upward = {
        (found.importer, found.imported)
        for found in IMPORTS
        if is_ours(found.imported) and found.typing_only and points_upwards(found)
    }
    assert upward >= UPWARD_FOR_TYPING


def test_no_import_cycles() -> None:
    graph = graphlib.TopologicalSorter[str]()
    for found in IMPORTS:
        if is_ours(found.imported) and not found.typing_only:
            graph.add(found.importer, found.imported)
    graph.prepare()  # raises CycleError, which names the modules


def test_dependencies_stay_out() -> None:
    allowed = sys.stdlib_module_names | DEPENDENCIES | {"arenas"}
    wrong = [
        str(found)
        for found in IMPORTS
        if (top := found.imported.partition(".")[0]) not in allowed
        and not (top in OPTIONAL_DEPENDENCIES and (found.in_function or found.typing_only))
    ]
    assert wrong == []


@pytest.mark.parametrize("module", FILES)
def test_files_stay_small(module: str) -> None:
    lines = len(FILES[module].read_text("utf-8").splitlines())
    assert lines <= LINES_AT_MOST


def test_all_is_sorted_and_without_repeats() -> None:
    assert list(arenas.__all__) == sorted(set(arenas.__all__))


@pytest.mark.parametrize("name", arenas.__all__)
def test_public_names_are_importable(name: str) -> None:
    assert hasattr(importlib.import_module("arenas"), name)


def defined_in(module: str) -> set[str]:
    """The names that a module's top level binds by itself, not by importing them."""
    names: set[str] = set()
    for node in TREES[module].body:
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                names.add(name)
            case ast.Assign(targets=bound):
                names.update(target.id for target in bound if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
    return names


@pytest.mark.parametrize("name", [name for name in arenas.__all__ if not name.startswith("__")])
def test_public_names_are_defined_in_one_module(name: str) -> None:
    """`arenas` is where they are found; the module that makes them is one, so that no name has two meanings."""
    assert len([module for module in FILES if name in defined_in(module) and module != "arenas"]) == 1


def test_only_package_inits_re_export() -> None:
    """A module's `__all__` lists its own names; only a package's `__init__` passes on those of others."""
    wrong = []
    for module, path in FILES.items():
        exported = getattr(importlib.import_module(module), "__all__", ())
        if path.name != "__init__.py":
            wrong += [f"{module} re-exports {name}" for name in exported if name not in defined_in(module)]
    assert wrong == []


def test_init_defines_nothing_public() -> None:
    """Every public name lives in a module whose layer is known; `arenas` itself only gathers them."""
    assert {name for name in defined_in("arenas") if not name.startswith("_")} == set()
