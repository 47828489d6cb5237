"""One question a module: each has a ``WORK``. A new one is a new module and a line in ``WORKS``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import buffers, growth, live, memory, pair, remote, threads, view

if TYPE_CHECKING:
    from ..model import Work

WORKS: Final[dict[str, Work]] = {
    module.WORK.name: module.WORK for module in (pair, view, live, buffers, remote, threads, memory, growth)
}
