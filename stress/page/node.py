"""A JSON value that knows where it stands: what is wrong with a file is named with its place."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ..errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

_GREATEST: Final = 1 << 63
_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class Node:
    """One value of a file. ``where`` is the way to it, as ``runs[2].seconds``."""

    path: Path
    where: str
    value: object

    def refuse(self, expected: str) -> UsageError:
        """The error of a value that is not what it should be."""
        found = repr(self.value)
        found = found if len(found) <= _SHOWN else found[: _SHOWN - 1] + "…"
        return UsageError(f"{self.path}: {self.where or 'the file'}: expected {expected}, found {found}")

    def get(self, key: str) -> Node | None:
        """What an object has under a key; None where that is missing or null."""
        if not isinstance(self.value, dict):
            raise self.refuse("an object")
        value = self.value.get(key)
        return None if value is None else Node(self.path, f"{self.where}.{key}".lstrip("."), value)

    def need(self, key: str) -> Node:
        """What an object must have."""
        found = self.get(key)
        if found is None:
            raise UsageError(f"{self.path}: {self.where or 'the file'}: {key!r} is missing")
        return found

    def each(self, key: str) -> list[Node]:
        """The items of a list; none where it is missing."""
        found = self.get(key)
        return [] if found is None else found.items()

    def items(self) -> list[Node]:
        """The items of a list."""
        if not isinstance(self.value, list):
            raise self.refuse("a list")
        return [Node(self.path, f"{self.where}[{index}]", value) for index, value in enumerate(self.value)]

    def words(self, key: str) -> dict[str, str]:
        """An object of texts; empty where it is missing."""
        found = self.get(key)
        if found is None:
            return {}
        if not isinstance(found.value, dict):
            raise found.refuse("an object")
        return {str(name): str(value) for name, value in found.value.items()}

    def text(self) -> str:
        """A text."""
        if not isinstance(self.value, str):
            raise self.refuse("a text")
        return self.value

    def flag(self) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            raise self.refuse("true or false")
        return self.value

    def count(self) -> int:
        """A whole number that is not negative."""
        if not isinstance(self.value, int) or isinstance(self.value, bool) or not 0 <= self.value < _GREATEST:
            raise self.refuse("a whole number from 0 to 2⁶³ - 1")
        return self.value

    def measure(self) -> float:
        """A number that is not negative."""
        if not isinstance(self.value, int | float) or isinstance(self.value, bool):
            raise self.refuse("a number")
        if not 0 <= self.value < _GREATEST or math.isnan(self.value):
            raise self.refuse("a number from 0 to 2⁶³ - 1")
        return float(self.value)


def texts(node: Node, key: str) -> list[str]:
    """The texts of a list; none where it is missing."""
    return [item.text() for item in node.each(key)]


def text(node: Node, key: str, otherwise: str = "") -> str:
    """A text that may be missing."""
    found = node.get(key)
    return otherwise if found is None else found.text()


def count(node: Node, key: str) -> int | None:
    """A whole number that may be missing."""
    found = node.get(key)
    return None if found is None else found.count()


def measure(node: Node, key: str) -> float | None:
    """A number that may be missing."""
    found = node.get(key)
    return None if found is None else found.measure()
