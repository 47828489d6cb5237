"""Tests run against a copy of the package, and what came of it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import arenas

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.mutants.mutant import Edit, Mutant

PACKAGE = Path(arenas.__file__).resolve().parent
ROOT = Path(__file__).resolve().parents[2]

# Where else to search for a test that notices.
SELECTION = ("tests/threads", "tests/heap", "tests/unit")

# A test that takes so long is stuck: the slowest takes a tenth of it.
STUCK_SECONDS = 40
# For what pytest's own limit cannot end.
HOPELESS_SECONDS = 1800

# Words of an interpreter that cannot make sense of the mutant's source: that is no test's merit.
_NONSENSE = re.compile(r"^E +(NameError|UnboundLocalError|SyntaxError|IndentationError)\b", re.MULTILINE)


class BrokenMutantError(Exception):
    """The tests could not be run, or the mutant is no program."""


class Verdict(NamedTuple):
    """Who noticed, if anybody did."""

    killed_by: str | None
    seconds: float


def copy_package(folder: Path) -> None:
    """Package, tests, what searches schedules for them, and settings, as they are."""
    ignore = shutil.ignore_patterns("__pycache__", ".*")
    shutil.copytree(PACKAGE, folder / "arenas", ignore=ignore)
    shutil.copytree(ROOT / "tests", folder / "tests", ignore=ignore)
    shutil.copytree(ROOT / "stress", folder / "stress", ignore=ignore)
    shutil.copy2(ROOT / "pyproject.toml", folder)


def prove_sound(folder: Path, tests: Iterable[str], jobs: int) -> float:
    """How many seconds the unmutated copy took to pass; raises ``BrokenMutantError``."""
    begin = time.monotonic()
    code, output = _pytest(folder, ("-n", str(jobs), *tests), "sound")
    if code:
        raise BrokenMutantError(f"the tests fail without any mutant:\n{_tail(output)}")
    return time.monotonic() - begin


def judge(mutant: Mutant, edit: Edit, sound: Path, folder: Path, *, search: bool) -> Verdict:
    """The mutant in a copy of the sound copy, against the tests named with it, then, to ``search``, all."""
    begin = time.monotonic()
    noticed = None
    shutil.copytree(sound, folder, ignore=shutil.ignore_patterns(".*", "*.log"))
    target = folder / "arenas" / mutant.file
    for cached in target.parent.glob(f"__pycache__/{target.stem}.*"):
        cached.unlink()
    target.write_text(edit.source, "utf-8")
    try:
        for tests in (mutant.tests, SELECTION) if search else (mutant.tests,):
            noticed = killed_by(*_pytest(folder, ("-x", *tests), "tests"))
            if noticed:
                break
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return Verdict(noticed, time.monotonic() - begin)


def _pytest(folder: Path, arguments: Sequence[str], name: str) -> tuple[int | None, str]:
    """The exit code (None: it had to be ended) and the output."""
    command = [sys.executable, "-m", "pytest", "-v", "--tb=short", "-p", "no:cacheprovider"]
    command += [f"--timeout={STUCK_SECONDS}", *arguments]
    # To a file: what a test leaves running would keep a pipe open.
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code: int | None = process.wait(HOPELESS_SECONDS)
        except subprocess.TimeoutExpired:
            code = None
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return code, log.read_text("utf-8", errors="replace")


def killed_by(code: int | None, output: str) -> str | None:
    """Who noticed; None when all tests passed."""
    if code == 0:
        return None
    running = [line for line in output.splitlines() if line.startswith("tests/") and "::" in line]
    last = re.sub(r" +(PASSED.*|SKIPPED.*|XFAIL.*|\++ Timeout.*)?$", "", running[-1]) if running else "?"
    if code is None or "+++ Timeout +++" in output:
        return f"timeout in {last}"
    if code < 0:
        return f"{signal.Signals(-code).name} in {last}"
    failed = re.findall(r"^(?:FAILED|ERROR) (.*?)(?: - .*)?$", output, re.MULTILINE)
    if code != 1 or not failed or _NONSENSE.search(output):
        raise BrokenMutantError(f"the tests could not judge a mutant:\n{_tail(output)}")
    return str(failed[0])


def _tail(output: str) -> str:
    return "\n".join(output.splitlines()[-40:])
