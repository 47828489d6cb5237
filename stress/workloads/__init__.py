"""The workloads: one a file, re-implemented from their descriptions.

A new workload is a new module with a ``WORKLOAD``, and a line here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import (
    alloc_test,
    binary,
    binary2,
    boom,
    coalescing,
    frames,
    glibc_thread,
    hoardworst,
    larson,
    malloc_large,
    message_passing,
    misuse,
    mleak,
    mstress,
    realloc,
    realloc2,
    rptest,
    sockets,
    xmalloc_test,
)

if TYPE_CHECKING:
    from .model import Workload

_ALL: Final = (
    larson.WORKLOAD,
    xmalloc_test.WORKLOAD,
    mstress.WORKLOAD,
    rptest.WORKLOAD,
    alloc_test.WORKLOAD,
    glibc_thread.WORKLOAD,
    mleak.WORKLOAD,
    malloc_large.WORKLOAD,
    message_passing.WORKLOAD,
    sockets.WORKLOAD,
    binary.WORKLOAD,
    binary2.WORKLOAD,
    coalescing.WORKLOAD,
    realloc.WORKLOAD,
    realloc2.WORKLOAD,
    boom.WORKLOAD,
    hoardworst.WORKLOAD,
    frames.WORKLOAD,
    misuse.WORKLOAD,
)

WORKLOADS: Final[dict[str, Workload]] = {workload.name: workload for workload in _ALL}
"""By name, in the order in which they are listed and run."""
