"""As realloc, in steps of 5 bytes: most of them fit into what the last one was rounded up to."""

from __future__ import annotations

from . import realloc

WORKLOAD = realloc.workload("realloc2", first=4092, step=5, small=16)
