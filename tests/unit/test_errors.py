"""The exception tree is the one that its module draws."""

from __future__ import annotations

import inspect
import re

import pytest

import arenas
from arenas import errors

DRAWN = re.compile(r"^\s*(?P<branch>[│├└─ ]*)(?P<name>[A-Z]\w+Error)(?: \((?P<builtin>\w+)\))?  +\S", re.MULTILINE)
CLASSES = {name: value for name, value in vars(errors).items() if inspect.isclass(value)}


def drawing() -> dict[str, tuple[str, ...]]:
    """Each class with its bases, as the docstring draws them: depth by the branches before the name."""
    assert errors.__doc__ is not None
    parents: list[str] = []
    found: dict[str, tuple[str, ...]] = {}
    for match in DRAWN.finditer(errors.__doc__):
        depth = len(match["branch"]) // 4
        del parents[depth:]
        builtin = (match["builtin"],) if match["builtin"] else ()
        found[match["name"]] = (parents[-1] if parents else "Exception", *builtin)
        parents.append(match["name"])
    return found


def test_the_tree_is_as_drawn() -> None:
    """Every class in the drawing has exactly the bases drawn, and every class of the module is in it."""
    assert {name: tuple(base.__name__ for base in cls.__bases__) for name, cls in CLASSES.items()} == drawing()


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_every_error_is_public(name: str) -> None:
    assert name in arenas.__all__
    assert getattr(arenas, name) is CLASSES[name]


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_one_clause_catches_all(name: str) -> None:
    assert issubclass(CLASSES[name], arenas.ArenaError)


def test_exhaustion_is_a_memory_error() -> None:
    """Code written for ``MemoryError`` works unchanged, and nothing but exhaustion is one."""
    assert [name for name, cls in CLASSES.items() if issubclass(cls, MemoryError)] == ["OutOfMemoryError"]


def test_mistakes_of_the_caller_are_value_errors() -> None:
    wrong = {name for name, cls in CLASSES.items() if issubclass(cls, ValueError)}
    assert wrong == set(CLASSES) - {
        "ArenaError",
        "OutOfMemoryError",
        "PoolTimeoutError",
        "ArenaBusyError",
        "CorruptionError",
    }


@pytest.mark.parametrize("error", [arenas.DoubleFreeError, arenas.ForeignAddressError, arenas.InteriorAddressError])
def test_every_bad_free_is_an_invalid_free(error: type[Exception]) -> None:
    assert issubclass(error, arenas.InvalidFreeError)
