"""Out of memory, explained with numbers."""

from __future__ import annotations

import contextlib
from collections import Counter
from typing import TYPE_CHECKING

from .errors import ArenaBusyError, OutOfMemoryError
from .record import Held
from .stats import Stats

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .manager import Manager
    from .record import Record

_HOLDERS = 3


def out_of_memory(manager: Manager, record: Record, why: str = "") -> OutOfMemoryError:
    """The error for a request that could not be served: what was asked, what is there, and who holds the rest."""
    stats = Stats.total(_readable(manager))
    limit = manager.budget.limit_bytes
    bound = "no limit" if limit is None else f"limit {limit}"
    lines = (
        f"cannot allocate {record.size} bytes (span {record.span}, alignment {record.alignment}): ",
        f"free {stats.free_bytes}, largest free span {stats.largest_free_bytes}, ",
        f"live {stats.live_bytes} in {stats.live_blocks} blocks, parked {stats.parked_bytes}, ",
        f"cached {stats.cached_bytes}, ",
        f"mailbox {stats.mailbox_bytes}; committed {stats.committed_bytes} of {bound}, reserved {stats.reserved_bytes}",
        f" of {manager.backing.size_bytes}" if manager.backing.size_bytes is not None else "",
        f"; held by {_holders(manager)}",
        f"; {why}" if why else "",
    )
    return OutOfMemoryError("".join(lines))


def _readable(manager: Manager) -> Iterator[Stats]:
    for arena in list(manager.arenas):
        # Without the arena that this handler or finalizer interrupted.
        with contextlib.suppress(ArenaBusyError):
            yield arena.stats()


def _holders(manager: Manager) -> str:
    sizes: Counter[str] = Counter()
    for arena in manager.arenas:
        for record in arena.table.live.copy().values():
            if record.held is not Held.SCOPE:
                sizes[record.tag or "untagged"] += record.size
    return ", ".join(f"{tag}: {size}" for tag, size in sizes.most_common(_HOLDERS)) or "nobody"
