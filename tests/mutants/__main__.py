"""Takes the guards out of the package, one at a time, and has the tests notice: ``python -m tests.mutants``.

Each lock, each drain of a mailbox or inbox, each claim and each re-check. Exits with 1 when one was not missed, or when
the list does not fit the source.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.mutants import declared, run, table
from tests.mutants.mutant import Edit, Mutant, StaleMutantError


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("-k", metavar="REGEX", default="", help="only mutants in whose kind, place or source it is")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="at once (default: one a CPU)")
    parser.add_argument("--search", action="store_true", help="look among all tests for one that notices")
    options = parser.parse_args()

    begin = time.monotonic()
    try:
        mutants = declared.fitted(declared.MUTANTS, declared.EXEMPT, run.PACKAGE)
        chosen = [one for one in mutants if re.search(options.k, f"{one[0].kind} {one[0].where} {one[0].removed}")]
        if not chosen:
            parser.error(f"no mutant has {options.k!r} in it")
        killed = _judge(chosen, options.jobs, search=options.search)
    except (StaleMutantError, run.BrokenMutantError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"\n{killed} of {len(chosen)} mutants killed in {time.monotonic() - begin:.0f} s")
    return int(killed < len(chosen))


def _judge(mutants: list[tuple[Mutant, Edit]], jobs: int, *, search: bool) -> int:
    """Prints the table; how many were killed."""
    killed = 0
    with tempfile.TemporaryDirectory(prefix="mutants-") as temporary:
        sound = Path(temporary) / "sound"
        sound.mkdir()
        run.copy_package(sound)
        named = sorted({test for mutant, _ in mutants for test in mutant.tests})
        seconds = run.prove_sound(sound, run.SELECTION if search else named, jobs)
        print(f"without any mutant the tests pass, in {seconds:.0f} s\n\n{table.header()}", flush=True)
        pool = ThreadPoolExecutor(jobs)
        try:
            verdicts = [
                pool.submit(run.judge, *one, sound, Path(temporary) / str(number), search=search)
                for number, one in enumerate(mutants)
            ]
            for one, verdict in zip(mutants, verdicts, strict=True):
                print(table.row(*one, verdict.result()), flush=True)
                killed += verdict.result().killed_by is not None
        finally:
            pool.shutdown(cancel_futures=True)
    return killed


if __name__ == "__main__":
    sys.exit(main())
