"""Recordings: read as a stream, whatever their format; written; and what can be told of one.

::

    operations       a batch of operations, as columns
    blocks           which of a recording's blocks are live, which were
    lines            a file as numbered lines, compressed or not
    native, rep      the two formats, a line at a time
    facts            threads, peaks and crossings, gathered in passing
    reading, writer  a recording from its file, batch after batch; a recording into its file

A replay trusts a recording blindly (a block freed twice *there* would look like a fault of the allocator), so
everything that could mislead it is refused, by file and line.
"""

from __future__ import annotations

from .facts import Facts
from .operations import ALLOCATE, BATCH_OPERATIONS, FREE, LETTERS, RESIZE, ZEROED, Batch
from .reading import ENDINGS, Trace, open_trace
from .writer import Writer

__all__ = [
    "ALLOCATE",
    "BATCH_OPERATIONS",
    "ENDINGS",
    "FREE",
    "LETTERS",
    "RESIZE",
    "ZEROED",
    "Batch",
    "Facts",
    "Trace",
    "Writer",
    "open_trace",
]
