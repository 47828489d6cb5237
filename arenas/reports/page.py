"""A page and its parts: what is said, as frozen values, and nothing of how it looks.

Texts are plain: whatever stands in them is shown as it is, markup too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

Tone = Literal["", "good", "bad", "best", "quiet"]
"""What a cell means: all is well, something is wrong, the best of its row, not to be had."""


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    text: str
    quiet: bool = False
    """Whether it is an aside: how to read what follows, say."""


@dataclass(frozen=True, slots=True)
class Code:
    """Text to be read as it stands: a command, a traceback."""

    title: str
    text: str
    bad: bool = False
    is_command: bool = False
    """Whether a long line is broken between its words."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One key number, in words."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """Key numbers, side by side."""

    items: Sequence[Figure]


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and what they stand for: a machine, a run."""

    title: str
    items: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above a column."""

    text: str
    is_number: bool = True


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a table."""

    text: str
    key: float | None = None
    """What to sort by; the text where it is None."""
    share: float | None = None
    """Drawn as a bar below the text: 1 is all of the cell's width."""
    tone: Tone = ""
    anchor: str = ""
    """The section or details on this page that it leads to."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings; the first column names its row."""

    caption: str
    headings: Sequence[Heading]
    rows: Sequence[Sequence[Cell]]
    summary: Sequence[Sequence[Cell]] = ()
    """Rows below the others, of all of them; sorting leaves them there."""
    sortable: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a group."""

    name: str
    value: float | None
    """None: there is none, and ``text`` says why."""
    text: str
    ours: bool = False
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Bars that are compared with each other: the longest is the group's greatest value."""

    title: str
    bars: Sequence[Bar]
    note: str = ""

    @property
    def longest(self) -> float:
        """What fills the whole width."""
        return max((bar.value for bar in self.bars if bar.value), default=1.0)


@dataclass(frozen=True, slots=True)
class Bars:
    """Groups of bars, each to a scale of its own."""

    title: str
    groups: Sequence[Group]


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart: a size in bytes at each of the chart's moments."""

    name: str
    sizes: Sequence[float]
    look: int | None = None
    """Colour and dashes, 0 to 5: one thing looks the same on every chart. None: its place on this one."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Sizes over time. The first series is the one the chart is about."""

    title: str
    seconds: Sequence[float]
    """The moments, ascending."""
    series: Sequence[Series]


Span = tuple[int, int, str]
"""Offset, size and state."""


@dataclass(frozen=True, slots=True)
class Region:
    """One region of a heap, and the spans in it."""

    arena: int
    size: int
    spans: Sequence[Span]


@dataclass(frozen=True, slots=True)
class HeapMap:
    """What every part of a heap's memory holds at one moment."""

    title: str
    regions: Sequence[Region]


@dataclass(frozen=True, slots=True)
class Details:
    """Parts that are there for who wants to see them, behind one line."""

    title: str
    parts: Sequence[Part]
    note: str = ""
    anchor: str = ""
    is_open: bool = False
    tone: Tone = ""


Part = Text | Code | Figures | Facts | Table | Bars | Lines | HeapMap | Details


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, and what stands under it."""

    title: str
    parts: Sequence[Part]
    anchor: str
    """Unique on the page."""
    bad: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """All of it: first the verdict, in a sentence, and what it rests on at a glance; then the sections."""

    title: str
    good: bool
    mark: str
    """The verdict in a word or two."""
    verdict: str
    """The verdict in a sentence."""
    lead: Sequence[Part]
    sections: Sequence[Section]
    note: str = ""
    """Beside the title: when this was, for example."""
