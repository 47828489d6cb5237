"""Every span of a heap at one moment, to keep, group and compare."""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from .errors import InvalidRequestError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from typing import Self

    from .record import Record
    from .table import SpanTable

_FORMAT = "arenas-snapshot 1"


@dataclass(frozen=True, slots=True)
class SpanInfo:
    """One span. ``state`` names the part of the reserved bytes it counts in: live, scope, parked, cached or free."""

    arena: int
    offset: int
    address: int | None
    span: int
    state: str
    size: int = 0
    alignment: int = 1
    number: str | None = None
    tag: str | None = None
    held: str | None = None
    site: str | None = None


@dataclass(frozen=True, slots=True)
class BlockInfo:
    """Which allocation an address lies in, and how far inside."""

    number: str
    arena: int
    offset: int
    address: int | None
    size: int
    capacity: int
    alignment: int
    tag: str | None
    state: str
    inside: int
    """Distance from the allocation's start to the address asked about."""


@dataclass(frozen=True, slots=True)
class Statistic:
    """A group of allocations: how many, how big together. In a comparison also the change."""

    key: str
    count: int
    size: int
    count_change: int = 0
    size_change: int = 0


def spans_of(table: SpanTable) -> list[SpanInfo]:
    """Every span of an arena, in order of position. Under its lock."""
    spans = [(position, _carved(table, record)) for position, record in table.carved.items()]
    for position, size in table.placement:
        region = table.region_at(position)
        start = position - region.base
        address = None if region.address is None else region.address + start
        spans.append((position, SpanInfo(table.number, region.offset + start, address, size, "free")))
    return [info for _, info in sorted(spans, key=lambda pair: pair[0])]


def _carved(table: SpanTable, record: Record) -> SpanInfo:
    return SpanInfo(
        arena=table.number,
        offset=record.offset,
        address=record.address,
        span=record.span,
        state=record.state,
        size=record.size,
        alignment=record.alignment,
        number=record.number,
        tag=record.tag,
        held=record.held.value,
    )


def info_of(table: SpanTable, record: Record, inside: int) -> BlockInfo:
    """What :meth:`arenas.Heap.find` tells. Under the arena's lock."""
    return BlockInfo(
        number=record.number,
        arena=table.number,
        offset=record.offset,
        address=record.address,
        size=record.size,
        capacity=record.span,
        alignment=record.alignment,
        tag=record.tag,
        state=record.state,
        inside=inside,
    )


def _read_span(fields: dict[str, Any]) -> SpanInfo:
    info = SpanInfo(**fields)
    numbers = (info.arena, info.offset, info.span, info.size, info.alignment)
    if not all(isinstance(number, int) for number in numbers) or not isinstance(info.state, str):
        raise TypeError(f"no span: {fields}")
    return info


@dataclass(frozen=True)
class Snapshot:
    """All spans of a heap, arena by arena. Each arena's are of one moment; the arenas are read one after the other."""

    spans: tuple[SpanInfo, ...]
    heap: str | None = None

    def dump(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file (gzip, a line of JSON a span)."""
        with gzip.open(path, "wt", encoding="utf-8") as file:
            file.write(json.dumps({"format": _FORMAT, "heap": self.heap}) + "\n")
            file.writelines(json.dumps(asdict(span)) + "\n" for span in self.spans)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what :meth:`dump` wrote. Raises ``InvalidRequestError`` for any other file."""
        try:
            with gzip.open(path, "rt", encoding="utf-8") as file:
                header = json.loads(file.readline())
                if header["format"] != _FORMAT:
                    raise InvalidRequestError(f"{path} is a {header['format']}, not an {_FORMAT}")
                return cls(tuple(_read_span(json.loads(line)) for line in file), header["heap"])
        except (gzip.BadGzipFile, zlib.error, EOFError, KeyError, TypeError, ValueError) as error:
            raise InvalidRequestError(f"{path} is not an {_FORMAT}: {error}") from error

    def statistics(self, key: str = "tag") -> list[Statistic]:
        """Live allocations grouped by ``"tag"``, ``"site"``, ``"arena"``, ``"size"``, ``"held"`` or ``"state"`` (all
        spans), largest first.
        """
        groups: dict[str, list[int]] = {}
        for span in self.spans:
            if key == "state" or span.state == "live":
                groups.setdefault(_key(key)(span), []).append(span.span if key == "state" else span.size)
        found = [Statistic(name, len(sizes), sum(sizes)) for name, sizes in groups.items()]
        return sorted(found, key=lambda one: (-one.size, -one.count, one.key))

    def compare_to(self, old: Snapshot, key: str = "tag") -> list[Statistic]:
        """The groups of both, with the change since ``old``; the largest change first."""
        before = {one.key: one for one in old.statistics(key)}
        after = {one.key: one for one in self.statistics(key)}
        changes = []
        for name in before | after:
            was, now = before.get(name, Statistic(name, 0, 0)), after.get(name, Statistic(name, 0, 0))
            changes.append(Statistic(name, now.count, now.size, now.count - was.count, now.size - was.size))
        return sorted(changes, key=lambda one: (-abs(one.size_change), -abs(one.count_change), one.key))


_KEYS: dict[str, Callable[[SpanInfo], Any]] = {
    "tag": lambda span: span.tag or "untagged",
    "site": lambda span: span.site or "untracked",
    "arena": lambda span: span.arena,
    "size": lambda span: span.size,
    "held": lambda span: span.held,
    "state": lambda span: span.state,
}


def _key(name: str) -> Callable[[SpanInfo], str]:
    if name not in _KEYS:
        raise InvalidRequestError(f"cannot group by {name!r}; choose one of {', '.join(_KEYS)}")
    return lambda span: str(_KEYS[name](span))
