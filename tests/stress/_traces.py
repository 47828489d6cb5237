"""Small recordings, written as text."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "# arenas-trace 1\n"

#: Three threads; every kind of operation; sizes 0 and 100; alignments; frees and resizes by other threads, and a chain
#: of operations on block 4 that goes round all of them; blocks 3 and 6 are never freed.
SMALL = """\
0 a 0 100
0 a 1 0
1 c 2 40
0 a 3 24 64
1 f 0
2 r 2 400
0 a 4 50
1 r 4 20
2 r 4 2000
0 r 4 100
1 f 4
2 f 1
0 c 5 70000
2 f 5
1 f 2
2 a 6 33 256
"""
SMALL_CROSSINGS = 9
SMALL_REMOTE_FREES = 4


def write(folder: Path, operations: str, name: str = "small.trace", header: str = HEADER) -> Path:
    """A recording as a file; compressed if its name says so."""
    path = folder / name
    data = (header + operations).encode("ascii")
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path
