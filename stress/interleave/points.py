"""Points: instructions at which a thread can be stopped; which of them are worth it, and their names for people."""

from __future__ import annotations

import dataclasses
import enum
import os
from pathlib import Path
from types import CodeType
from typing import Final

import arenas

Point = tuple[CodeType, int]
"""Code, and the offset of an instruction in it."""

_FOLDER: Final = Path(arenas.__file__).parent
PACKAGE: Final = str(_FOLDER) + os.sep
"""How the names of the package's files begin; once installed, ``arenas_stress`` lies beside it and is not meant."""

_READING: Final = {"__init__", "audit", "errors", "shortage", "snapshot", "stats", "summary"}
# Code that changes nothing.
_READERS: Final = frozenset(
    {str(path) for path in _FOLDER.rglob("*.py") if path.stem in _READING} | {dataclasses.__file__, enum.__file__}
)


def worth_trying(points: list[Point]) -> list[int]:
    """Of points passed again and again the first visit and the last: their indexes, in order.

    Of functions that only add up or put into words, all points are alike: one is enough.
    """
    visits: dict[Point | CodeType, list[int]] = {}
    for index, point in enumerate(points):
        visits.setdefault(point if point[0].co_filename not in _READERS else point[0], []).append(index)
    return sorted({index for all_of_one in visits.values() for index in (all_of_one[0], all_of_one[-1])})


def place(point: Point) -> str:
    """The point for people."""
    code, offset = point
    line = next((line for start, end, line in code.co_lines() if start <= offset < end), None)
    return f"{Path(code.co_filename).name}:{line} in {code.co_qualname}, before offset {offset}"
