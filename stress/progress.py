"""A progress bar on the error stream, by rich, where somebody is looking; otherwise nothing."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Watch = Callable[[float], None]
    Begin = Callable[[str, float | None], Watch]


@contextmanager
def bar() -> Iterator[Begin]:
    """Yield what begins a bar: of a name and a total, if known, it makes a function of how much is done."""
    try:
        from rich.console import Console  # noqa: PLC0415 - optional
        from rich.progress import Progress  # noqa: PLC0415
    except ImportError:
        yield _nothing
        return
    if not sys.stderr.isatty():
        yield _nothing
        return
    with Progress(console=Console(file=sys.stderr), transient=True) as progress:

        def begin(name: str, total: float | None) -> Watch:
            task = progress.add_task(name, total=total)
            return lambda done: progress.update(task, completed=done)

        yield begin


def _nothing(_name: str, _total: float | None) -> Watch:
    return lambda _done: None
