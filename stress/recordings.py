"""Where recordings are found: named on the command line, in a folder, or the one that comes with the package."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .errors import UsageError
from .trace import ENDINGS

if TYPE_CHECKING:
    from collections.abc import Sequence

VARIABLE: Final = "ARENAS_TRACES"
_PACKAGE: Final = Path(__file__).resolve().parent
_BESIDE_THE_CHECKOUT: Final = Path("shared", "traces")
_PATTERNS: Final = tuple(f"*{ending}" for ending in ENDINGS)


@dataclass(frozen=True, slots=True)
class Found:
    """Recordings to replay, and how they were come by."""

    paths: tuple[Path, ...]
    told: str


def find(given: Sequence[Path] = ()) -> Found:
    """Look in the order: ``given`` files and folders, the folder `VARIABLE` names, one next to the checkout, our own.

    Raises:
        UsageError: something named holds no recording.

    """
    if given:
        paths = tuple(path for some in given for path in _expand(some))
        return Found(paths, f"{len(paths)} named")
    named = os.environ.get(VARIABLE)
    if named:
        return _in_folder(Path(named))
    checkout = _PACKAGE.parent
    beside = checkout.parent / _BESIDE_THE_CHECKOUT
    if (checkout / "pyproject.toml").is_file() and _recordings_in(beside):
        return _in_folder(beside)
    return Found(_recordings_in(_PACKAGE / "traces"), "the one that comes with the package")


def _in_folder(folder: Path) -> Found:
    paths = _expand(folder)
    return Found(paths, f"{len(paths)} from {folder}")


def _expand(path: Path) -> tuple[Path, ...]:
    if not path.is_dir():
        if not path.exists():
            message = f"there is no recording {path}"
            raise UsageError(message)
        return (path,)
    paths = _recordings_in(path)
    if not paths:
        message = f"the folder {path} holds no recording ({' or '.join(_PATTERNS)})"
        raise UsageError(message)
    return paths


def _recordings_in(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(path for pattern in _PATTERNS for path in folder.glob(pattern)))
