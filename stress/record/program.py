"""Running a program under memray, and turning what that leaves into a recording."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import platform
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..errors import UsageError
from ..trace import Writer
from .records import Converter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..trace import Facts

_HAS_MODULE: Final = "import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is None)"
"""Raises where what stands before a dot is no package."""
_STEP: Final = 10_000


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of it."""

    path: Path
    facts: Facts
    status: int
    """The program's own exit status."""
    left_out: list[str]


def refuse(program: Sequence[str]) -> None:
    """Find out what cannot be recorded before anything is run.

    Raises:
        UsageError: memray is not installed, or there is no such program.

    """
    if importlib.util.find_spec("memray") is None:
        raise UsageError("recording needs memray: install the extra `record`, or memray itself")
    if not program:
        raise UsageError("no program to record: name one after --, as in `record -- program.py ARGUMENT…`")
    first, *rest = program
    if first in {"-m", "-c"}:
        if not rest:
            raise UsageError(f"{first} is followed by nothing")
        look = [sys.executable, "-c", _HAS_MODULE, rest[0]]
        if first == "-m" and subprocess.run(look, capture_output=True, check=False).returncode:
            raise UsageError(f"there is no module {rest[0]}")
    elif first.startswith("-"):
        raise UsageError(f"{first} is no option of a recorded program: a file, -m MODULE or -c CODE comes first")
    elif not Path(first).is_file():
        raise UsageError(f"there is no program {first}")


def default_path(program: Sequence[str]) -> Path:
    """Where a recording goes when nobody says: beside where we are, named after the program."""
    name = {"-m": "".join(program[1:2]), "-c": "code"}.get(program[0], Path(program[0]).stem)
    return Path(f"{name}.trace.gz")


def record(
    program: Sequence[str],
    path: Path,
    *,
    python_allocators: bool = False,
    watch: Callable[[int], None] = lambda _done: None,
) -> Recorded:
    """Run a program to its end and write what it allocated.

    ``python_allocators``: also what Python takes from its own allocator of small objects. ``watch`` is told how many
    records were converted.

    Raises:
        UsageError: the program did not even start, so that there is nothing to write.
        OSError: the recording cannot be written.

    """
    with tempfile.TemporaryDirectory(prefix="record-") as folder:
        taken = Path(folder, "memray.bin")
        status = _run(program, taken, python_allocators=python_allocators)
        return _convert(taken, program, path, status, watch)


def _run(program: Sequence[str], taken: Path, *, python_allocators: bool) -> int:
    command = [sys.executable, "-m", "memray", "run", "--quiet", "--force", "--output", str(taken)]
    command += ["--trace-python-allocators"] if python_allocators else []
    with subprocess.Popen([*command, *program]) as process:
        while process.returncode is None:
            with contextlib.suppress(KeyboardInterrupt):  # which is the program's to obey: it gets it as well
                process.wait()
        return process.returncode


def _convert(taken: Path, program: Sequence[str], path: Path, status: int, watch: Callable[[int], None]) -> Recorded:
    import memray  # noqa: PLC0415 - optional

    headers = {
        "program": shlex.join(program),
        "what": f"a Python {platform.python_version()} program under memray {importlib.metadata.version('memray')}",
    }
    functions = {kind.value: kind.name for kind in memray.AllocatorType}
    try:
        reader: Any = memray.FileReader(taken)  # it has no types
    except OSError as error:
        raise UsageError(
            f"{shlex.join(program)} left nothing to record; its exit status is {status} ({error})"
        ) from None
    with reader, Writer(path, headers) as writer:
        converter = Converter(writer)
        for done, each in enumerate(reader.get_allocation_records()):
            converter.take(each, functions[each.allocator])
            if done % _STEP == 0:
                watch(done)
        converter.flush()
    return Recorded(path, writer.facts, status, converter.left_out())
