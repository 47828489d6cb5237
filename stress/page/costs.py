"""A benchmark's file, as ``bench --json`` writes it, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .node import Node, measure, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Entrant:
    """One of those compared; ``median`` is what it cost, and None where ``missing`` says why."""

    name: str
    median: float | None
    missing: str


@dataclass(frozen=True, slots=True)
class Ratio:
    """Two entrants, compared."""

    ours: str
    other: str
    is_cost: bool
    """Ours ÷ the other's, so that less is better; else the other way round."""
    value: float | None
    lowest: float | None
    highest: float | None
    target: float | None
    verdict: str
    loss: bool


@dataclass(frozen=True, slots=True)
class Case:
    """Entrants that do the same."""

    title: str
    unit: str
    entrants: Sequence[Entrant]
    ratios: Sequence[Ratio]


@dataclass(frozen=True, slots=True)
class Work:
    """One question."""

    name: str
    title: str
    cases: Sequence[Case]


@dataclass(frozen=True, slots=True)
class Costs:
    """All of a file."""

    path: Path
    command: str
    machine: Mapping[str, str]
    summary: str
    works: Sequence[Work]


def is_one(root: Node) -> bool:
    """Whether a file is a benchmark's: those name no format."""
    return isinstance(root.value, dict) and "format" not in root.value and {"works", "budget"} <= root.value.keys()


def read(root: Node) -> Costs:
    """Read it; what is not as it should be is a ``UsageError``."""
    works = [
        Work(node.need("name").text(), text(node, "title"), [_case(case) for case in node.each("cases")])
        for node in root.each("works")
    ]
    return Costs(root.path, text(root, "command"), root.words("machine"), text(root, "summary"), works)


def _case(node: Node) -> Case:
    entrants = [
        Entrant(each.need("name").text(), measure(each, "median"), text(each, "missing"))
        for each in node.each("entrants")
    ]
    ratios = [_ratio(each) for each in node.each("comparisons")]
    return Case(node.need("title").text(), text(node, "unit", "ns"), entrants, ratios)


def _ratio(node: Node) -> Ratio:
    loss = node.get("loss")
    return Ratio(
        ours=node.need("ours").text(),
        other=text(node, "other"),
        is_cost=text(node, "sense", "cost") == "cost",
        value=measure(node, "value"),
        lowest=measure(node, "lowest"),
        highest=measure(node, "highest"),
        target=measure(node, "target"),
        verdict=text(node, "verdict"),
        loss=loss is not None and loss.flag(),
    )
