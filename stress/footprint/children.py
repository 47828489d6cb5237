"""A process for each allocator, and what it says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from . import libraries, plan, replay
from .model import Footprint

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..trace import Trace

_PACKAGE: Final = __name__.rpartition(".")[0]
_MEMORY_INFO: Final = Path("/proc/meminfo")


def measure(
    trace: Trace, placements: Sequence[str], *, native: bool = False, limit: int | None = None
) -> Iterator[Footprint]:
    """Yield the footprint of a recording in a heap with each of the placements and, if asked, in the C allocators.

    Raises:
        TraceError: the recording is malformed.

    """
    with tempfile.TemporaryDirectory(prefix="footprint-") as folder:
        planned = plan.make(trace, Path(folder), limit)
        refusal = _refusal(planned.payload_bytes)
        for placement in placements:
            blank = _blank(trace, planned, "arenas", placement)
            yield _fill(blank, refusal, _command("-m", _PACKAGE, planned, placement), {})
        for library in libraries.find() if native else ():
            missing = "not found" if library.preload is None else None
            command = _command("-IS", str(replay.__file__), planned, library.preload or "")
            environment = {"LD_PRELOAD": library.preload or ""}  # not whatever the user may have there
            yield _fill(_blank(trace, planned, library.name, None), missing or refusal, command, environment)


def _blank(trace: Trace, planned: plan.Plan, allocator: str, placement: str | None) -> Footprint:
    return Footprint(
        name=trace.name,
        path=str(trace.path),
        operations=planned.operations,
        allocator=allocator,
        placement=placement,
        payload_bytes=planned.payload_bytes,
    )


def _command(option: str, program: str, planned: plan.Plan, what: str) -> list[str]:
    return [sys.executable, option, program, str(planned.folder), str(planned.slots), what]


def _fill(blank: Footprint, refusal: str | None, command: Sequence[str], environment: dict[str, str]) -> Footprint:
    """Run a child, unless it was refused, and fill in what it says."""
    if refusal is not None:
        blank.failure = refusal
        return blank
    paths = os.pathsep.join(path for path in sys.path if path)  # wherever this package was found, the child finds it
    everything = {**os.environ, "PYTHONPATH": paths, **environment}
    done = subprocess.run(command, env=everything, capture_output=True, text=True, check=False)
    if done.returncode:
        complaint = done.stderr.strip().splitlines() or [f"the process ended with {done.returncode}"]
        blank.failure = complaint[-1]
        return blank
    figures: dict[str, Any] = json.loads(done.stdout)
    for name, value in figures.items():
        setattr(blank, name, value)
    return blank


def _refusal(payload_bytes: int) -> str | None:
    """Why it must not be tried: every byte of payload is going to be written."""
    try:
        lines = _MEMORY_INFO.read_text(encoding="ascii").splitlines()
    except OSError:  # not Linux: nobody knows
        return None
    for line in lines:
        if line.startswith("MemAvailable:"):
            available = int(line.split()[1]) << 10
            if payload_bytes > available // 2:
                return f"{payload_bytes:,} bytes of payload would be written, and {available:,} are available"
    return None
