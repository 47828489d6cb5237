"""Reports: what was found, as one HTML file that needs nothing else (extra ``report``).

A `Page` says one thing first, its verdict, and then shows what it rests on, in sections of a few kinds of parts. Who
has something to report builds a `Page` from plain values; nobody but this package knows HTML.

The modules, lowest first; each imports only those before it::

    units                  numbers for people: 1.2 MiB, 12,345, 98.9 %
    ticks, thinning, labels, cells       the geometry of charts, pure functions over numbers
    page                   a page and its parts, frozen values
    lines, maps            a line chart and a heap map, laid out
    html                   from a page to a file

Everything is immutable or a pure function, so all of it may be used by any thread.
"""

from .html import render, write
from .page import (
    Bar,
    Bars,
    Cell,
    Code,
    Details,
    Facts,
    Figure,
    Figures,
    Group,
    Heading,
    HeapMap,
    Lines,
    Page,
    Part,
    Region,
    Section,
    Series,
    Span,
    Table,
    Text,
    Tone,
)

__all__ = [
    "Bar",
    "Bars",
    "Cell",
    "Code",
    "Details",
    "Facts",
    "Figure",
    "Figures",
    "Group",
    "Heading",
    "HeapMap",
    "Lines",
    "Page",
    "Part",
    "Region",
    "Section",
    "Series",
    "Span",
    "Table",
    "Text",
    "Tone",
    "render",
    "write",
]
